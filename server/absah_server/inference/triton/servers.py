"""Choose among Triton servers: of those that serve a model, the one with least to do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from pathlib import Path

from absah_sdk import InferenceFailed
from absah_server.core.errors import ModelInvalid
from absah_server.inference.repository import StoredModel
from absah_server.inference.triton.failures import Kind, ServerFailure
from absah_server.inference.triton.server import Key, Server, key_of
from absah_server.inference.triton.watching import Watch, Watching

log = logging.getLogger(__name__)

_START_PAUSE_SECONDS = 0.25


class Servers:
    """The servers of one repository, each with its watch."""

    def __init__(
        self,
        addresses: Sequence[str],
        models: Sequence[StoredModel],
        watching: Watching,
        *,
        tls_ca_file: Path | None = None,
    ) -> None:
        self._models = {key_of(model): model for model in models}
        self._background: set[Key] = set()
        self._changed = asyncio.Event()
        self._servers = [
            Server(address, changed=self._tell, tls_ca_file=tls_ca_file) for address in addresses
        ]
        self._watches = {
            server: Watch(server, self._models, watching, background=self._background)
            for server in self._servers
        }
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, timeout_seconds: float) -> None:
        """Look at every server, until one answers at least; then keep watching them all.

        Raises `InferenceFailed` where none does in time.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_seconds
        while True:
            await asyncio.gather(*(watch.look() for watch in self._watches.values()))
            if any(watch.reached for watch in self._watches.values()):
                break
            if loop.time() >= end:
                raise InferenceFailed(
                    f"no Triton server could be reached within {timeout_seconds:.0f} s: "
                    + "; ".join(f"{s.address}: {w.problem}" for s, w in self._watches.items())
                    + ". `absah triton serve` starts one."
                )
            await asyncio.sleep(_START_PAUSE_SECONDS)
        self._tasks = [loop.create_task(watch.run()) for watch in self._watches.values()]

    def contradiction(self, key: Key) -> ModelInvalid | None:
        """Why a model that no server serves cannot be served as the repository stands."""
        if key not in self.unserved():
            return None
        watches = self._watches.values()
        said = [watch.contradictions[key] for watch in watches if key in watch.contradictions]
        return said[0] if said else None

    def unserved(self) -> list[Key]:
        """The models that no server serves now, as far as is known."""
        return [key for key in self._models if not any(s.is_ready(key) for s in self._servers)]

    def why(self, key: Key) -> str:
        """What keeps each server from serving a model."""
        return "; ".join(f"{server.address} {server.problem(key)}" for server in self._servers)

    async def add(
        self, model: StoredModel, *, background: bool = False, anew: bool = False
    ) -> None:
        """Have a model served too, or in the foreground from now on; `anew` from its files.

        Raises `ModelInvalid` or `InferenceFailed`; all is as before then.
        """
        key = key_of(model)
        was_behind = key in self._background
        self._models[key] = model
        # It may be one whose process died in the background; who asks for it has it reloaded.
        self._background.discard(key)
        watches = self._watches.values()
        await asyncio.gather(*(watch.look_at(model, anew=anew) for watch in watches))
        problem = None
        if key in self.unserved():
            problem = self.contradiction(key) or InferenceFailed(self.why(key))
            if not was_behind:
                self.remove(key)
        if was_behind if problem else background:
            self.set_back(key)
        if problem:
            raise problem

    def set_back(self, key: Key) -> None:
        """A model is in the background from now on: for its sake nothing is reloaded."""
        self._background.add(key)

    def remove(self, key: Key) -> None:
        """Watch a model no more. It stays loaded: others may ask the same servers for it."""
        self._models.pop(key, None)
        self._background.discard(key)

    async def choose(
        self, model: StoredModel, *, avoid: Collection[Server], patience_seconds: float
    ) -> Server:
        """The server with the fewest requests in flight of those that serve the model.

        One of `avoid` is taken only where no other does. Waits up to `patience_seconds` for one
        to come back, then raises `InferenceFailed`.
        """
        end = asyncio.get_running_loop().time() + patience_seconds
        while True:
            changed = self._changed
            ready = [server for server in self._servers if server.is_ready(key_of(model))]
            if ready:
                return min(ready, key=lambda server: (server in avoid, server.in_flight))
            try:
                async with asyncio.timeout_at(end):
                    await changed.wait()
            except TimeoutError as exc:
                raise InferenceFailed(
                    f"no Triton server serves model {model.name!r} now: {self.why(key_of(model))}"
                ) from exc

    async def changed(self) -> None:
        """Wait until a server begins or ceases to serve a model."""
        await self._changed.wait()

    def report(self, model: StoredModel, failure: ServerFailure, server: Server) -> None:
        """A real request met this failure: look again at once, and choose another meanwhile.

        What a model in the background meets says nothing of the others.
        """
        watch, key = self._watches[server], key_of(model)
        said = f"{failure.kind.value}: {failure.said}"
        if failure.kind is Kind.LOST and key not in self._background:
            watch.lose(said)
        else:
            watch.doubt(key, said, broken=failure.kind is Kind.BROKEN)
        watch.wake()

    async def close(self) -> None:
        """Watch no longer, and hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(server.close() for server in self._servers))

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
