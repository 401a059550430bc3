"""Read a TensorFlow.js graph model: a JSON topology and weights in shards beside it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """One operation. `inputs` are names of nodes, or "name:1" for a second output."""

    name: str
    op: str
    inputs: Sequence[str]
    attributes: Mapping[str, Any]

    def integers(self, attribute: str) -> list[int]:
        """A list of integers, such as `strides`."""
        return [int(value) for value in self.attributes[attribute]["list"].get("i", [])]

    def text(self, attribute: str) -> str:
        """A string, which the format keeps in base64."""
        return base64.b64decode(self.attributes[attribute]["s"]).decode("ascii")


@dataclass(frozen=True, kw_only=True, slots=True)
class Graph:
    """A graph and its constants. Constants stored as float16 are kept so."""

    nodes: Sequence[Node]
    constants: Mapping[str, NDArray[Any]]
    input_name: str
    input_shape: tuple[int, ...]
    outputs: Mapping[str, tuple[int, ...]]


def read_graph(path: Path) -> Graph:
    """Read the model at `path` (model.json); raises ValueError for what it cannot hold."""
    model = json.loads(path.read_text())
    nodes = [
        Node(
            name=node["name"],
            op=node["op"],
            inputs=node.get("input", ()),
            attributes=node.get("attr", {}),
        )
        for node in model["modelTopology"]["node"]
    ]
    ((input_name, input_shape),) = _shapes(model["signature"]["inputs"]).items()
    return Graph(
        nodes=nodes,
        constants=_constants(model["weightsManifest"], path.parent),
        input_name=input_name,
        input_shape=input_shape,
        outputs=_shapes(model["signature"]["outputs"]),
    )


def _shapes(signature: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {
        name.removesuffix(":0"): tuple(int(dim["size"]) for dim in spec["tensorShape"]["dim"])
        for name, spec in signature.items()
    }


def _constants(manifest: Sequence[Mapping[str, Any]], folder: Path) -> dict[str, NDArray[Any]]:
    constants = {}
    for group in manifest:
        content = b"".join((folder / shard).read_bytes() for shard in group["paths"])
        offset = 0
        for weight in group["weights"]:
            stored = weight.get("quantization", weight)["dtype"]
            if stored not in ("float16", "float32", "int32"):
                raise ValueError(f"weights of {weight['name']} are {stored}")
            dtype = np.dtype(stored).newbyteorder("<")
            count = int(np.prod(weight["shape"], dtype=np.int64))
            values = np.frombuffer(content, dtype, count, offset)
            constants[weight["name"]] = values.reshape(weight["shape"])
            offset += values.nbytes
        if offset != len(content):
            raise ValueError("the weights are longer than their manifest says")
    return constants
