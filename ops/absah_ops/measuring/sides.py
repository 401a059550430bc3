"""The ways a model is served: ONNX Runtime called directly, in this process, through Triton."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any, Protocol

from absah_ops.measuring.requests import Tensors
from absah_server.inference.local import LocalInference
from absah_server.inference.repository import StoredModel
from absah_server.inference.tuning import Plan

DIRECT_THREADS = 2
DEADLINE_SECONDS = 120.0


class Served(Protocol):
    """What `LocalInference` and `TritonInference` have in common."""

    async def start(self) -> None: ...
    async def infer(self, model: str, inputs: Any, *, deadline: float) -> Any: ...
    async def close(self) -> None: ...


class Direct:
    """A session as one opens it by hand, with 2 threads that do not spin, which is steadier."""

    def __init__(self, model: StoredModel, inputs: Tensors) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = DIRECT_THREADS
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            model.file, options, providers=["CPUExecutionProvider"]
        )
        self._outputs = [tensor.name for tensor in model.config.outputs]
        self._inputs = inputs

    def answer(self) -> Tensors:
        """Its outputs, by name."""
        made = self._session.run(self._outputs, self._inputs)
        return dict(zip(self._outputs, made, strict=True))

    def rate(self, callers: int, count: int) -> float:
        """Requests a second of so many threads at once, `count` in all."""
        with ThreadPoolExecutor(callers) as threads:
            # The threads exist before the clock starts.
            list(threads.map(lambda _: None, range(callers)))
            began = time.perf_counter()
            list(threads.map(lambda _: self.answer(), range(count)))
            return count / (time.perf_counter() - began)


class Sides:
    """Served models of one event loop, started one after another and closed together."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()

    def __enter__(self) -> Sides:
        self._runner.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        try:
            self._runner.run(self._stack.aclose())
        finally:
            self._runner.__exit__(*exception)

    def local(self, model: StoredModel, plan: Plan | None = None) -> Served:
        """The model in this process; None takes the plan that a server would take."""
        plans = {} if plan is None else {model.name: plan}
        return self._started(
            LocalInference(
                model.directory.parent,
                only=[model.name],
                pins={model.name: model.version},
                plans=plans,
            )
        )

    def triton(self, model: StoredModel, address: str, *, shared_memory: bool) -> Served:
        """The model through a Triton server, large tensors by shared memory or all by gRPC."""
        from absah_server.inference.triton.inference import TritonInference
        from absah_server.inference.triton.watching import Watching

        watching = (
            Watching(shared_memory_min_bytes=0)
            if shared_memory
            else Watching(shared_memory_bytes=0)
        )
        return self._started(
            TritonInference(
                model.directory.parent,
                addresses=[address],
                only=[model.name],
                pins={model.name: model.version},
                watching=watching,
            )
        )

    def answer(self, served: Served, model: str, inputs: Tensors) -> Tensors:
        """The outputs for one request, by name."""
        return dict(self._runner.run(_infer(served, model, inputs)))

    def rate(
        self, served: Served, model: str, inputs: Tensors, callers: int, count: int
    ) -> Callable[[], float]:
        """A round of `count` requests, by so many callers at once."""
        return lambda: self._runner.run(_rate(served, model, inputs, callers, count))

    def _started(self, served: Any) -> Served:
        self._stack.push_async_callback(served.close)
        self._runner.run(served.start())
        found: Served = served
        return found


async def _infer(served: Served, model: str, inputs: Tensors) -> Any:
    deadline = asyncio.get_running_loop().time() + DEADLINE_SECONDS
    return await served.infer(model, inputs, deadline=deadline)


async def _rate(served: Served, model: str, inputs: Tensors, callers: int, count: int) -> float:
    async def caller(turns: int) -> None:
        for _ in range(turns):
            await _infer(served, model, inputs)

    turns = [count // callers + (index < count % callers) for index in range(callers)]
    began = time.perf_counter()
    await asyncio.gather(*map(caller, turns))
    return count / (time.perf_counter() - began)


def round_size(rate: Callable[[int], float], *, seconds: float, callers: int) -> int:
    """How many requests fill a round of about so long: whole turns of all callers.

    `rate` measures with the number of requests it is given.
    """
    return callers * max(round(rate(max(callers // 4, 2)) * seconds / callers), 1)
