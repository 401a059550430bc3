"""Serve a model repository inside this process: the port `Inference` without a server beside it."""

from __future__ import annotations

import asyncio
import enum
import logging
import types
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from absah_sdk.checking import Array
from absah_server.core.errors import ModelInvalid, ModelUnknown
from absah_server.inference import signature, warmup
from absah_server.inference.batching import BatchingQueue
from absah_server.inference.config import ModelConfig
from absah_server.inference.engines import Engine, EngineName
from absah_server.inference.engines.opening import open_engine
from absah_server.inference.processors import available_processors
from absah_server.inference.repository import StoredModel, read_repository
from absah_server.inference.scheduling import Scheduler
from absah_server.inference.statistics import ModelStatistics
from absah_server.inference.telemetry import Providers
from absah_server.inference.waiting import BatchRules

log = logging.getLogger(__name__)

_GLOBAL_PROVIDERS = Providers()


class OnInvalid(enum.StrEnum):
    """What to do at start when a model of the repository cannot be served."""

    REFUSE = "refuse"
    """Do not start."""
    SERVE_OTHERS = "serve_others"
    """Start with the others; `LocalInference.errors` says what is wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Opened:
    model: StoredModel
    engine: Engine


class LocalInference:
    """Models of a repository, executed in threads of this process and batched across requests.

    A model is asked for by its name, which means its highest loaded version, or as
    "name@version". `concurrent_runs` bounds the executions of all models together (default: one
    a processor), `threads_per_run` the threads of each: with requests enough to go round, many
    executions of one thread get more done than few of many. `max_queue_size` bounds the waiting
    units of a model whose config sets no bound itself.
    """

    def __init__(
        self,
        repository: Path,
        *,
        engine: EngineName | str = EngineName.AUTO,
        only: Collection[str] | None = None,
        concurrent_runs: int | None = None,
        threads_per_run: int = 1,
        max_queue_size: int = 512,
        on_invalid: OnInvalid = OnInvalid.REFUSE,
        providers: Providers = _GLOBAL_PROVIDERS,
    ) -> None:
        self._repository = repository
        self._engine = EngineName(engine)
        self._only = only
        self._concurrent_runs = concurrent_runs or available_processors()
        self._threads_per_run = threads_per_run
        self._max_queue_size = max_queue_size
        self._on_invalid = on_invalid
        self._providers = providers
        self._errors: tuple[ModelInvalid, ...] = ()
        self._scheduler: Scheduler | None = None
        self._latest: dict[str, BatchingQueue] = {}
        self._versions: dict[str, BatchingQueue] = {}

    async def start(self) -> None:
        """Read, open, check and warm up every model.

        Raises the first `ModelInvalid`, with the others as its notes, or keeps them in `errors`
        and serves the rest where `on_invalid` says so.
        """
        reading = await asyncio.to_thread(read_repository, self._repository, self._only)
        opened: list[_Opened] = []
        errors = list(reading.errors)
        # One after another: opening takes a model's size in memory twice, warm-up once more.
        for model in reading.models:
            try:
                opened.append(await asyncio.to_thread(self._open, model))
            except ModelInvalid as exc:
                errors.append(exc)
        self._errors = tuple(errors)
        for error in errors:
            log.error("model invalid", extra={"model": error.model, "error": str(error)})
        if errors and self._on_invalid is OnInvalid.REFUSE:
            for other in errors[1:]:
                errors[0].add_note(str(other))
            raise errors[0]
        self._scheduler = Scheduler(slots=self._concurrent_runs)
        for each in opened:
            self._serve(each, self._scheduler)

    def models(self) -> Mapping[str, StoredModel]:
        """The highest loaded version of each model, by name."""
        return types.MappingProxyType({name: q.model for name, q in self._latest.items()})

    @property
    def errors(self) -> Sequence[ModelInvalid]:
        """What was wrong with the models that were not loaded at start."""
        return self._errors

    def statistics(self) -> Sequence[ModelStatistics]:
        """What every loaded version of every model did so far."""
        return tuple(queue.statistics() for queue in self._versions.values())

    async def infer(
        self, model: str, inputs: Mapping[str, Array], *, deadline: float
    ) -> Mapping[str, Array]:
        """Run one batch; see `core.ports.Inference.infer`.

        The arrays must not be written to before this returns. Outputs may be views into memory
        shared with other callers' outputs (never the same elements).
        """
        queue = self._latest.get(model) or self._versions.get(model)
        if queue is None:
            raise ModelUnknown(model=model)
        return await queue.infer(inputs, deadline=deadline)

    async def close(self) -> None:
        """Fail what waits, finish what is running and let go of the models."""
        for queue in self._versions.values():
            queue.close()
        if self._scheduler is not None:
            await self._scheduler.close()
        self._latest.clear()
        self._versions.clear()

    def _open(self, model: StoredModel) -> _Opened:
        engine = open_engine(
            model,
            default=self._engine,
            threads=self._threads_per_run,
            runs=self._instances(model),
        )
        signature.check(model, engine.signature())
        warmup.warm_up(model, engine)
        log.info(
            "model loaded",
            extra={"model": model.name, "version": model.version, "engine": engine.name},
        )
        return _Opened(model=model, engine=engine)

    def _instances(self, model: StoredModel) -> int:
        return min(model.config.instances or self._concurrent_runs, self._concurrent_runs)

    def _serve(self, opened: _Opened, scheduler: Scheduler) -> None:
        model = opened.model
        queue = BatchingQueue(
            model,
            opened.engine,
            scheduler,
            rules=_rules(model.config),
            instances=self._instances(model),
            max_queue_size=model.config.max_queue_size or self._max_queue_size,
            providers=self._providers,
        )
        scheduler.attach(queue)
        self._versions[f"{model.name}@{model.version}"] = queue
        # A model's versions come lowest first.
        self._latest[model.name] = queue


def _rules(config: ModelConfig) -> BatchRules:
    batching = config.batching
    max_items = max(config.max_batch_size, 1)
    if batching is None:
        return BatchRules(max_items=max_items, joins=False)
    return BatchRules(
        max_items=max_items,
        joins=True,
        preferred_sizes=batching.preferred_sizes,
        queue_delay_seconds=batching.queue_delay_seconds,
    )
