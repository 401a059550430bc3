"""One Triton server: what it serves, how it is asked, and what became of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import grpc
from tritonclient.grpc import aio
from tritonclient.utils import InferenceServerException

from absah_server.inference.portions import Tensors, item_shapes
from absah_server.inference.repository import StoredModel
from absah_server.inference.triton import failures, telemetry, tensors
from absah_server.inference.triton.failures import Kind, ServerFailure
from absah_server.inference.triton.shared_memory import Region, RegionPool

log = logging.getLogger(__name__)

_CHANNEL_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # A server that comes back is to be found within a second, not after gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # A host that vanished without a word is noticed by unanswered pings.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.use_local_subchannel_pool", 1),
]
_REMEMBERED_SHAPES = 256
NOT_ASKED_YET = "was not asked yet"

Key = tuple[str, str]
"""A model's name and version."""


def key_of(model: StoredModel) -> Key:
    """What the state of a model at a server is kept under."""
    return model.name, model.version


class Server:
    """A client of one server. `changed` is called whenever a model became ready or not.

    With `tls_ca_file`, PEM of certificate authorities, it is spoken to through TLS alone.
    """

    def __init__(
        self, address: str, *, changed: Callable[[], None], tls_ca_file: Path | None = None
    ) -> None:
        self.address = address
        self.in_flight = 0
        self.forgotten: list[str] = []
        """Regions of connections that broke, which it may still map."""
        self.client = aio.InferenceServerClient(
            address,
            ssl=tls_ca_file is not None,
            root_certificates=tls_ca_file,
            channel_args=_CHANNEL_OPTIONS,
        )
        self._changed = changed
        self._memory: RegionPool | None = None
        self._memory_min_bytes = 0
        self._problems: dict[Key, str] = {}
        self._answered: dict[Key, float] = {}
        self._sizes: OrderedDict[Any, dict[str, int]] = OrderedDict()

    def is_ready(self, key: Key) -> bool:
        """Whether it answered for this model when it was last asked."""
        return not self.problem(key)

    def problem(self, key: Key) -> str:
        """Why it does not serve this model; empty where it does."""
        return self._problems.get(key, NOT_ASKED_YET)

    def answered_at(self, key: Key) -> float:
        """The event loop time of its last answer for this model; 0 where there is none."""
        return self._answered.get(key, 0.0)

    def set_problem(self, key: Key, problem: str) -> None:
        """It does not serve this model, and why; empty where it does."""
        before = self.problem(key)
        self._problems[key] = problem
        if bool(before) == bool(problem):
            return
        log.log(
            logging.WARNING if problem else logging.INFO,
            "model not ready" if problem else "model ready",
            extra={"address": self.address, "model": "@".join(key), "problem": problem},
        )
        self._changed()

    def lose(self) -> None:
        """The connection broke, and with it what was shared."""
        if self._memory is not None:
            self.forgotten += self._memory.forget()
            self._memory = None

    async def infer(
        self, model: StoredModel, inputs: Tensors, *, timeout_seconds: float
    ) -> Tensors:
        """Run one batch; raises `ServerFailure`."""
        end = asyncio.get_running_loop().time() + timeout_seconds
        with self._counting():
            if self._memory is not None and self._is_large(inputs):
                with contextlib.suppress(_NotShared):
                    return await self._infer_shared(self._memory, model, inputs, end)
            return await self._infer_plain(model, inputs, end)

    async def infer_through(
        self, pool: RegionPool, model: StoredModel, inputs: Tensors, *, timeout_seconds: float
    ) -> Tensors | None:
        """Run one batch through a region of `pool`; None where that does not work.

        Raises `ServerFailure`.
        """
        end = asyncio.get_running_loop().time() + timeout_seconds
        with self._counting():
            try:
                return await self._infer_shared(pool, model, inputs, end)
            except _NotShared:
                return None

    def share(self, pool: RegionPool, min_bytes: int) -> None:
        """Send requests of `min_bytes` or more through shared memory from now on."""
        self._memory = pool
        self._memory_min_bytes = min_bytes
        log.info("shared memory", extra={"address": self.address})

    async def close(self) -> None:
        """Undo what was registered and hang up."""
        if self._memory is not None:
            await self._memory.close()
        await self.client.close()

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Turn the client's exceptions into `ServerFailure`."""
        try:
            yield
        except InferenceServerException as exc:
            raise failures.failure(self.address, exc) from exc
        except grpc.RpcError as exc:
            raise ServerFailure(kind=Kind.LOST, address=self.address, said=str(exc)) from exc

    @contextmanager
    def _counting(self) -> Iterator[None]:
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

    def _is_large(self, inputs: Tensors) -> bool:
        size = sum(array.nbytes for array in inputs.values())
        texts = any(array.dtype.hasobject for array in inputs.values())
        return size >= self._memory_min_bytes and not texts

    async def _infer_plain(self, model: StoredModel, inputs: Tensors, end: float) -> Tensors:
        with self.calling():
            response = await self._ask(
                model, tensors.inputs(model.config, inputs), tensors.outputs(model.config), end
            )
        answer = tensors.arrays(model.config, response)
        self._learn(model, inputs, answer)
        return answer

    async def _infer_shared(
        self, pool: RegionPool, model: StoredModel, inputs: Tensors, end: float
    ) -> Tensors:
        sizes = self._sizes.get(_shape_key(model, inputs), {})
        async with self._region(pool, tensors.needed(inputs, sizes)) as region:
            placed = tensors.Placement(model.config, inputs, sizes, region)
            response = await self._ask(model, placed.inputs, placed.outputs, end)
            answer = placed.arrays(response)
        self._learn(model, inputs, answer)
        return answer

    @asynccontextmanager
    async def _region(self, pool: RegionPool, size: int) -> AsyncIterator[Region]:
        """A region for one request; raises `_NotShared` where the request must go another way."""
        try:
            with self.calling():
                region = await pool.borrow(size)
        except ServerFailure as exc:
            log.info("shared memory refused", extra={"address": self.address, "error": exc.said})
            raise _NotShared from exc
        if region is None:
            raise _NotShared
        answered = False
        try:
            with self.calling():
                yield region
            answered = True
        except ServerFailure as exc:
            if exc.kind is not Kind.MEMORY:
                raise
            # The server was restarted, or an output is larger than it was for these shapes.
            self._sizes.clear()
            raise _NotShared from exc
        finally:
            if answered:
                pool.give_back(region)
            else:
                pool.retire(region)

    async def _ask(self, model: StoredModel, inputs: Any, outputs: Any, end: float) -> Any:
        now = asyncio.get_running_loop().time()
        response = await self.client.infer(
            model.name,
            inputs,
            model_version=model.version,
            outputs=outputs,
            client_timeout=max(end - now, 0.001),
            headers=telemetry.headers(),
        )
        self._answered[key_of(model)] = asyncio.get_running_loop().time()
        return response

    def _learn(self, model: StoredModel, inputs: Tensors, answer: Tensors) -> None:
        """Remember how large the outputs for inputs of these shapes are."""
        key = _shape_key(model, inputs)
        self._sizes[key] = {
            name: array.nbytes for name, array in answer.items() if not array.dtype.hasobject
        }
        self._sizes.move_to_end(key)
        if len(self._sizes) > _REMEMBERED_SHAPES:
            self._sizes.popitem(last=False)


class _NotShared(Exception):
    """The request cannot go through shared memory."""


def _shape_key(model: StoredModel, inputs: Tensors) -> Any:
    items = next(iter(inputs.values())).shape[:1] if model.config.max_batch_size else ()
    return model.name, model.version, items, item_shapes(model.config, inputs)
