"""Fitting the vendor's graphs changes how they are fed, not what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from models.ocr import evaluate, graphs
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from absah_ops.models.golden import measures

WEIGHTS = np.random.default_rng(0).normal(size=(5, 3, 3, 3)).astype(np.float32)


def network(
    *, weights: NDArray[np.float32] = WEIGHTS, as_constant: bool = False
) -> onnx.ModelProto:
    """A convolution and a softmax over its channels: (n, 3, h, w) to (n, 5, h, w)."""
    tensor = numpy_helper.from_array(weights, "weights")
    nodes = [
        helper.make_node("Conv", ["x", "weights"], ["raw"], pads=[1, 1, 1, 1]),
        helper.make_node("Softmax", ["raw"], ["y"], axis=1),
    ]
    if as_constant:
        nodes.insert(0, helper.make_node("Constant", [], ["weights"], value=tensor))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 5, "h", "w"])],
        initializer=[] if as_constant else [tensor],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)


def run(model: onnx.ModelProto, name: str, value: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {name: value}), strict=True))


@pytest.mark.parametrize("as_constant", [False, True])
def test_pixels_give_what_the_scaled_planes_gave(as_constant: bool) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 8, 9, 3), dtype=np.uint8)
    planes = ((pixels[..., ::-1] / 255 - 0.5) / 0.5).transpose(0, 3, 1, 2).astype(np.float32)
    before = run(network(), "x", np.ascontiguousarray(planes))["y"]
    model = network(as_constant=as_constant)
    graphs.hoist_constants(model)
    graphs.take_pixels(model, height="height", width="width")
    onnx.checker.check_model(model)
    assert run(model, "pixels", pixels)["y"] == pytest.approx(before, abs=1e-5)


def test_flushing_subnormal_weights_changes_no_bit() -> None:
    weights = WEIGHTS.copy()
    weights[:, :, 0] = 1e-39
    flushed = network(weights=weights)
    graphs.flush_subnormals(flushed)
    kept = numpy_helper.to_array(flushed.graph.initializer[0])
    assert (kept[:, :, 0] == 0).all()
    assert (kept[:, :, 1:] == WEIGHTS[:, :, 1:]).all()
    planes = np.random.default_rng(2).normal(size=(1, 3, 16, 16)).astype(np.float32)
    before = run(network(weights=weights), "x", planes)["y"]
    assert (run(flushed, "x", planes)["y"] == before).all()


def test_the_best_class_and_its_probability_are_answered() -> None:
    steps = np.random.default_rng(3).random((2, 4, 6)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "steps",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", "t", 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", "t", 6])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)
    graphs.answer_best_class(model)
    answered = run(model, "x", steps)
    assert (answered["label"] == steps.argmax(axis=2)).all()
    assert (answered["probability"] == steps.max(axis=2)).all()


def test_a_graph_that_begins_otherwise_is_refused() -> None:
    model = network()
    model.graph.node.insert(0, helper.make_node("Relu", ["x"], ["positive"]))
    model.graph.node[1].input[0] = "positive"
    with pytest.raises(ValueError, match="convolution"):
        graphs.take_pixels(model, height=8, width=8)


@pytest.mark.parametrize(
    ("one", "other", "distance"), [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3)]
)
def test_edits_are_counted(one: str, other: str, distance: int) -> None:
    assert measures.edits(one, other) == measures.edits(other, one) == distance


def test_line_breaks_are_no_errors() -> None:
    assert measures.paragraph_errors("satu dua tiga", "satu dua\ntiga\n") == (0, 13)


def test_words_are_found_as_often_as_they_are_there() -> None:
    assert evaluate.words_found("TOTAL 5.00 TOTAL", "total: 5.00") == (3, 4)
