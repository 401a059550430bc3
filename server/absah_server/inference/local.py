"""Serve a model repository inside this process: the port `Inference` without a server beside it."""

from __future__ import annotations

import asyncio
import logging
import types
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from absah_sdk.checking import Array
from absah_server.core.errors import ModelInvalid, ModelUnknown
from absah_server.inference import invalid, planning, signature, warmup
from absah_server.inference.batching import BatchingQueue
from absah_server.inference.config import ModelConfig
from absah_server.inference.engines import Engine, EngineName
from absah_server.inference.engines.opening import open_engine
from absah_server.inference.invalid import OnInvalid
from absah_server.inference.planning import Choice
from absah_server.inference.processors import available_processors
from absah_server.inference.repository import (
    StoredModel,
    read_model,
    read_repository,
    serving_version,
    versions_of,
)
from absah_server.inference.scheduling import Scheduler
from absah_server.inference.statistics import ModelStatistics
from absah_server.inference.telemetry import Providers
from absah_server.inference.tuning import Plan
from absah_server.inference.waiting import BatchRules

log = logging.getLogger(__name__)

_GLOBAL_PROVIDERS = Providers()
_BACKGROUND_NICENESS = 19
"""Of the thread that runs versions loaded in the background: the least of the processor."""
_NO_PINS: Mapping[str, str] = types.MappingProxyType({})
_NO_PLANS: Mapping[str, Plan] = types.MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Opened:
    model: StoredModel
    engine: Engine
    plan: Plan


@dataclass(frozen=True, kw_only=True, slots=True)
class _Served:
    opened: _Opened
    queue: BatchingQueue
    scheduler: Scheduler


class LocalInference:
    """Models of a repository, executed in threads of this process and batched across requests.

    A model is asked for by its name, which means its highest version in the foreground, or as
    "name@version". Versions are loaded and unloaded while others serve; one that is loaded in the
    background takes none of the slots, and of the processor what others leave. `pins` names the
    versions to load instead of those that the repository says. `concurrent_runs` bounds the
    executions of all models together (default: one a processor). Engine, executions and threads
    of a model are those that `planning` chooses, unless `plans` has one for it by name.
    `max_queue_size` bounds the waiting units of a model whose config sets no bound
    itself.
    """

    def __init__(
        self,
        repository: Path,
        *,
        engine: EngineName | str = EngineName.AUTO,
        only: Collection[str] | None = None,
        pins: Mapping[str, str] = _NO_PINS,
        concurrent_runs: int | None = None,
        threads_per_run: int | None = None,
        plans: Mapping[str, Plan] = _NO_PLANS,
        max_queue_size: int = 512,
        on_invalid: OnInvalid = OnInvalid.REFUSE,
        providers: Providers = _GLOBAL_PROVIDERS,
    ) -> None:
        self._repository = repository
        self._engine = EngineName(engine)
        self._only = only
        self._pins = pins
        self._concurrent_runs = concurrent_runs or available_processors()
        self._threads_per_run = threads_per_run
        self._plans = plans
        self._max_queue_size = max_queue_size
        self._on_invalid = on_invalid
        self._providers = providers
        self._errors: tuple[ModelInvalid, ...] = ()
        self._scheduler: Scheduler | None = None
        self._background: Scheduler | None = None
        self._served: dict[tuple[str, str], _Served] = {}
        self._changing = asyncio.Lock()

    async def start(self) -> None:
        """Read, open, check and warm up every model.

        Raises the first `ModelInvalid`, with the others as its notes, or keeps them in `errors`
        and serves the rest where `on_invalid` says so.
        """
        reading = await asyncio.to_thread(read_repository, self._repository, self._only, self._pins)
        opened: list[_Opened] = []
        errors = list(reading.errors)
        # One after another: opening takes a model's size in memory twice, warm-up once more.
        for model in reading.models:
            try:
                opened.append(await asyncio.to_thread(self._open, model))
            except ModelInvalid as exc:
                errors.append(exc)
        self._errors = tuple(errors)
        invalid.settle(errors, self._on_invalid)
        self._scheduler = Scheduler(slots=self._concurrent_runs)
        self._background = Scheduler(slots=1, niceness=_BACKGROUND_NICENESS)
        for each in opened:
            self._serve(each, self._scheduler)

    async def load(
        self, model: str, version: str | None = None, *, background: bool = False
    ) -> StoredModel:
        """Load a version, None for the one that the repository says, while all others serve.

        Loading what is loaded only moves it between background and foreground. Raises
        `ModelUnknown` where the repository holds no such version, or `ModelInvalid`.
        """
        async with self._changing:
            scheduler = self._background if background else self._scheduler
            assert scheduler is not None
            directory = self._repository / model
            version = version or self._pins.get(model)
            if version is None:
                version = await asyncio.to_thread(_serving_version, directory)
            served = self._served.get((model, version))
            if served is not None and served.scheduler is scheduler:
                return served.opened.model
            # Opened anew for another place, since one in the background has a single thread.
            opened = await asyncio.to_thread(
                self._read_and_open, directory, version, background=background
            )
            self._serve(opened, scheduler)
            self._errors = tuple(error for error in self._errors if error.model != model)
        if served is not None:
            await _retire(served)
        return opened.model

    async def unload(self, model: str, version: str) -> None:
        """Take a version out of service and let go of it when what it was asked is answered.

        Raises `ModelUnknown` where it is not loaded.
        """
        async with self._changing:
            served = self._served.pop((model, version), None)
        if served is None:
            raise ModelUnknown(model=f"{model}@{version}")
        await _retire(served)
        log.info("model unloaded", extra={"model": model, "version": version})

    def versions(self) -> Mapping[tuple[str, str], StoredModel]:
        """Every loaded version, by (name, version)."""
        return {key: served.opened.model for key, served in self._served.items()}

    def models(self) -> Mapping[str, StoredModel]:
        """The highest version of each model that is loaded in the foreground, by name."""
        ahead = (key for key, each in self._served.items() if not self._is_behind(each))
        highest = sorted(ahead, key=lambda key: int(key[1]))
        return {key[0]: self._served[key].opened.model for key in highest}

    @property
    def errors(self) -> Sequence[ModelInvalid]:
        """What was wrong with the models that were not loaded at start, nor since."""
        return self._errors

    def statistics(self) -> Sequence[ModelStatistics]:
        """What every loaded version of every model did so far."""
        return tuple(served.queue.statistics() for served in self._served.values())

    async def infer(
        self, model: str, inputs: Mapping[str, Array], *, deadline: float
    ) -> Mapping[str, Array]:
        """Run one batch; see `core.ports.Inference.infer`.

        The arrays must not be written to before this returns. Outputs may be views into memory
        shared with other callers' outputs (never the same elements).
        """
        served = self._asked_for(model)
        if served is None:
            raise ModelUnknown(model=model)
        return await served.queue.infer(inputs, deadline=deadline)

    def _asked_for(self, address: str) -> _Served | None:
        model, _, version = address.partition("@")
        if version:
            return self._served.get((model, version))
        versions = [
            key
            for key, each in self._served.items()
            if key[0] == model and not self._is_behind(each)
        ]
        return self._served[max(versions, key=lambda key: int(key[1]))] if versions else None

    def _is_behind(self, served: _Served) -> bool:
        return served.scheduler is self._background

    async def close(self) -> None:
        """Fail what waits, finish what is running and let go of the models."""
        for served in self._served.values():
            served.queue.close()
        for scheduler in (self._scheduler, self._background):
            if scheduler is not None:
                await scheduler.close()
        self._served.clear()

    def _read_and_open(self, directory: Path, version: str, *, background: bool) -> _Opened:
        if version not in versions_of(directory):
            raise ModelUnknown(model=f"{directory.name}@{version}")
        (stored,) = read_model(directory, versions=(version,))
        return self._open(stored, background=background)

    def _open(self, model: StoredModel, *, background: bool = False) -> _Opened:
        choice = self._choose(model)
        if background:
            choice = replace(choice, plan=replace(choice.plan, runs=1, threads=1))
        engine = open_engine(model, choice)
        signature.check(model, engine.signature())
        warmup.warm_up(model, engine)
        log.info(
            "model loaded",
            extra={
                "model": model.name,
                "version": model.version,
                "engine": engine.name,
                "runs": choice.plan.runs,
                "threads": choice.plan.threads,
                "joins": choice.plan.joins,
                "why": choice.why,
            },
        )
        return _Opened(model=model, engine=engine, plan=choice.plan)

    def _choose(self, model: StoredModel) -> Choice:
        plan = self._plans.get(model.name)
        if plan is not None:
            return Choice(plan=plan, why="the caller", stated=True)
        return planning.choose(
            model,
            engine=self._engine,
            concurrent_runs=self._concurrent_runs,
            threads_per_run=self._threads_per_run,
        )

    def _serve(self, opened: _Opened, scheduler: Scheduler) -> None:
        model = opened.model
        queue = BatchingQueue(
            model,
            opened.engine,
            scheduler,
            rules=_rules(model.config, joins=opened.plan.joins),
            instances=opened.plan.runs,
            max_queue_size=model.config.max_queue_size or self._max_queue_size,
            providers=self._providers,
        )
        scheduler.attach(queue)
        self._served[model.name, model.version] = _Served(
            opened=opened, queue=queue, scheduler=scheduler
        )


def _serving_version(directory: Path) -> str:
    if not directory.is_dir():
        raise ModelUnknown(model=directory.name)
    return serving_version(directory)


async def _retire(served: _Served) -> None:
    """Let the queue answer what it was asked, then let go of it."""
    await served.queue.drained()
    served.queue.close()
    served.scheduler.detach(served.queue)


def _rules(config: ModelConfig, *, joins: bool) -> BatchRules:
    batching = config.batching
    max_items = max(config.max_batch_size, 1)
    if batching is None or not joins:
        return BatchRules(max_items=max_items, joins=False)
    return BatchRules(
        max_items=max_items,
        joins=True,
        preferred_sizes=batching.preferred_sizes,
        queue_delay_seconds=batching.queue_delay_seconds,
    )
