"""Write the tagger as an ONNX graph of standard operators, node by node.

Weights may be stored as int8 with a scale for each output channel (row of an embedding). The
runtime widens them when it loads the model, so that a score does not depend on what else is in
the batch, as it would with activations quantised by tensor.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.float32]

OPSET = 20
IR_VERSION = 9


class Graph:
    """Collects nodes and weights; every method returns the name of what it made."""

    def __init__(self, *, int8: bool) -> None:
        self.int8 = int8
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, name: str, **attributes: Any) -> str:
        """Add a node with one output."""
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def constant(self, name: str, value: Any, kind: Any = np.float32) -> str:
        """Add a constant."""
        self.weights.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def matrix(self, name: str, weight: Array) -> str:
        """Add a matrix (in, out), as int8 with a scale for each column if so wished."""
        if not self.int8:
            return self.constant(name, weight)
        scale = np.abs(weight).max(axis=0, keepdims=True) / 127.0
        wide = self.add("Cast", self._rounded(name, weight, scale), name=f"{name}.wide", to=1)
        return self.add("Mul", wide, self.constant(f"{name}.scale", scale), name=name)

    def rows(self, name: str, ids: str, weight: Array) -> str:
        """Look up rows of an embedding, stored as int8 with a scale for each if so wished."""
        if not self.int8:
            return self.add("Gather", self.constant(f"{name}.all", weight), ids, name=name)
        scale = np.abs(weight).max(axis=1, keepdims=True) / 127.0
        scale = np.maximum(scale, np.float32(1e-12))
        stored = self._rounded(name, weight, scale)
        found = self.add("Gather", stored, ids, name=f"{name}.found")
        wide = self.add("Cast", found, name=f"{name}.wide", to=1)
        scales = self.add("Gather", self.constant(f"{name}.scale", scale), ids, name=f"{name}.by")
        return self.add("Mul", wide, scales, name=name)

    def linear(self, name: str, states: str, weight: Array, bias: Array) -> str:
        """states · weightᵀ + bias, with the weight as PyTorch has it (out, in)."""
        matrix = self.matrix(f"{name}.weight", weight.T)
        product = self.add("MatMul", states, matrix, name=f"{name}.product")
        return self.add("Add", product, self.constant(f"{name}.bias", bias), name=name)

    def norm(self, name: str, states: str, weight: Array, bias: Array, epsilon: float) -> str:
        """Layer normalisation over the last axis."""
        factors = self.constant(f"{name}.weight", weight), self.constant(f"{name}.bias", bias)
        return self.add("LayerNormalization", states, *factors, name=name, axis=-1, epsilon=epsilon)

    def _rounded(self, name: str, weight: Array, scale: Array) -> str:
        return self.constant(f"{name}.int8", np.rint(weight / scale).clip(-127, 127), np.int8)


def build(weights: dict[str, Array], *, heads: int, epsilon: float, int8: bool) -> onnx.ModelProto:
    """Build the model: input_ids, attention_mask (batch, length) → logits (batch, length, labels).

    weights: those of `encoder.Tagger`, by their names there.
    """
    graph = Graph(int8=int8)
    states, bias = _embed(graph, weights, epsilon)
    depth = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("layers."))
    for index in range(depth):
        prefix = f"layers.{index}."
        layer = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        states = _layer(graph, prefix, layer, states, bias, heads, epsilon)
    graph.int8 = False
    graph.linear("logits", states, weights["head.weight"], weights["head.bias"])
    return _model(graph, labels=len(weights["head.bias"]))


def _embed(graph: Graph, weights: dict[str, Array], epsilon: float) -> tuple[str, str]:
    """Embedded pieces, and what to add to attention scores so that padding is not seen."""
    words = graph.rows("words", "input_ids", weights["words.weight"])
    shape = graph.add("Shape", "input_ids", name="length", start=1, end=2)
    start, axis = graph.constant("zero", [0], np.int64), graph.constant("first", [0], np.int64)
    positions = graph.constant("positions", weights["places.weight"])
    places = graph.add("Slice", positions, start, shape, axis, name="places")
    summed = graph.add("Add", words, places, name="embedded")
    norm = weights["embedding_norm.weight"], weights["embedding_norm.bias"]
    states = graph.norm("embedding_norm", summed, *norm, epsilon)
    mask = graph.add("Cast", "attention_mask", name="mask", to=TensorProto.FLOAT)
    hidden = graph.add("Sub", mask, graph.constant("one", 1.0), name="hidden")
    scaled = graph.add("Mul", hidden, graph.constant("far", 1e4), name="scaled")
    axes = graph.constant("bias_axes", [1, 2], np.int64)
    return states, graph.add("Unsqueeze", scaled, axes, name="bias")


def _layer(
    graph: Graph,
    prefix: str,
    layer: dict[str, Array],
    states: str,
    bias: str,
    heads: int,
    epsilon: float,
) -> str:
    def linear(name: str, source: str) -> str:
        return graph.linear(prefix + name, source, layer[f"{name}.weight"], layer[f"{name}.bias"])

    def norm(name: str, one: str, other: str) -> str:
        total = graph.add("Add", one, other, name=f"{prefix}{name}.sum")
        factors = layer[f"{name}.weight"], layer[f"{name}.bias"]
        return graph.norm(prefix + name, total, *factors, epsilon)

    context = _attend(graph, prefix, linear("query_key_value", states), bias, heads, layer)
    states = norm("attended_norm", states, linear("attended", context))
    widened = graph.add("Gelu", linear("widen", states), name=prefix + "gelu")
    return norm("narrow_norm", states, linear("narrow", widened))


def _attend(
    graph: Graph, prefix: str, mixed: str, bias: str, heads: int, layer: dict[str, Array]
) -> str:
    """Multi-head attention (Vaswani et al. 2017) of queries, keys and values in one tensor."""
    size = layer["attended.bias"].size // heads

    def part(name: str, source: str, order: list[int]) -> str:
        shape = graph.constant(f"{prefix}{name}.shape", [0, 0, heads, size], np.int64)
        split = graph.add("Reshape", source, shape, name=f"{prefix}{name}.split")
        return graph.add("Transpose", split, name=prefix + name, perm=order)

    names = [f"{prefix}{n}.mixed" for n in ("query", "key", "value")]
    graph.nodes.append(
        helper.make_node("Split", [mixed], names, name=prefix + "parts", axis=-1, num_outputs=3)
    )
    query = part("query", names[0], [0, 2, 1, 3])
    key = part("key", names[1], [0, 2, 3, 1])
    value = part("value", names[2], [0, 2, 1, 3])
    scores = graph.add("MatMul", query, key, name=prefix + "scores")
    factor = graph.constant(prefix + "factor", size**-0.5)
    scaled = graph.add("Mul", scores, factor, name=prefix + "scaled")
    seen = graph.add("Add", scaled, bias, name=prefix + "seen")
    shares = graph.add("Softmax", seen, name=prefix + "shares", axis=-1)
    context = graph.add("MatMul", shares, value, name=prefix + "context")
    merged = graph.add("Transpose", context, name=prefix + "merged", perm=[0, 2, 1, 3])
    shape = graph.constant(prefix + "merged.shape", [0, 0, heads * size], np.int64)
    return graph.add("Reshape", merged, shape, name=prefix + "joined")


def _model(graph: Graph, *, labels: int) -> onnx.ModelProto:
    sizes = ["batch", "length"]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, sizes)
        for name in ("input_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [*sizes, labels])
    made = helper.make_graph(graph.nodes, "entities_ner", inputs, [output], graph.weights)
    model = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    onnx.checker.check_model(model)
    return model
