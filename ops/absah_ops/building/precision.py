"""Lower a graph's precision: float16 for TensorRT, dynamic int8 for processors."""

from __future__ import annotations

import enum
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx

from absah_ops.building.errors import BuildFailed

_INTEGER_PRODUCTS = frozenset({"DynamicQuantizeMatMul", "MatMulInteger", "MatMulIntegerToFloat"})


class GpuPrecision(enum.StrEnum):
    """What a TensorRT network computes in."""

    FP16 = "fp16"
    FP32 = "fp32"


def to_float16(graph: onnx.ModelProto, *, model: str) -> onnx.ModelProto:
    """A copy that computes in float16 and keeps the types of its inputs and outputs.

    A strongly typed network does what its graph says, so the types are changed in the graph.
    Weights beyond float16's range are clipped, which the gate of `absah models promote` would
    show. Raises `BuildFailed`.
    """
    from onnxruntime.transformers import float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    try:
        with warnings.catch_warnings():
            # It tells of each small weight that is moved to the smallest float16.
            warnings.simplefilter("ignore", UserWarning)
            made = float16.convert_float_to_float16(
                onnx.shape_inference.infer_shapes(graph),
                keep_io_types=True,
                disable_shape_infer=True,
                op_block_list=[*float16.DEFAULT_OP_BLOCK_LIST],
            )
            # The converter puts casts at the end, and a graph's nodes must come in their order.
            OnnxModel(made).topological_sort()
            onnx.checker.check_model(made)
    except Exception as exc:  # whatever the converter meets in a graph it does not know
        raise BuildFailed(
            model=model,
            problem=f"cannot be converted to float16: {exc}",
            hint="build it with --precision fp32",
        ) from exc
    assert isinstance(made, onnx.ModelProto)
    return made


def to_dynamic_int8(graph: onnx.ModelProto, file: Path, *, model: str) -> None:
    """Write a copy whose matrix weights are int8 and whose activations are rounded as they come.

    Needs no calibration data. Convolutions stay as they are: ONNX Runtime runs them slower in
    int8 without static scales. Raises `BuildFailed`, also where there is no matrix to quantise.
    """
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    try:
        with tempfile.TemporaryDirectory() as folder, _quiet():
            prepared = Path(folder) / "prepared.onnx"
            quant_pre_process(graph, prepared, skip_optimization=True, skip_symbolic_shape=True)
            quantization.quantize_dynamic(
                prepared,
                file,
                weight_type=quantization.QuantType.QInt8,
                per_channel=True,
                op_types_to_quantize=["MatMul", "Gemm", "Attention"],
            )
    except Exception as exc:  # whatever the quantiser meets in a graph it does not know
        raise BuildFailed(model=model, problem=f"cannot be quantised: {exc}") from exc
    operators = {node.op_type for node in onnx.load(file).graph.node}
    if not operators & _INTEGER_PRODUCTS:
        file.unlink()
        raise BuildFailed(
            model=model,
            problem="has no matrix product with stored weights, so nothing would be quantised",
            hint="dynamic int8 is for transformers; for a network of convolutions use "
            "--target openvino",
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser tells the root logger of every product of two activations."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)
