"""Watch one Triton server: is it there, is each model the repository's, and does it really answer?

What a server says of its own health is not enough: a model whose process was killed is still
called ready. So each model is asked with a small request of its own, unless the latest real one
was answered a moment ago.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from absah_server.core.errors import ModelInvalid
from absah_server.inference import warmup
from absah_server.inference.portions import Tensors
from absah_server.inference.repository import StoredModel
from absah_server.inference.triton import agreement, loading
from absah_server.inference.triton.failures import Kind, ServerFailure
from absah_server.inference.triton.sampling import sample
from absah_server.inference.triton.server import NOT_ASKED_YET, Key, Server, key_of
from absah_server.inference.triton.shared_memory import RegionPool

log = logging.getLogger(__name__)

_CALL_SECONDS = 5.0
_LOST_INTERVAL_SECONDS = 0.25


@dataclass(frozen=True, kw_only=True, slots=True)
class Watching:
    """How a server is watched.

    `interval_seconds` is the pause between two looks, `probe_seconds` how long a model may take
    for its small request, `load_seconds` how long it may take to load.
    `shared_memory_bytes` 0 sends everything by gRPC, as are requests smaller than
    `shared_memory_min_bytes`.
    """

    interval_seconds: float = 5.0
    probe_seconds: float = 10.0
    load_seconds: float = 300.0
    shared_memory_bytes: int = 256 << 20
    shared_memory_min_bytes: int = 128 << 10


class Watch:
    """Looks at a server from time to time, and at once when `wake` is called.

    `models` is read at every look: models come and go. Those in `background` are not reloaded.
    """

    def __init__(
        self,
        server: Server,
        models: Mapping[Key, StoredModel],
        watching: Watching,
        *,
        background: Collection[Key],
    ) -> None:
        self._server = server
        self._models = models
        self._background = background
        self._watching = watching
        self._woken = asyncio.Event()
        self._verified: set[Key] = set()
        self._broken: set[Key] = set()
        self._memory_tried = False
        self.reached = False
        """Whether the server answered at the latest look."""
        self.problem = NOT_ASKED_YET
        """Why it did not."""
        self.contradictions: dict[Key, ModelInvalid] = {}
        """The models that the server cannot serve or serves otherwise than the repository says."""

    def wake(self) -> None:
        """Look now: something went wrong."""
        self._woken.set()

    async def run(self) -> None:
        """Look again and again; ends by being cancelled."""
        while True:
            pause = self._watching.interval_seconds if self.reached else _LOST_INTERVAL_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()
            self._woken.clear()
            try:
                await self.look()
            except Exception:
                # A mistake of ours must not end the watch, or the server would never come back.
                log.exception("server not looked at", extra={"address": self._server.address})

    async def look(self) -> None:
        """Find out what the server serves; raises nothing."""
        try:
            with self._server.calling():
                # Live, not ready: one model that cannot be loaded may make it unready for all.
                self.reached = await self._server.client.is_server_live(
                    client_timeout=_CALL_SECONDS
                )
        except ServerFailure as exc:
            self.lose(f"{exc.kind.value}: {exc.said}")
            return
        if not self.reached:
            self.lose("is starting or stopping")
            return
        for model in tuple(self._models.values()):
            await self.look_at(model)
        await self._try_memory()

    def lose(self, problem: str) -> None:
        """The connection broke: nothing that was found out of the server holds any more."""
        self.reached = False
        self.problem = problem
        self._verified.clear()
        self._broken.clear()
        self._memory_tried = False
        for key in self._models:
            self._server.set_problem(key, problem)
        self._server.lose()

    def doubt(self, key: Key, problem: str, *, broken: bool) -> None:
        """A request for a model failed, by no fault of its own; `broken` asks for a reload."""
        self._verified.discard(key)
        self._server.set_problem(key, problem)
        if broken:
            self._broken.add(key)

    async def look_at(self, model: StoredModel, *, anew: bool = False) -> None:
        """Find out whether the server serves this model, `anew` from its files; raises nothing."""
        key = key_of(model)
        if self._answers_by_itself(model) and not anew:
            return
        try:
            if anew:
                await self._load_anew(model)
            elif key in self._broken and key not in self._background:
                await self._reload(model)
            if key not in self._verified:
                await self._verify(model)
            await self._probe(model)
        except ModelInvalid as exc:
            self.contradictions[key] = exc
            self._server.set_problem(key, str(exc))
        except ServerFailure as exc:
            self.doubt(key, f"{exc.kind.value}: {exc.said}", broken=exc.kind is Kind.BROKEN)
        else:
            self.contradictions.pop(key, None)
            self._server.set_problem(key, "")

    def _answers_by_itself(self, model: StoredModel) -> bool:
        """Under load the next answer tells as much as a probe that would have to queue."""
        age = asyncio.get_running_loop().time() - self._server.answered_at(key_of(model))
        return self._server.is_ready(key_of(model)) and age < self._watching.interval_seconds

    async def _verify(self, model: StoredModel) -> None:
        """Let it be loaded where it is not, and compare what it is with the repository."""
        try:
            remote = await loading.remote_config(self._server, model)
        except ServerFailure as exc:
            if exc.kind is not Kind.MISSING:
                raise
            remote = await loading.load(
                self._server, model, timeout_seconds=self._watching.load_seconds
            )
        agreement.check(model, remote, self._server.address)
        self._verified.add(key_of(model))

    async def _probe(self, model: StoredModel) -> None:
        """Ask for the smallest answer there is.

        A model may take no such request. Then one of its config's samples is asked; without any
        it is enough that the model said no.
        """
        try:
            await self._infer(model, sample(model))
        except ServerFailure as exc:
            if exc.kind not in (Kind.REFUSED, Kind.FAILED):
                raise
            if model.config.warm_ups:
                await self._infer(model, next(warmup.samples(model)).inputs)

    async def _infer(self, model: StoredModel, inputs: Tensors) -> Tensors:
        seconds = self._watching.probe_seconds
        return await self._server.infer(model, inputs, timeout_seconds=seconds)

    async def _reload(self, model: StoredModel) -> None:
        """A process that ran the model is gone, and only a new load starts another.

        A server that lets no client load has to be restarted by its operator; until then its
        other processes for the model, if any, go on.
        """
        log.warning("model reloads", extra={"address": self._server.address, "model": model.name})
        try:
            await self._load_anew(model)
        except ServerFailure as exc:
            log.warning(
                "model not reloaded",
                extra={"address": self._server.address, "model": model.name, "error": exc.said},
            )

    async def _load_anew(self, model: StoredModel) -> None:
        self._broken.discard(key_of(model))
        self._verified.discard(key_of(model))
        await loading.reload(self._server, model, timeout_seconds=self._watching.load_seconds)

    async def _try_memory(self) -> None:
        """Once a connection: an address tells little of whether the server shares our memory."""
        ready = [m for key, m in self._models.items() if self._server.is_ready(key)]
        if self._memory_tried or not ready or not self._watching.shared_memory_bytes:
            return
        self._memory_tried = True
        pool = RegionPool(self._server.client, max_bytes=self._watching.shared_memory_bytes)
        try:
            shared = await self._shares(pool, ready)
        except ServerFailure as exc:
            log.info("no shared memory", extra={"address": self._server.address, "error": exc.said})
            shared = False
        if shared:
            self._server.share(pool, self._watching.shared_memory_min_bytes)
        else:
            await pool.close()

    async def _shares(self, pool: RegionPool, ready: Sequence[StoredModel]) -> bool:
        """Whether a model's answer, written by the server into a region, is to be read in it."""
        model = next((model for model in ready if _has_numbers_alone(model)), None)
        if model is None:
            return False
        inputs = sample(model)
        expected = await self._infer(model, inputs)
        with self._server.calling():
            await pool.unregister_left_behind(self._server.forgotten)
        self._server.forgotten.clear()
        got = await self._server.infer_through(
            pool, model, inputs, timeout_seconds=self._watching.probe_seconds
        )
        return got is not None and all(
            np.allclose(got[name], expected[name], equal_nan=True) for name in expected
        )


def _has_numbers_alone(model: StoredModel) -> bool:
    config = model.config
    return all(not spec.dtype.hasobject for spec in (*config.inputs, *config.outputs))
