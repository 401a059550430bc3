"""Token classifiers: BERT's and XLM-R's families, with or without a CRF."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from absah_entities import description
from absah_ops.models.bringing.kind import DoesNotFit, Folder, Source, Tensor
from absah_sdk import AbsahError, Outcome, Result
from absah_server.inference.engines import onnxruntime
from absah_server.inference.repository import StoredModel
from absah_server.inference.signature import GraphTensor

TAKEN = ("input_ids", "attention_mask", "token_type_ids")
SPECIAL: Mapping[str, Sequence[str]] = {
    "bos": ("[CLS]", "<s>"),
    "eos": ("[SEP]", "</s>"),
    "pad": ("[PAD]", "<pad>"),
    "unknown": ("[UNK]", "<unk>"),
}
"""Names of the special pieces, by their parameter."""
SAMPLE = "Gubernur Ridwan Kamil bertemu warga di Bandung, kata Kementerian Kesehatan."
PIECES = 32


class TokenClassifier:
    """Models of the checker `entities`."""

    checker = "entities"

    def folder(self, source: Source) -> Folder:
        """Read graph, tokenizer and labels; see `Kind.folder`."""
        if source.tokenizer is None:
            raise DoesNotFit(source.file, "--tokenizer", "is missing", "the model's tokenizer.json")
        _check_inputs(source)
        output = _output(source)
        if not source.labels:
            raise DoesNotFit(source.file, "--labels", "is missing", "a label a line, as B-PER")
        if output.shape[2] not in (-1, len(source.labels)):
            raise DoesNotFit(
                source.file,
                f"output {output.name!r}",
                f"scores {output.shape[2]} labels, and the labels file has {len(source.labels)}",
            )
        ids = _special(source.file, source.tokenizer)
        names = [tensor.name for tensor in source.signature.inputs]
        parameters = {
            **{key: str(number) for key, number in ids.items()},
            "output": output.name,
            **({"token_types": "true"} if "token_type_ids" in names else {}),
        }
        return Folder(
            max_batch_size=16,
            inputs=[Tensor(name=name, data_type="INT64", dims=(-1,)) for name in names],
            outputs=[
                Tensor(
                    name=output.name,
                    data_type="FP32",
                    dims=(-1, output.shape[2]),
                    labelled=True,
                )
            ],
            labels=source.labels,
            parameters={f"{description.PREFIX}{key}": value for key, value in parameters.items()},
            files={
                "tokenizer.json": source.tokenizer.read_bytes(),
                "decoder.json": source.decoder.read_bytes() if source.decoder else _decoder(source),
            },
        )

    def try_out(self, model: StoredModel) -> None:
        """Score a window of one piece repeated; see `Kind.try_out`."""
        described = description.describe(model)
        ids = np.full((1, PIECES), described.unknown, np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        if described.token_types:
            inputs["token_type_ids"] = np.zeros_like(ids)
        engine = onnxruntime.OnnxRuntimeEngine(model.file, output_names=[described.output])
        try:
            scores = engine.new_run().execute(inputs)[described.output]
        except Exception as exc:
            problem = str(exc).splitlines()[0]
            raise DoesNotFit(model.file, "a window of pieces", f"cannot be run: {problem}") from exc
        wanted = (1, PIECES, len(model.labels))
        if scores.shape != wanted:
            raise DoesNotFit(
                model.file,
                f"output {described.output!r}",
                f"is {scores.shape} for a window of {PIECES} pieces, not {wanted}",
            )

    def samples(self) -> list[bytes | str]:
        """A sentence with a person, a place and an organisation."""
        return [SAMPLE]

    def told(self, result: Result) -> str:
        """What was found; see `Kind.told`."""
        if result.outcome is Outcome.ERROR:
            raise AbsahError("the checker broke on the sample; the log above says where")
        found = [f"{f.code} {f.attributes.get('text', '')!r}" for f in result.findings]
        return ", ".join(found) or "no entity"


def _check_inputs(source: Source) -> None:
    names = [tensor.name for tensor in source.signature.inputs]
    for tensor in source.signature.inputs:
        place = f"input {tensor.name!r}"
        if tensor.name not in TAKEN:
            raise DoesNotFit(source.file, place, f"is none of {', '.join(TAKEN)}")
        if tensor.data_type != "INT64":
            raise DoesNotFit(source.file, place, f"is {tensor.data_type}, not INT64")
        if len(tensor.shape) != 2 or tensor.shape != (-1, -1):
            raise DoesNotFit(
                source.file,
                place,
                f"has the shape {list(tensor.shape)}; both axes must be dynamic",
                "export it with dynamic batch and sequence",
            )
    for name in TAKEN[:2]:
        if name not in names:
            raise DoesNotFit(source.file, f"input {name!r}", "is missing")


def _output(source: Source) -> GraphTensor:
    scoring = [o for o in source.signature.outputs if len(o.shape) == 3 and o.data_type == "FP32"]
    named = [output for output in scoring if output.name == "logits"]
    chosen = named or scoring
    if len(chosen) != 1:
        shapes = ", ".join(f"{o.name} {list(o.shape)}" for o in source.signature.outputs)
        raise DoesNotFit(
            source.file, "outputs", f"are {shapes}; one of float32 [batch, pieces, labels] is read"
        )
    return chosen[0]


def _special(file: Path, tokenizer: Path) -> dict[str, int]:
    try:
        opened = Tokenizer.from_file(str(tokenizer))
    except Exception as exc:
        raise DoesNotFit(tokenizer, "the file", f"is no tokenizer: {exc}") from exc
    found = {}
    for key, names in SPECIAL.items():
        ids = [number for name in names if (number := opened.token_to_id(name)) is not None]
        if not ids:
            raise DoesNotFit(tokenizer, f"special piece {key}", f"is none of {' '.join(names)}")
        found[key] = int(ids[0])
    return found


def _decoder(source: Source) -> str:
    """One layer of the labels, as codes, without preferences between them."""
    labels = [_code(source, number, label) for number, label in enumerate(source.labels, 1)]
    if labels.count("O") != 1 or len(set(labels)) != len(labels):
        raise DoesNotFit(source.file, "labels", "must hold O once and no label twice")
    for label in labels:
        if label.startswith("I-") and f"B-{label[2:]}" not in labels:
            raise DoesNotFit(source.file, "labels", f"hold {label} without B-{label[2:]}")
    size = len(labels)
    decoder = {
        "layers": [labels],
        "transitions": [[[0.0] * size] * size],
        "starts": [[0.0] * size],
    }
    return json.dumps(decoder)


def _code(source: Source, number: int, label: str) -> str:
    if label == "O":
        return label
    prefix, dash, name = label.partition("-")
    if prefix not in ("B", "I") or not dash or not name:
        raise DoesNotFit(
            source.file, f"labels, line {number}", f"{label!r} is none of O, B-… and I-…"
        )
    return f"{prefix}-{source.codes.get(name, name)}"
