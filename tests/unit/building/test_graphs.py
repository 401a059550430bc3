"""What TensorRT cannot read is rewritten, and the graph computes what it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from absah_ops.building import graphs, precision
from absah_ops.building.errors import BuildFailed

ROWS, COLUMNS, BLOCK = 6, 40, 16
BLOCKS = -(-COLUMNS // BLOCK)


def make_graph(
    nodes: list[onnx.NodeProto],
    x: tuple[int, list[Any]],
    y: tuple[int, list[Any]],
    weights: Mapping[str, Any] | None = None,
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "drawn",
        [helper.make_tensor_value_info("x", *x)],
        [helper.make_tensor_value_info("y", *y)],
        [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def run(model: onnx.ModelProto, x: Any) -> Any:
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]


def make_stored_product(*, bits: int, zeros: bool, bias: bool) -> onnx.ModelProto:
    """y = x · weights stored in blocks; exact arithmetic on its activations."""
    generator = np.random.default_rng(bits)
    blob = BLOCK * bits // 8
    weights: dict[str, Any] = {
        "stored": generator.integers(0, 256, (ROWS, BLOCKS, blob), np.uint8),
        "scales": generator.random(ROWS * BLOCKS, np.float32),
    }
    inputs = ["x", "stored", "scales"]
    if zeros:
        per_row = -(-BLOCKS * bits // 8)
        weights["zeros"] = generator.integers(0, 256, ROWS * per_row, np.uint8)
    if zeros or bias:
        inputs.append("zeros" if zeros else "")
    if bias:
        inputs += ["", "bias"]
        weights["bias"] = generator.random(ROWS, np.float32)
    node = helper.make_node(
        "MatMulNBits", inputs, ["y"], name="product", domain="com.microsoft",
        K=COLUMNS, N=ROWS, bits=bits, block_size=BLOCK, accuracy_level=1,
    )  # fmt: skip
    shape = ["n", COLUMNS], ["n", ROWS]
    return make_graph([node], (TensorProto.FLOAT, shape[0]), (TensorProto.FLOAT, shape[1]), weights)


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_stored_matrices_are_widened_to_the_same_product(
    bits: int, zeros: bool, bias: bool
) -> None:
    model = make_stored_product(bits=bits, zeros=zeros, bias=bias)
    made = graphs.standardise(model, model="drawn")
    x = np.random.default_rng(1).random((3, COLUMNS), np.float32)
    np.testing.assert_allclose(run(made, x), run(model, x), rtol=1e-4, atol=1e-4)
    assert {node.domain for node in made.graph.node} == {""}
    assert "stored" not in {tensor.name for tensor in made.graph.initializer}


def test_pixels_are_cast_before_anything_else() -> None:
    nodes = [
        helper.make_node("Transpose", ["x"], ["planes"], perm=[0, 2, 1]),
        helper.make_node("Cast", ["planes"], ["y"], to=TensorProto.FLOAT),
    ]
    model = make_graph(nodes, (TensorProto.UINT8, ["n", 2, 3]), (TensorProto.FLOAT, ["n", 3, 2]))
    made = graphs.standardise(model, model="drawn")
    assert made.graph.node[0].op_type == "Cast"
    x = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_array_equal(run(made, x), run(model, x))


def test_a_table_of_bytes_becomes_one_of_floats() -> None:
    table = np.arange(-8, 8, dtype=np.int8).reshape(8, 2)
    nodes = [
        helper.make_node("Gather", ["table", "x"], ["found"]),
        helper.make_node("Cast", ["found"], ["y"], to=TensorProto.FLOAT),
    ]
    model = make_graph(
        nodes, (TensorProto.INT64, ["n"]), (TensorProto.FLOAT, ["n", 2]), {"table": table}
    )
    made = graphs.standardise(model, model="drawn")
    assert made.graph.initializer[0].data_type == TensorProto.FLOAT
    x = np.array([7, 0, 3])
    np.testing.assert_array_equal(run(made, x), run(model, x))


def test_another_contributed_operator_is_refused_by_name() -> None:
    node = helper.make_node("QuickGelu", ["x"], ["y"], domain="com.microsoft")
    model = make_graph([node], (TensorProto.FLOAT, ["n"]), (TensorProto.FLOAT, ["n"]))
    with pytest.raises(BuildFailed, match="QuickGelu"):
        graphs.standardise(model, model="drawn")


def test_the_source_is_left_as_it_was() -> None:
    model = make_stored_product(bits=8, zeros=False, bias=False)
    before = model.SerializeToString(deterministic=True)
    graphs.standardise(model, model="drawn")
    assert model.SerializeToString(deterministic=True) == before


def test_float16_keeps_the_types_of_inputs_and_outputs() -> None:
    made = precision.to_float16(
        graphs.standardise(make_stored_product(bits=8, zeros=False, bias=True), model="drawn"),
        model="drawn",
    )
    x = np.random.default_rng(1).random((3, COLUMNS), np.float32)
    right = run(make_stored_product(bits=8, zeros=False, bias=True), x)
    answered = run(made, x)
    assert answered.dtype == np.float32
    np.testing.assert_allclose(answered, right, rtol=0.02, atol=np.abs(right).max() * 0.01)
    assert TensorProto.FLOAT16 in {tensor.data_type for tensor in made.graph.initializer}
