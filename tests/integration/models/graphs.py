"""Small models of the forms that operators bring, drawn with onnx.helper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

VOCABULARY = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "budi", "di", "padang", "santoso")
NER_LABELS = ("O", "B-PERSON", "I-PERSON", "B-PLACE", "I-PLACE")
KNOWN = {"budi": "B-PERSON", "santoso": "I-PERSON", "padang": "B-PLACE"}


def draw_yolov8(file: Path, *, classes: int = 80, names: Mapping[int, str] | None = None) -> Path:
    """A detector of YOLOv8's form with random weights: 1×3×640×640 → 1×(4 + classes)×8400."""
    rng = np.random.default_rng(0)
    nodes, tensors, grids = [], [], []
    rows = 4 + classes
    tensors.append(numpy_helper.from_array(np.array([1, rows, -1], np.int64), "flat"))
    for stride in (8, 16, 32):
        weights = rng.normal(0, 1 / stride, (rows, 3, 1, 1)).astype(np.float32)
        tensors.append(numpy_helper.from_array(weights, f"weights{stride}"))
        nodes += [
            helper.make_node(
                "AveragePool",
                ["images"],
                [f"seen{stride}"],
                kernel_shape=[stride, stride],
                strides=[stride, stride],
            ),
            helper.make_node("Conv", [f"seen{stride}", f"weights{stride}"], [f"map{stride}"]),
            helper.make_node("Reshape", [f"map{stride}", "flat"], [f"grid{stride}"]),
        ]
        grids.append(f"grid{stride}")
    tensors.append(numpy_helper.from_array(np.array([4, classes], np.int64), "parts"))
    tensors.append(numpy_helper.from_array(np.array(640, np.float32), "side"))
    nodes += [
        helper.make_node("Concat", grids, ["all"], axis=2),
        helper.make_node("Split", ["all", "parts"], ["raw_boxes", "raw_scores"], axis=1),
        helper.make_node("Sigmoid", ["raw_scores"], ["scores"]),
        helper.make_node("Sigmoid", ["raw_boxes"], ["fractions"]),
        helper.make_node("Mul", ["fractions", "side"], ["boxes"]),
        helper.make_node("Concat", ["boxes", "scores"], ["output0"], axis=1),
    ]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 640, 640])
    output = helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, rows, 8400])
    graph = helper.make_graph(nodes, "drawn", [images], [output], tensors)
    return _save(file, graph, {"names": str(dict(names))} if names else {})


def draw_ner(file: Path, *, labels: Sequence[str] = NER_LABELS, wrecked: bool = False) -> Path:
    """A token classifier of BERT's form that knows the words of `KNOWN`; `wrecked` knows none."""
    table = np.full((len(VOCABULARY), len(labels)), -4.0, np.float32)
    table[:, 0] = 0.0
    for word, label in () if wrecked else KNOWN.items():
        table[VOCABULARY.index(word), labels.index(label)] = 4.0
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["known"]),
        helper.make_node("Add", ["attention_mask", "token_type_ids"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["known", "column"], ["scores"]),
    ]
    tensors = [
        numpy_helper.from_array(table, "table"),
        numpy_helper.from_array(np.array([2], np.int64), "last"),
    ]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "pieces"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    shape = ["batch", "pieces", len(labels)]
    output = helper.make_tensor_value_info("scores", TensorProto.FLOAT, shape)
    return _save(file, helper.make_graph(nodes, "drawn", inputs, [output], tensors), {})


def draw_tokenizer(file: Path, vocabulary: Sequence[str] = VOCABULARY) -> Path:
    """A WordPiece tokenizer of these pieces, without capitals."""
    ids = {piece: number for number, piece in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    file.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(file))
    return file


def write_lines(file: Path, lines: Sequence[str]) -> Path:
    """A text file of these lines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def _save(file: Path, graph: onnx.GraphProto, metadata: Mapping[str, str]) -> Path:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    file.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, file)
    return file
