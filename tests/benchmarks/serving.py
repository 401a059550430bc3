"""Models served in the process to many callers, against sessions that are called one by one."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnxruntime
from measuring import Figure, alternate

from absah_sdk.checking import Array
from absah_server.inference.local import LocalInference
from absah_server.settings import model_repository

CLIENTS = 16
THREADS = 2
ROUND_SECONDS = 1.5
"""Of the sessions that are called one by one; both sides do as many requests as fit in it."""


def serving_local_vs_onnxruntime() -> Figure:
    lines = np.random.default_rng(0).integers(0, 256, (1, 48, 320, 3), np.uint8)
    figure = _compare("ocr_recognition", {"pixels": lines}, at_least=1.3)
    return Figure(
        name="serving_local_vs_onnxruntime",
        ours=figure.ours,
        theirs=figure.theirs,
        unit=figure.unit,
        at_least=figure.at_least,
        note=figure.note,
    )


def serving_local_vs_onnxruntime_ocr_detection() -> Figure:
    page = np.random.default_rng(0).integers(0, 256, (1, 640, 480, 3), np.uint8)
    return _compare("ocr_detection", {"pixels": page})


def serving_local_vs_onnxruntime_objects_nanodet() -> Figure:
    photo = np.random.default_rng(0).random((1, 3, 320, 448), np.float32)
    return _compare("objects_nanodet", {"images": photo})


def serving_local_vs_onnxruntime_entities_ner() -> Figure:
    pieces = np.random.default_rng(0).integers(5, 1000, (1, 64))
    return _compare("entities_ner", {"input_ids": pieces, "attention_mask": np.ones_like(pieces)})


def _compare(model: str, inputs: Mapping[str, Array], *, at_least: float = 1.0) -> Figure:
    direct = _session(model)
    count = _requests_of_a_round(direct, inputs)
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        (Path(folder) / model).symlink_to(model_repository() / model)
        local = LocalInference(Path(folder))
        runner.run(local.start())
        rates = alternate(
            lambda: runner.run(_requests_a_second(local, model, inputs, count)),
            lambda: _calls_a_second(direct, inputs, count),
        )
        runner.run(local.close())
    return Figure(
        name=f"serving_local_vs_onnxruntime_{model}",
        ours=rates[0],
        theirs=rates[1],
        unit="requests/s",
        at_least=at_least,
        note=f"{model}, {CLIENTS} callers at once; an ONNX Runtime session of {THREADS} threads, "
        "called one by one",
    )


def _session(model: str) -> Callable[[Mapping[str, Array]], object]:
    """A session as one opens it by hand, but that its threads do not spin, which is steadier."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    version = max((model_repository() / model).glob("[0-9]*"), key=lambda v: int(v.name))
    session = onnxruntime.InferenceSession(
        version / "model.onnx", options, providers=["CPUExecutionProvider"]
    )
    return lambda inputs: session.run(None, dict(inputs))


def _requests_of_a_round(
    call: Callable[[Mapping[str, Array]], object], inputs: Mapping[str, Array]
) -> int:
    """How many requests fill a round, a whole number for each client."""
    call(inputs)
    rate = _calls_a_second(call, inputs, 3)
    return CLIENTS * max(round(rate * ROUND_SECONDS / CLIENTS), 1)


def _calls_a_second(
    call: Callable[[Mapping[str, Array]], object], inputs: Mapping[str, Array], count: int
) -> float:
    began = time.perf_counter()
    for _ in range(count):
        call(inputs)
    return count / (time.perf_counter() - began)


async def _requests_a_second(
    local: LocalInference, model: str, inputs: Mapping[str, Array], count: int
) -> float:
    async def client() -> None:
        for _ in range(count // CLIENTS):
            await local.infer(model, inputs, deadline=loop.time() + 60)

    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return count / (time.perf_counter() - began)
