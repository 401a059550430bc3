"""Make candidates of the entities model: one as good as it, and one that is known to be bad."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime import quantization

ZERO_POINT = 128
"""Of 8-bit blocks without zero points of their own (ONNX Runtime's MatMulNBits)."""


def widen(source: Path, target: Path) -> None:
    """Write the model with its weights in blocks of 8 bits widened to float32: just as good."""
    model = onnx.load(source)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = [_widened(node, tensors) for node in model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [tensor for name, tensor in tensors.items() if name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    target.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, target)


def quantize_statically(source: Path, target: Path, *, windows: int = 4) -> None:
    """Write a float32 model in static INT8, calibrated on a few windows of random pieces."""
    target.parent.mkdir(parents=True, exist_ok=True)
    quantization.quantize_static(
        source,
        target,
        _Windows(windows),
        quant_format=quantization.QuantFormat.QOperator,
        op_types_to_quantize=["MatMul"],
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
    )


class _Windows(quantization.CalibrationDataReader):  # type: ignore[misc]
    """Windows of random pieces to calibrate on."""

    def __init__(self, count: int) -> None:
        self._left = self._windows(count)

    def get_next(self) -> dict[str, NDArray[np.int64]] | None:
        """The next inputs."""
        return next(self._left, None)

    @staticmethod
    def _windows(count: int) -> Iterator[dict[str, NDArray[np.int64]]]:
        generator = np.random.default_rng(0)
        for _ in range(count):
            ids = generator.integers(5, 30_000, (1, 32), dtype=np.int64)
            yield {"input_ids": ids, "attention_mask": np.ones_like(ids)}


def _widened(node: onnx.NodeProto, tensors: dict[str, onnx.TensorProto]) -> onnx.NodeProto:
    if node.op_type != "MatMulNBits":
        return node
    attributes: dict[str, Any] = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    rows, columns = attributes["N"], attributes["K"]
    blocks = numpy_helper.to_array(tensors[node.input[1]]).astype(np.float32)
    scales = numpy_helper.to_array(tensors[node.input[2]]).reshape(rows, -1, 1)
    weights = ((blocks - ZERO_POINT) * scales).reshape(rows, -1)[:, :columns].T
    name = f"{node.input[1]}.wide"
    tensors[name] = numpy_helper.from_array(np.ascontiguousarray(weights, np.float32), name)
    return helper.make_node("MatMul", [node.input[0], name], list(node.output), name=node.name)
