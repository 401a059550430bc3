"""Tiny models, drawn with onnx.helper, and the repositories that hold them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from absah_server.inference.local import LocalInference

ENDLESS = 100_000_000
"""Turns that take `spin` a minute or so: far more than a test takes unless the run is stopped."""

Tensor = tuple[str, int, list[Any] | None]


def save_graph(
    file: Path, nodes: Iterable[onnx.NodeProto], inputs: list[Tensor], outputs: list[Tensor]
) -> None:
    """Write a model of these nodes; a tensor is (name, element type, shape)."""
    graph = helper.make_graph(
        list(nodes),
        "drawn",
        [helper.make_tensor_value_info(*tensor) for tensor in inputs],
        [helper.make_tensor_value_info(*tensor) for tensor in outputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    file.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, file)


def write_config(
    repository: Path,
    name: str,
    *,
    x: str = "TYPE_FP32",
    dims: str = "[ -1 ]",
    y: str | None = None,
    output_dims: str | None = None,
    max_batch_size: int = 8,
    more: str = "dynamic_batching { }",
) -> Path:
    """Write config.pbtxt of a model that takes `x` and answers `y`."""
    file = repository / name / "config.pbtxt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        f"""backend: "onnxruntime"
max_batch_size: {max_batch_size}
input [ {{ name: "x" data_type: {x} dims: {dims} }} ]
output [ {{ name: "y" data_type: {y or x} dims: {output_dims or dims} }} ]
{more}
"""
    )
    return file


def draw_double(
    repository: Path, name: str = "double", *, version: int = 1, factor: float = 2.0, **config: Any
) -> Path:
    """y = factor · x, for x of shape [items, any]."""
    file = repository / name / str(version) / "model.onnx"
    constant = helper.make_node(
        "Constant", [], ["factor"], value=helper.make_tensor("f", TensorProto.FLOAT, [1], [factor])
    )
    save_graph(
        file,
        [constant, helper.make_node("Mul", ["x", "factor"], ["y"])],
        [("x", TensorProto.FLOAT, ["items", "size"])],
        [("y", TensorProto.FLOAT, ["items", "size"])],
    )
    write_config(repository, name, **config)
    return file


def draw_lookup(repository: Path, name: str = "lookup", **config: Any) -> Path:
    """y = table[x], for indices x below 3: any other index fails the whole batch."""
    file = repository / name / "1" / "model.onnx"
    table = helper.make_tensor("t", TensorProto.FLOAT, [3], [10.0, 11.0, 12.0])
    save_graph(
        file,
        [
            helper.make_node("Constant", [], ["table"], value=table),
            helper.make_node("Gather", ["table", "x"], ["y"]),
        ],
        [("x", TensorProto.INT64, ["items", "size"])],
        [("y", TensorProto.FLOAT, ["items", "size"])],
    )
    write_config(repository, name, x="TYPE_INT64", y="TYPE_FP32", **config)
    return file


def draw_spin(repository: Path, name: str = "spin", **config: Any) -> Path:
    """y = x, after as many turns of a loop as the largest x says."""
    file = repository / name / "1" / "model.onnx"
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going_in"], ["going_out"]),
            helper.make_node("Identity", ["value_in"], ["value_out"]),
        ],
        "turn",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("going_in", TensorProto.BOOL, []),
            helper.make_tensor_value_info("value_in", TensorProto.INT64, ["items", 1]),
        ],
        [
            helper.make_tensor_value_info("going_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("value_out", TensorProto.INT64, ["items", 1]),
        ],
    )
    true = helper.make_tensor("true", TensorProto.BOOL, [], [True])
    save_graph(
        file,
        [
            helper.make_node("ReduceMax", ["x"], ["turns"], keepdims=0),
            helper.make_node("Constant", [], ["going"], value=true),
            helper.make_node("Loop", ["turns", "going", "x"], ["y"], body=body),
        ],
        [("x", TensorProto.INT64, ["items", 1])],
        [("y", TensorProto.INT64, ["items", 1])],
    )
    write_config(repository, name, x="TYPE_INT64", dims="[ 1 ]", **config)
    return file


def draw_first(repository: Path, name: str = "first", **config: Any) -> Path:
    """y = the first item of x alone: no model for batches, whatever its config says."""
    file = repository / name / "1" / "model.onnx"
    taken = helper.make_tensor("t", TensorProto.BOOL, [1], [True])
    save_graph(
        file,
        [
            helper.make_node("Constant", [], ["taken"], value=taken),
            helper.make_node("Compress", ["x", "taken"], ["y"], axis=0),
        ],
        [("x", TensorProto.FLOAT, ["items", "size"])],
        [("y", TensorProto.FLOAT, ["taken", "size"])],
    )
    write_config(repository, name, **config)
    return file


def floats(*rows: float, size: int = 1) -> dict[str, Any]:
    """Inputs of `double`: a row of `size` equal numbers for each number."""
    return {"x": np.repeat(np.array(rows, np.float32)[:, None], size, axis=1)}


def indices(*rows: int) -> dict[str, Any]:
    """Inputs of `lookup` and `spin`."""
    return {"x": np.array(rows, np.int64)[:, None]}


def soon(seconds: float = 60.0) -> float:
    """A deadline that a test does not reach."""
    return asyncio.get_running_loop().time() + seconds


@asynccontextmanager
async def serving(repository: Path, **settings: Any) -> AsyncIterator[LocalInference]:
    """Serve a repository with one execution at a time, unless told otherwise."""
    given = {"engine": "onnxruntime", "concurrent_runs": 1, **settings}
    inference = LocalInference(repository, **given)
    await inference.start()
    try:
        yield inference
    finally:
        await inference.close()


@asynccontextmanager
async def occupied(inference: LocalInference) -> AsyncIterator[None]:
    """Keep the only slot busy with an endless run, which leaving the block stops."""
    endless = asyncio.create_task(inference.infer("spin", indices(ENDLESS), deadline=soon()))
    await settled()
    try:
        yield
    finally:
        endless.cancel()
        await asyncio.wait([endless])


async def settled() -> None:
    """Let every task that can go on do so, up to its next wait."""
    for _ in range(10):
        await asyncio.sleep(0)
