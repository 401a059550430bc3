"""Export a checkpoint to a model repository, and verify what was written.

    python -m entities.export --checkpoint FILE --prepared DIR --out model_repository/entities_ner

Writes 1/model.onnx, tokenizer.json, decoder.json and labels.txt. `--weights` chooses how the
model is stored; the README says what speaks for which.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, matmul_nbits_quantizer, quantize_dynamic

from . import corpora, crf, encoder, graph

WEIGHTS = ("float32", "int8", "blocks8", "dynamic8")
TOLERANCE = 2e-3
BLOCK = 128


def tagger(path: Path, *, averaged: bool) -> tuple[encoder.Tagger, crf.PartialCRF]:
    """Read a checkpoint's tagger and CRF, from its averaged weights or the last ones."""
    stored = torch.load(path, weights_only=True)
    weights = stored["average" if averaged else "weights"]
    model = encoder.Tagger(encoder.Shape(**stored["shape"])).eval()
    chain = crf.PartialCRF(corpora.labels())
    for module, prefix in ((model, "tagger."), (chain, "crf.")):
        module.load_state_dict(
            {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        )
    return model, chain


def onnx_model(model: encoder.Tagger, *, int8: bool) -> onnx.ModelProto:
    """The tagger as ONNX, its weights as float32 or int8 by channel."""
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    shape = model.shape
    return graph.build(weights, heads=shape.heads, epsilon=shape.epsilon, int8=int8)


def store(model: encoder.Tagger, weights: str, path: Path) -> None:
    """Write the model with its weights stored as one of WEIGHTS.

    float32; int8 by output channel, widened at load; blocks8, int8 by blocks of 128
    inputs, activations by block too (MatMulNBits); dynamic8, activations quantised by tensor.
    """
    if weights in ("float32", "int8"):
        onnx.save(onnx_model(model, int8=weights == "int8"), path)
        return
    float_model = onnx_model(model, int8=False)
    _quantise_words(float_model, model)
    if weights == "blocks8":
        onnx.save(_in_blocks(float_model), path)
        return
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "model.onnx"
        onnx.save(float_model, source)
        quantize_dynamic(
            source,
            path,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=["logits.product"],
            extra_options={"MatMulConstBOnly": True},
        )


def _quantise_words(float_model: onnx.ModelProto, model: encoder.Tagger) -> None:
    """Replace the float32 embedding of pieces by int8 rows and their scales."""
    part = graph.Graph(int8=True)
    part.rows("words", "input_ids", model.words.weight.detach().numpy())
    made = float_model.graph
    nodes = [*part.nodes, *(n for n in made.node if n.name != "words")]
    kept = [w for w in made.initializer if w.name != "words.all"] + part.weights
    del made.node[:], made.initializer[:]
    made.node.extend(nodes)
    made.initializer.extend(kept)


def _in_blocks(float_model: onnx.ModelProto) -> onnx.ModelProto:
    config = matmul_nbits_quantizer.DefaultWeightOnlyQuantConfig(
        block_size=BLOCK, is_symmetric=True, accuracy_level=4, bits=8
    )
    quantizer = matmul_nbits_quantizer.MatMulNBitsQuantizer(
        float_model, algo_config=config, nodes_to_exclude=["logits.product"]
    )
    quantizer.process()
    converted: onnx.ModelProto = quantizer.model.model
    return converted


def difference(model: encoder.Tagger, path: Path) -> float:
    """Greatest difference between PyTorch's and ONNX Runtime's scores on random padded ids."""
    rng = np.random.default_rng(0)
    ids = rng.integers(4, model.shape.pieces, (3, 40))
    mask = np.ones_like(ids)
    mask[1, 25:], mask[2, 7:] = 0, 0
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (ours,) = session.run(None, {"input_ids": ids, "attention_mask": mask})
    with torch.no_grad():
        theirs = model(torch.from_numpy(ids), torch.from_numpy(mask).float()).numpy()
    return float(np.abs(ours - theirs)[mask == 1].max())


def decoder(chain: crf.PartialCRF) -> dict[str, Any]:
    """What `absah_entities.decoding.Decoder` reads."""
    return {
        "layers": corpora.labels(),
        "transitions": np.round(chain.transitions.detach().numpy(), 4).tolist(),
        "starts": np.round(chain.starts.detach().numpy(), 4).tolist(),
    }


def main() -> None:
    """Parse the command line, export and verify."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--prepared", type=Path, required=True, help="what `prepare` wrote")
    parser.add_argument("--out", type=Path, required=True, help="the model's folder")
    parser.add_argument("--weights", choices=WEIGHTS, default="blocks8")
    parser.add_argument("--last", action="store_true", help="the last weights, not the average")
    options = parser.parse_args()
    model, chain = tagger(options.checkpoint, averaged=not options.last)
    path = options.out / "1" / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    store(model, options.weights, path)
    apart = difference(model, path)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, differs by {apart:.2g}")
    if options.weights == "float32" and apart > TOLERANCE:
        raise SystemExit("the ONNX model does not agree with the checkpoint")
    shutil.copyfile(options.prepared / "tokenizer.json", options.out / "tokenizer.json")
    (options.out / "decoder.json").write_text(json.dumps(decoder(chain)) + "\n")
    names = [name for layer in corpora.labels() for name in layer]
    (options.out / "labels.txt").write_text("\n".join(names) + "\n")


if __name__ == "__main__":
    main()
