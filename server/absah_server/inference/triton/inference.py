"""Serve a model repository from Triton servers: the port `Inference` over gRPC.

The local copy of the repository says what checkers see of the models (labels, parameters, digests)
and what requests must look like; the servers must serve the very same models, and are checked.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import types
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from absah_sdk import DeadlinePassed, InferenceFailed
from absah_sdk.checking import Array
from absah_server.core.admission import Admission
from absah_server.core.errors import ModelInvalid, ModelUnknown, ShuttingDown
from absah_server.core.submission import Priority
from absah_server.inference import invalid, portions
from absah_server.inference.engines import opening
from absah_server.inference.invalid import OnInvalid
from absah_server.inference.portions import Portion, Tensors
from absah_server.inference.repository import (
    StoredModel,
    read_model,
    read_repository,
    serving_version,
)
from absah_server.inference.statistics import ModelStatistics, Tally
from absah_server.inference.telemetry import Providers
from absah_server.inference.triton import failures
from absah_server.inference.triton.failures import ServerFailure
from absah_server.inference.triton.server import Key, Server, key_of
from absah_server.inference.triton.servers import Servers
from absah_server.inference.triton.telemetry import RequestTelemetry
from absah_server.inference.triton.watching import Watching

log = logging.getLogger(__name__)

_NO_PINS: Mapping[str, str] = types.MappingProxyType({})
_GLOBAL_PROVIDERS = Providers()
_CLOSING_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Served:
    model: StoredModel
    admission: Admission
    tally: Tally
    background: bool


class TritonInference:
    """Models of a repository, executed by the Triton servers at `addresses` ("host:port", gRPC).

    A model is asked for by its name, which means its highest version in the foreground, or as
    "name@version". Versions come and go while others serve; one in the background is asked one
    request at a time, each but once, and none of its problems counts. `pins` names the versions to
    serve instead of those that the repository says.

    `max_in_flight` bounds a model's requests at the servers, `max_queue_size` those that wait here
    for one of these places, where its config sets no bound itself. A request that a server lost is
    asked again, of another server where there is one; `patience_seconds` is how long it waits for
    one to come back. `start_seconds` is how long `start` waits for the first server.
    `tls_ca_file` holds the authorities of the servers' certificates, in PEM; without it nothing is
    encrypted.
    """

    def __init__(
        self,
        repository: Path,
        *,
        addresses: Sequence[str],
        only: Collection[str] | None = None,
        pins: Mapping[str, str] = _NO_PINS,
        tls_ca_file: Path | None = None,
        max_in_flight: int = 64,
        max_queue_size: int = 512,
        patience_seconds: float = 5.0,
        start_seconds: float = 30.0,
        watching: Watching | None = None,
        on_invalid: OnInvalid = OnInvalid.REFUSE,
        providers: Providers = _GLOBAL_PROVIDERS,
    ) -> None:
        self._repository = repository
        self._addresses = addresses
        self._only = only
        self._tls_ca_file = tls_ca_file
        self._pins = pins
        self._max_in_flight = max_in_flight
        self._max_queue_size = max_queue_size
        self._patience_seconds = patience_seconds
        self._start_seconds = start_seconds
        self._watching = watching or Watching()
        self._on_invalid = on_invalid
        self._telemetry = RequestTelemetry(providers)
        self._errors: tuple[ModelInvalid, ...] = ()
        self._servers: Servers | None = None
        self._served: dict[Key, _Served] = {}
        self._digests: dict[Key, str] = {}
        self._changing = asyncio.Lock()

    async def start(self) -> None:
        """Read the repository, reach a server and check that it serves the same models.

        Raises the first `ModelInvalid`, with the others as its notes, or keeps them in `errors`
        and serves the rest where `on_invalid` says so; `InferenceFailed` where no server answers.
        """
        reading = await asyncio.to_thread(
            read_repository, self._repository, self._only, self._pins, runs_here=False
        )
        reading = await asyncio.to_thread(opening.verified, reading, _verify)
        self._servers = Servers(
            self._addresses, reading.models, self._watching, tls_ca_file=self._tls_ca_file
        )
        await self._servers.start(self._start_seconds)
        found = {key_of(m): self._servers.contradiction(key_of(m)) for m in reading.models}
        errors = [*reading.errors, *(error for error in found.values() if error is not None)]
        self._errors = tuple(errors)
        invalid.settle(errors, self._on_invalid)
        for model in reading.models:
            if found[key_of(model)] is None:
                self._serve(model)
            else:
                self._servers.remove(key_of(model))

    async def load(
        self, model: str, version: str | None = None, *, background: bool = False
    ) -> StoredModel:
        """Have a version served, None for the one that the repository says, while all others are.

        What is served already only moves between background and foreground. Raises `ModelUnknown`
        where the repository holds no such version, `ModelInvalid`, or `InferenceFailed` where no
        server can be asked.
        """
        assert self._servers is not None
        directory = self._repository / model
        async with self._changing:
            stored = await asyncio.to_thread(_read, directory, version or self._pins.get(model))
            key = key_of(stored)
            served = self._served.get(key)
            if served is None:
                # Unloaded here, it stayed in Triton: by the files that it had then.
                anew = self._digests.get(key, stored.digest) != stored.digest
                await self._servers.add(stored, background=background, anew=anew)
                self._serve(stored, background=background)
            elif background and not served.background:
                self._servers.set_back(key)
                self._serve(served.model, background=True)
            elif served.background and not background:
                await self._servers.add(served.model)
                self._serve(served.model)
            self._errors = tuple(error for error in self._errors if error.model != model)
        return self._served[key].model

    async def unload(self, model: str, version: str) -> None:
        """Serve a version no more, once what it was asked is answered; raises `ModelUnknown`.

        It stays loaded in Triton: other servers of this platform may still ask for it.
        """
        assert self._servers is not None
        async with self._changing:
            served = self._served.pop((model, version), None)
        if served is None:
            raise ModelUnknown(model=f"{model}@{version}")
        await served.admission.drained()
        if (model, version) not in self._served:  # nor loaded again meanwhile
            self._servers.remove((model, version))
        log.info("model unloaded", extra={"model": model, "version": version})

    def models(self) -> Mapping[str, StoredModel]:
        """The highest version of each model that is in the foreground, by name."""
        ahead = (key for key, each in self._served.items() if not each.background)
        highest = sorted(ahead, key=lambda key: int(key[1]))
        return {key[0]: self._served[key].model for key in highest}

    def versions(self) -> Mapping[Key, StoredModel]:
        """Every version that is served, by (name, version)."""
        return {key: served.model for key, served in self._served.items()}

    @property
    def errors(self) -> Sequence[ModelInvalid]:
        """What is wrong with the models that are not served, or not at the moment.

        It is what the watches found last: at most `watching.interval_seconds` ago.
        """
        return (*self._errors, *(self._absence(key) for key in self._unserved()))

    @property
    def available(self) -> bool:
        """Whether any model is served by any server."""
        return len(self._unserved()) < len(self._served)

    async def changed(self) -> None:
        """Wait until a server begins or ceases to serve a model."""
        assert self._servers is not None
        await self._servers.changed()

    def _unserved(self) -> list[Key]:
        """The models in the foreground that no server serves now."""
        unserved = () if self._servers is None else self._servers.unserved()
        return [key for key in unserved if key in self._served and not self._served[key].background]

    def _absence(self, key: Key) -> ModelInvalid:
        assert self._servers is not None
        model = self._served[key].model
        return ModelInvalid(
            model=model.name,
            file=str(model.file),
            problem=f"is served by no Triton server now: {self._servers.why(key)}",
        )

    def statistics(self) -> Sequence[ModelStatistics]:
        """What was asked of every model; its batches are for Triton's own statistics to tell."""
        return tuple(
            served.tally.snapshot(
                model=served.model.name,
                version=served.model.version,
                engine="triton",
                instances=served.model.config.instances or 1,
                queued=served.admission.waiting,
                running=served.admission.running,
            )
            for served in self._served.values()
        )

    async def infer(
        self, model: str, inputs: Mapping[str, Array], *, deadline: float
    ) -> Mapping[str, Array]:
        """Run one batch; see `core.ports.Inference.infer`.

        The arrays must not be written to before this returns. Outputs may be read-only.
        """
        served = self._asked_for(model)
        if served is None:
            raise ModelUnknown(model=model)
        with served.tally.request():
            cut = portions.cut(served.model.config, inputs)
            if deadline <= asyncio.get_running_loop().time():
                raise _too_late(served.model)
            try:
                async with asyncio.timeout_at(deadline):
                    return await self._answer(served, cut, deadline)
            except TimeoutError as exc:
                raise _too_late(served.model) from exc

    async def close(self) -> None:
        """Fail what waits, finish what is running and hang up."""
        served = tuple(self._served.values())
        self._served.clear()
        for each in served:
            each.admission.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING_SECONDS):
                await asyncio.gather(*(each.admission.drained() for each in served))
        if self._servers is not None:
            await self._servers.close()

    def _asked_for(self, address: str) -> _Served | None:
        model, _, version = address.partition("@")
        if not version and (highest := self.models().get(model)):
            version = highest.version
        return self._served.get((model, version))

    def _serve(self, model: StoredModel, *, background: bool = False) -> None:
        self._digests[key_of(model)] = model.digest
        self._served[key_of(model)] = _Served(
            model=model,
            admission=Admission(
                max_running=1 if background else self._max_in_flight,
                max_waiting=model.config.max_queue_size or self._max_queue_size,
            ),
            tally=Tally(),
            background=background,
        )

    async def _answer(self, served: _Served, cut: list[Portion], deadline: float) -> Tensors:
        if len(cut) == 1:
            return await self._place(served, cut[0], deadline)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._place(served, p, deadline)) for p in cut]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        # The parts may be large, and copying them here would hold up every other request.
        return await asyncio.to_thread(portions.join, [task.result() for task in tasks])

    async def _place(self, served: _Served, portion: Portion, deadline: float) -> Tensors:
        try:
            async with served.admission.place(Priority.NORMAL, deadline=deadline):
                return await self._ask(served, portion, deadline)
        except ShuttingDown as exc:
            raise InferenceFailed(f"model {served.model.name!r} is being unloaded") from exc

    async def _ask(self, served: _Served, portion: Portion, deadline: float) -> Tensors:
        """Ask one server, and others where that one failed by no fault of the request."""
        assert self._servers is not None
        model = served.model
        loop = asyncio.get_running_loop()
        tried: list[Server] = []
        while True:
            server = await self._servers.choose(
                model, avoid=tried, patience_seconds=self._patience_seconds
            )
            began = loop.time()
            try:
                with self._telemetry.request(model, server.address):
                    outputs = await server.infer(
                        model, portion.tensors, timeout_seconds=deadline - began
                    )
            except ServerFailure as exc:
                tried.append(server)
                if exc.kind.attempts > 1:
                    self._servers.report(model, exc, server)
                if served.background or len(tried) >= exc.kind.attempts:
                    raise failures.inference_error(
                        exc, model, retry_after_seconds=served.admission.retry_after_seconds()
                    ) from exc
                log.info("inference asked again", extra={"model": model.name, "error": str(exc)})
            else:
                served.tally.executed(items=portion.items, seconds=loop.time() - began)
                return outputs


def _read(directory: Path, version: str | None) -> StoredModel:
    if not (directory / (version or "")).is_dir():
        raise ModelUnknown(model=f"{directory.name}@{version}" if version else directory.name)
    version = version or serving_version(directory, runs_here=False)
    (stored,) = read_model(directory, versions=(version,), runs_here=False)
    _verify(stored)
    return stored


def _verify(model: StoredModel) -> None:
    """Compare graph and config here, since not every server does; plans only servers can read."""
    if model.file.suffix == ".onnx":
        opening.verify_graph(model)


def _too_late(model: StoredModel) -> DeadlinePassed:
    return DeadlinePassed(f"no time left for model {model.name!r}")
