"""Rewrite an ONNX graph so that TensorRT can read it, without changing what it computes.

Three things stand in the way. Contributed operators of ONNX Runtime are unknown to TensorRT: a
MatMulNBits, whose weights are stored in 4 or 8 bits by blocks, becomes a MatMul of the weights
widened to float32. And TensorRT takes uint8 only to cast it at once, so that a cast which comes
later is moved to the input; and int8 constants only to dequantise them, so that a table of them
whose rows are looked up becomes one of float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from absah_ops.building.errors import BuildFailed

STANDARD_DOMAINS = frozenset({"", "ai.onnx"})
_MOVING = frozenset({"Cast", "Gather", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze"})
"""Operators that give what they are given, in another place or type."""


def load(file: Path, *, model: str) -> onnx.ModelProto:
    """Read an ONNX file; raises `BuildFailed`."""
    try:
        return onnx.load(file)
    except Exception as exc:  # protobuf's own errors have no common base that is public
        raise BuildFailed(
            model=model,
            problem=f"{file} cannot be read as ONNX: {exc}",
            hint="the file may be truncated; compare it with `absah models verify`",
        ) from exc


def widen(graph: onnx.ModelProto, *, model: str) -> onnx.ModelProto:
    """A copy whose matrices are float32, and all constants are stored beside the nodes.

    Raises `BuildFailed`.
    """
    made = onnx.ModelProto()
    made.CopyFrom(graph)
    _store_constants(made)
    _widen_matrices(made, model)
    return made


def standardise(graph: onnx.ModelProto, *, model: str) -> onnx.ModelProto:
    """A copy with standard operators alone and uint8 inputs cast at once.

    Raises `BuildFailed` where an operator has no standard form that is known here.
    """
    made = widen(graph, model=model)
    _cast_inputs(made)
    _widen_tables(made)
    foreign = sorted({n.op_type for n in made.graph.node if n.domain not in STANDARD_DOMAINS})
    if foreign:
        raise BuildFailed(
            model=model,
            problem=f"TensorRT does not know {', '.join(foreign)}",
            hint="export the model with standard ONNX operators, or serve it with ONNX Runtime",
        )
    kept = [opset for opset in made.opset_import if opset.domain in STANDARD_DOMAINS]
    del made.opset_import[:]
    made.opset_import.extend(kept)
    return made


def _store_constants(made: onnx.ModelProto) -> None:
    nodes = []
    for node in made.graph.node:
        value = next((a.t for a in node.attribute if a.name == "value"), None)
        if node.op_type != "Constant" or value is None:
            nodes.append(node)
            continue
        value.name = node.output[0]
        made.graph.initializer.append(value)
    del made.graph.node[:]
    made.graph.node.extend(nodes)


def _widen_matrices(made: onnx.ModelProto, model: str) -> None:
    stored = {tensor.name: tensor for tensor in made.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    replaced: set[str] = set()
    for node in made.graph.node:
        if node.op_type != "MatMulNBits":
            nodes.append(node)
            continue
        weight = f"{node.output[0]}.wide"
        made.graph.initializer.append(
            numpy_helper.from_array(_wide(node, stored, model).T.copy(), weight)
        )
        nodes += _standard_product(node, weight)
        replaced.update(node.input[1:4])
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [t for t in made.graph.initializer if t.name not in replaced or t.name in used]
    del made.graph.initializer[:]
    made.graph.initializer.extend(kept)


def _standard_product(node: onnx.NodeProto, weight: str) -> Iterator[onnx.NodeProto]:
    bias = node.input[5] if len(node.input) > 5 else ""
    product = f"{node.output[0]}.product" if bias else node.output[0]
    yield helper.make_node("MatMul", [node.input[0], weight], [product], name=node.name)
    if bias:
        yield helper.make_node("Add", [product, bias], [node.output[0]], name=f"{node.name}.bias")


def _wide(node: onnx.NodeProto, stored: dict[str, TensorProto], model: str) -> NDArray[np.float32]:
    """The weights of a MatMulNBits, (outputs, inputs); the layout is that of ONNX Runtime's docs.

    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulNBits
    """
    facts = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    bits, rows = int(facts.get("bits", 4)), int(facts["N"])
    columns, block = int(facts["K"]), int(facts["block_size"])
    names = [name for name in node.input[1:4] if name]
    if bits not in (4, 8) or (len(node.input) > 4 and node.input[4]) or set(names) - set(stored):
        raise BuildFailed(
            model=model,
            problem=f"node {node.name!r} (MatMulNBits) is of a form that cannot be widened",
            hint="weights must be constants of 4 or 8 bits, in their own order",
        )
    arrays = [numpy_helper.to_array(stored[name]) for name in names]
    blocks = -(-columns // block)
    values = _unpacked(arrays[0].reshape(rows, blocks, -1), bits)[..., :block]
    scales = arrays[1].reshape(rows, blocks, 1).astype(np.float32)
    zeros: NDArray[np.float32] | float = float(1 << (bits - 1))
    if len(arrays) == 3:
        zeros = _zeros(arrays[2], rows, blocks, bits)
    wide = (values - zeros) * scales
    return np.ascontiguousarray(wide.reshape(rows, blocks * block)[:, :columns], np.float32)


def _zeros(stored: NDArray[np.generic], rows: int, blocks: int, bits: int) -> NDArray[np.float32]:
    if stored.dtype.kind == "f":
        return stored.reshape(rows, blocks, 1).astype(np.float32)
    return _unpacked(stored.reshape(rows, -1), bits)[:, :blocks, None]


def _unpacked(stored: NDArray[np.generic], bits: int) -> NDArray[np.float32]:
    if bits == 8:
        return stored.astype(np.float32)
    pairs = np.stack([stored.astype(np.uint8) & 15, stored.astype(np.uint8) >> 4], axis=-1)
    return pairs.reshape(*stored.shape[:-1], -1).astype(np.float32)


def _widen_tables(made: onnx.ModelProto) -> None:
    for index, tensor in enumerate(made.graph.initializer):
        if tensor.data_type not in (TensorProto.INT8, TensorProto.UINT8):
            continue
        users = [node for node in made.graph.node if tensor.name in node.input]
        if all(node.op_type in _MOVING for node in users):
            wide = numpy_helper.to_array(tensor).astype(np.float32)
            made.graph.initializer[index].CopyFrom(numpy_helper.from_array(wide, tensor.name))
            del made.graph.value_info[:]


def _cast_inputs(made: onnx.ModelProto) -> None:
    graph = made.graph
    for value in graph.input:
        consumers = [node for node in graph.node if value.name in node.input]
        if value.type.tensor_type.elem_type != TensorProto.UINT8:
            continue
        if all(node.op_type == "Cast" for node in consumers):
            continue
        cast = f"{value.name}.float"
        for node in consumers:
            for index, name in enumerate(node.input):
                if name == value.name:
                    node.input[index] = cast
        # What was noted of types between nodes no longer holds.
        del graph.value_info[:]
        graph.node.insert(
            0, helper.make_node("Cast", [value.name], [cast], name=cast, to=TensorProto.FLOAT)
        )
