"""Turn a TensorFlow.js graph of a convolutional detector into ONNX.

TensorFlow works on NHWC and this graph came from an NCHW model, so it is full of transposes that
undo one another. They are not translated: every tensor here stays in NCHW and remembers which of
its axes TensorFlow means by which (`axes`). A real transpose is written only for an output.

Weights stay in float16 as the package stores them, each behind a Cast to float32 that runtimes
fold when they load the model: half the file, the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from .tfjs import Graph, Node

OPSET = 17
_NHWC_OF_NCHW = (0, 2, 3, 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tensor:
    """A tensor in the ONNX graph; axis i of TensorFlow's view of it is its axis `axes[i]`.

    `shape` is the ONNX tensor's own; its first axis is the batch and free.
    """

    name: str
    shape: tuple[int, ...]
    axes: tuple[int, ...]


@dataclass(kw_only=True, slots=True)
class Converter:
    """Walks a graph in order and writes ONNX nodes; raises ValueError for what it does not know."""

    graph: Graph
    input_name: str
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: list[onnx.TensorProto] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)

    def convert(self) -> None:
        """Write all nodes; afterwards `tensors` holds the graph's outputs under their names."""
        self.constants.update(self.graph.constants)
        for node in self.graph.nodes:
            if node.op != "Const":
                self._node(node)

    def _node(self, node: Node) -> None:
        match node.op:
            case "Placeholder":
                shape = self.graph.input_shape
                self.tensors[node.name] = Tensor(
                    name=self.input_name, shape=shape, axes=tuple(range(len(shape)))
                )
            case "Identity":
                self.tensors[node.name] = self.tensors[node.inputs[0]]
            case "Transpose":
                self._transpose(node)
            case "Add" | "AddV2":
                self._add(node)
            case "Conv2D":
                self._convolution(node)
            case "MaxPool":
                self._max_pool(node)
            case "Pad" | "PadV2":
                self._pad(node)
            case "LeakyRelu":
                alpha = float(node.attributes["alpha"]["f"])
                self._elementwise("LeakyRelu", node, alpha=alpha)
            case "Sigmoid":
                self._elementwise("Sigmoid", node)
            case "ConcatV2":
                self._concat(node)
            case "SplitV":
                self._split(node)
            case "ResizeBilinear":
                self._resize(node)
            case "Reshape":
                self._reshape(node)
            case "SparseToDense":
                self._dense_constant(node)
            case _:
                raise ValueError(f"{node.name}: the operation {node.op} is not known here")

    def _put(self, node: Node, shape: Sequence[int], axes: tuple[int, ...]) -> None:
        self.tensors[node.name] = Tensor(name=node.name, shape=tuple(shape), axes=axes)

    def _emit(
        self, op: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any
    ) -> None:
        self.nodes.append(helper.make_node(op, inputs, outputs, name=outputs[0], **attributes))

    def _constant(self, name: str, values: NDArray[Any]) -> str:
        """Store `values`; floats come out of it as float32."""
        if values.dtype == np.float16:
            self._store(f"{name}/half", values)
            self._emit("Cast", [f"{name}/half"], [name], to=TensorProto.FLOAT)
        else:
            self._store(name, values)
        return name

    def _store(self, name: str, values: NDArray[Any]) -> None:
        native = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
        self.initializers.append(numpy_helper.from_array(native, name))

    def _elementwise(self, op: str, node: Node, **attributes: Any) -> None:
        source = self.tensors[node.inputs[0]]
        self._emit(op, [source.name], [node.name], **attributes)
        self.tensors[node.name] = replace(source, name=node.name)

    def _transpose(self, node: Node) -> None:
        source = self.tensors[node.inputs[0]]
        order = self.constants[node.inputs[1]]
        self.tensors[node.name] = replace(source, axes=tuple(source.axes[i] for i in order))

    def _add(self, node: Node) -> None:
        left, right = node.inputs
        if left in self.constants and right in self.constants:
            self.constants[node.name] = self.constants[left] + self.constants[right]
            return
        source = self.tensors[left]
        if right in self.constants:
            bias = self.constants[right]
            broadcast = [1] * len(source.shape)
            broadcast[source.axes[-1]] = bias.size
            other = self._constant(right, bias.reshape(broadcast))
        else:
            if self.tensors[right].axes != source.axes:
                raise ValueError(f"{node.name} adds tensors of different layouts")
            other = self.tensors[right].name
        self._emit("Add", [source.name, other], [node.name])
        self.tensors[node.name] = replace(source, name=node.name)

    def _windowed(self, node: Node, kernel: Sequence[int], channels: int) -> list[int]:
        """Check that a convolution or pool is plain; returns the output's shape."""
        source = self.tensors[node.inputs[0]]
        if source.axes != _NHWC_OF_NCHW or node.text("padding") != "VALID":
            raise ValueError(f"{node.name} is not a plain NHWC operation")
        strides = node.integers("strides")[1:3]
        sides = zip(source.shape[2:], kernel, strides, strict=True)
        return [source.shape[0], channels, *((n - k) // s + 1 for n, k, s in sides)]

    def _convolution(self, node: Node) -> None:
        weights = self.constants[node.inputs[1]].transpose(3, 2, 0, 1)
        if node.integers("dilations") != [1, 1, 1, 1]:
            raise ValueError(f"{node.name} is dilated")
        shape = self._windowed(node, weights.shape[2:], weights.shape[0])
        inputs = [self.tensors[node.inputs[0]].name, self._constant(node.inputs[1], weights)]
        self._emit(
            "Conv",
            inputs,
            [node.name],
            kernel_shape=weights.shape[2:],
            strides=node.integers("strides")[1:3],
        )
        self._put(node, shape, _NHWC_OF_NCHW)

    def _max_pool(self, node: Node) -> None:
        source = self.tensors[node.inputs[0]]
        kernel = node.integers("ksize")[1:3]
        shape = self._windowed(node, kernel, source.shape[1])
        strides = node.integers("strides")[1:3]
        self._emit("MaxPool", [source.name], [node.name], kernel_shape=kernel, strides=strides)
        self._put(node, shape, _NHWC_OF_NCHW)

    def _pad(self, node: Node) -> None:
        source = self.tensors[node.inputs[0]]
        paddings = np.zeros((len(source.axes), 2), np.int64)
        paddings[list(source.axes)] = self.constants[node.inputs[1]]
        pads = self._constant(f"{node.name}/pads", paddings.T.reshape(-1))
        inputs = [source.name, pads]
        if node.op == "PadV2":
            value = self.constants[node.inputs[2]].astype(np.float32)
            inputs.append(self._constant(f"{node.name}/value", value))
        self._emit("Pad", inputs, [node.name])
        shape = [n + int(p) for n, p in zip(source.shape, paddings.sum(1), strict=True)]
        self._put(node, shape, source.axes)

    def _concat(self, node: Node) -> None:
        sources = [self.tensors[name] for name in node.inputs[:-1]]
        if len({source.axes for source in sources}) != 1:
            raise ValueError(f"{node.name} joins tensors of different layouts")
        axes = sources[0].axes
        axis = axes[int(self.constants[node.inputs[-1]])]
        self._emit("Concat", [source.name for source in sources], [node.name], axis=axis)
        shape = list(sources[0].shape)
        shape[axis] = sum(source.shape[axis] for source in sources)
        self._put(node, shape, axes)

    def _split(self, node: Node) -> None:
        source = self.tensors[node.inputs[0]]
        sizes = self.constants[node.inputs[1]].astype(np.int64)
        axis = source.axes[int(self.constants[node.inputs[2]])]
        names = [node.name, *(f"{node.name}:{i}" for i in range(1, len(sizes)))]
        parts = self._constant(f"{node.name}/sizes", sizes)
        self._emit("Split", [source.name, parts], names, axis=axis)
        for name, size in zip(names, sizes, strict=True):
            shape = list(source.shape)
            shape[axis] = int(size)
            self.tensors[name] = Tensor(name=name, shape=tuple(shape), axes=source.axes)

    def _resize(self, node: Node) -> None:
        source = self.tensors[node.inputs[0]]
        half_pixel = node.attributes["half_pixel_centers"]["b"]
        if source.axes != _NHWC_OF_NCHW or not half_pixel or node.attributes["align_corners"]["b"]:
            raise ValueError(f"{node.name} samples in a way that is not known here")
        target = [int(size) for size in self.constants[node.inputs[1]]]
        scales = [to / size for to, size in zip(target, source.shape[2:], strict=True)]
        factors = self._constant(f"{node.name}/scales", np.array([1, 1, *scales], np.float32))
        self._emit("Resize", [source.name, "", factors], [node.name], mode="linear")
        self._put(node, [*source.shape[:2], *target], _NHWC_OF_NCHW)

    def _reshape(self, node: Node) -> None:
        source = self.tensors[node.inputs[0]]
        target = self.constants[node.inputs[1]]
        if source.axes != tuple(range(len(source.axes))) or target[0] != 1:
            raise ValueError(f"{node.name} reshapes more than rows and columns")
        free_batch = np.array([0, *target[1:]], np.int64)
        shape = self._constant(f"{node.name}/shape", free_batch)
        self._emit("Reshape", [source.name, shape], [node.name])
        whole = np.empty(source.shape, np.bool_).reshape(target).shape
        self._put(node, whole, tuple(range(len(whole))))

    def _dense_constant(self, node: Node) -> None:
        indices, shape, values, default = (self.constants[name] for name in node.inputs)
        dense = np.full(shape, default)
        dense[tuple(indices.T)] = values
        self.constants[node.name] = dense

    def join(self, name: str, outputs: Sequence[str]) -> onnx.ValueInfoProto:
        """Join outputs of shape (batch, points, values) along their points, as output `name`."""
        parts = [self.tensors[output] for output in outputs]
        for output, part in zip(outputs, parts, strict=True):
            self._emit("Transpose", [part.name], [f"{output}/rows"], perm=part.axes)
        self._emit("Concat", [f"{output}/rows" for output in outputs], [name], axis=1)
        values = self.graph.outputs[outputs[0]][2]
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "points", values])


def to_onnx(
    graph: Graph, *, name: str, input_name: str, joined: Mapping[str, Sequence[str]]
) -> onnx.ModelProto:
    """Convert `graph` to a model with the input (batch, channels, height, width) `input_name`.

    Height and width may be any multiples of the graph's stride, since all its operations are
    convolutional; `joined` says which of its outputs, in order, make up which new one.
    """
    converter = Converter(graph=graph, input_name=input_name)
    converter.convert()
    outputs = [converter.join(output, parts) for output, parts in joined.items()]
    shape: list[str | int | None] = ["batch", graph.input_shape[1], "height", "width"]
    inputs = [helper.make_tensor_value_info(input_name, TensorProto.FLOAT, shape)]
    onnx_graph = helper.make_graph(
        converter.nodes, name, inputs, outputs, initializer=converter.initializers
    )
    model = helper.make_model(
        onnx_graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=8,
        producer_name="absah",
    )
    onnx.checker.check_model(model, full_check=True)
    return model
