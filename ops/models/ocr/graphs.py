"""Fit the vendor's graphs to how they are fed here, without moving their answers.

Each change spares time that buys nothing:

- Subnormal weights become zero. A quarter of a million of the detector's weights are smaller than
  1.2e-38, what weight decay leaves of channels that do nothing; processors take slow paths for
  them, which is two thirds of the detector's time. Its outputs stay equal bit by bit.
- A graph takes pixels as they lie in memory, uint8, (height, width, RGB), and scales them itself
  to -1…1, the range that the models were trained on. The scale and the order of channels (the
  models learned BGR) are folded into the first convolution.
- The recogniser answers the best class of each step and its probability, not all 18,710 of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

_SMALLEST_WEIGHT = 1e-20
"""What a weight below this adds to a sum of activations is less than the sum's last bit."""
_MIDDLE_GREY = np.float32(127.5)


def hoist_constants(model: onnx.ModelProto) -> None:
    """Turn nodes that hold a tensor into initializers, in place, so that weights are found."""
    graph = model.graph
    nodes = []
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensor = graph.initializer.add()
            tensor.CopyFrom(node.attribute[0].t)
            tensor.name = node.output[0]
        else:
            nodes.append(node)
    _set_nodes(graph, nodes)


def flush_subnormals(model: onnx.ModelProto) -> None:
    """Set weights too small to matter to zero, in place."""
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        weights = numpy_helper.to_array(tensor)
        tiny = np.abs(weights) < _SMALLEST_WEIGHT
        if tiny.any():
            _set_weights(tensor, np.where(tiny, np.float32(0), weights))


def take_pixels(model: onnx.ModelProto, *, height: int | str, width: int | str) -> None:
    """Make the graph's only input `pixels`, uint8 (batch, height, width, 3), RGB, in place.

    A side is a number of pixels or the name of a dynamic axis.
    """
    graph = model.graph
    (old,) = graph.input
    (first,) = [node for node in graph.node if old.name in node.input]
    if first.op_type != "Conv" or first.input[0] != old.name:
        raise ValueError("the graph does not begin with a convolution")
    (weights,) = [tensor for tensor in graph.initializer if tensor.name == first.input[1]]
    kernel = numpy_helper.to_array(weights)[:, ::-1]
    _set_weights(weights, np.divide(kernel, _MIDDLE_GREY, dtype=np.float32))
    first.input[0] = "centred"
    graph.initializer.append(numpy_helper.from_array(np.array(_MIDDLE_GREY), "middle_grey"))
    prefix = [
        helper.make_node("Transpose", ["pixels"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["planes"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["levels", "middle_grey"], ["centred"]),
    ]
    _set_nodes(graph, [*prefix, *graph.node])
    del graph.input[:]
    graph.input.append(
        helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["batch", height, width, 3])
    )


def answer_map(model: onnx.ModelProto) -> None:
    """Make the detector's output `probability`, float32 (batch, height, width), in place."""
    old = _pop_output(model)
    model.graph.node.append(helper.make_node("Squeeze", [old], ["probability"], axes=[1]))
    _add_output(model, "probability", TensorProto.FLOAT, ["batch", "height", "width"])


def answer_classes(model: onnx.ModelProto) -> None:
    """Make a classifier's output `probability`, float32 (batch, classes), in place."""
    old = _pop_output(model)
    model.graph.node.append(helper.make_node("Identity", [old], ["probability"]))
    _add_output(model, "probability", TensorProto.FLOAT, ["batch", 2])


def answer_best_class(model: onnx.ModelProto) -> None:
    """Make the recogniser's outputs `label` and `probability`, (batch, steps), in place.

    `label` is int64, the likeliest class of a step; `probability` is float32.
    """
    old = _pop_output(model)
    graph = model.graph
    graph.initializer.append(numpy_helper.from_array(np.array([1], np.int64), "one"))
    graph.node.append(helper.make_node("TopK", [old, "one"], ["top", "top_label"], axis=2))
    graph.node.append(helper.make_node("Squeeze", ["top"], ["probability"], axes=[2]))
    graph.node.append(helper.make_node("Squeeze", ["top_label"], ["label"], axes=[2]))
    _add_output(model, "label", TensorProto.INT64, ["batch", "steps"])
    _add_output(model, "probability", TensorProto.FLOAT, ["batch", "steps"])


def _set_nodes(graph: onnx.GraphProto, nodes: Sequence[onnx.NodeProto]) -> None:
    kept = list(nodes)
    del graph.node[:]
    graph.node.extend(kept)


def _pop_output(model: onnx.ModelProto) -> str:
    (old,) = model.graph.output
    name = str(old.name)
    del model.graph.output[:]
    return name


def _add_output(
    model: onnx.ModelProto, name: str, data_type: int, shape: Sequence[int | str]
) -> None:
    model.graph.output.append(helper.make_tensor_value_info(name, data_type, shape))


def _set_weights(tensor: TensorProto, weights: NDArray[np.float32]) -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(weights, np.float32), tensor.name))
