"""Join the requests for one model into batches, as its config.pbtxt says.

Units of equal item shapes wait together, oldest first. A batch starts when a slot and an instance
are free and it has reached a preferred size, or its oldest unit has waited the queue delay; it
takes as many units from the front as fit. See `scheduling` for which model goes first.
"""

from __future__ import annotations

import asyncio
import functools
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from absah_sdk import DeadlinePassed, InferenceFailed
from opentelemetry import trace

from absah_server.core.errors import Overloaded
from absah_server.inference import execution, requests, telemetry
from absah_server.inference.engines import Engine, Run
from absah_server.inference.execution import Executed
from absah_server.inference.repository import StoredModel
from absah_server.inference.requests import ItemShapes, Load, Tensors
from absah_server.inference.scheduling import Scheduler
from absah_server.inference.statistics import ModelStatistics, Tally

Caller = trace.SpanContext | None

_SHORTEST_RETRY_SECONDS = 0.05
_LATEST_WEIGHT = 0.2
"""Weight of the latest batch in the running mean of seconds per item."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchRules:
    """How a model's requests are queued and joined.

    `max_items` bounds a batch, 0 where tensors have no batch axis. `joins` says whether units of
    several requests may share a batch. `max_queue_size` bounds the waiting units.
    """

    max_items: int
    joins: bool
    preferred_sizes: tuple[int, ...]
    queue_delay_seconds: float
    max_queue_size: int
    instances: int

    def is_full(self, items: int) -> bool:
        """Whether this many waiting items need not wait for more."""
        return items >= (self.preferred_sizes[0] if self.preferred_sizes else self.max_items)

    def target(self, items: int) -> int:
        """How many of this many waiting items the next batch takes at most."""
        fitting = [size for size in self.preferred_sizes if size <= items]
        return fitting[-1] if fitting else min(items, self.max_items)


class _Unit:
    """A request, or the part of it that fits one batch, from arrival to answer."""

    __slots__ = ("batch", "caller", "deadline", "future", "kind", "load", "since")

    def __init__(
        self, load: Load, kind: _Kind, *, since: float, deadline: float, caller: Caller
    ) -> None:
        self.load = load
        self.since = since
        self.deadline = deadline
        self.caller = caller
        self.future: asyncio.Future[Tensors] = asyncio.get_running_loop().create_future()
        self.kind: _Kind | None = kind
        """Where it waits; None once it waits no longer."""
        self.batch: _Batch | None = None
        """Where it executes; None before and after."""


class _Kind:
    """The waiting units of one item shape, oldest first."""

    __slots__ = ("items", "shapes", "units")

    def __init__(self, shapes: ItemShapes) -> None:
        self.shapes = shapes
        self.units: OrderedDict[_Unit, None] = OrderedDict()
        self.items = 0


class _Batch:
    """Units that execute together, and how many of their callers still wait."""

    __slots__ = ("items", "run", "span", "units", "waiting")

    def __init__(self, units: Sequence[_Unit], *, run: Run, span: trace.Span) -> None:
        self.units = units
        self.run = run
        self.span = span
        self.items = sum(unit.load.items for unit in units)
        self.waiting = len(units)

    def lose_one(self) -> None:
        """A caller left; when none is left nobody needs the answer."""
        self.waiting -= 1
        if self.waiting == 0:
            self.run.stop()


class BatchingQueue:
    """The queue of one version of a model; used from the event loop's thread alone."""

    def __init__(
        self, model: StoredModel, engine: Engine, rules: BatchRules, scheduler: Scheduler
    ) -> None:
        self.model = model
        self._engine = engine
        self._rules = rules
        self._scheduler = scheduler
        self._telemetry = telemetry.BatchTelemetry(model, engine=engine.name)
        self._tally = Tally()
        self._kinds: dict[ItemShapes, _Kind] = {}
        self._waiting: OrderedDict[_Unit, None] = OrderedDict()
        self._waiting_items = 0
        self._running = 0
        self._seconds_per_item = 0.0
        self._closed = False

    async def infer(self, inputs: Tensors, *, deadline: float) -> Tensors:
        """Queue one request and wait for its outputs; see `core.ports.Inference.infer`."""
        self._tally.requests += 1
        units = self._admit(inputs, deadline)
        self._scheduler.wake()
        try:
            async with asyncio.timeout_at(deadline):
                outputs = await _answer(units)
        except TimeoutError:
            self._tally.dropped += 1
            raise DeadlinePassed(f"no time left for model {self.model.name!r}") from None
        except (asyncio.CancelledError, DeadlinePassed):
            self._tally.dropped += 1
            raise
        except InferenceFailed:
            self._tally.failed += 1
            raise
        finally:
            for unit in units:
                self._leave(unit)
        self._tally.succeeded += 1
        return outputs

    def statistics(self) -> ModelStatistics:
        """What this model did so far."""
        return self._tally.snapshot(
            model=self.model.name,
            version=self.model.version,
            engine=self._engine.name,
            instances=self._rules.instances,
            queued=len(self._waiting),
            running=self._running,
        )

    def close(self) -> None:
        """Take no more requests and fail those that wait; what executes goes on."""
        self._closed = True
        for unit in list(self._waiting):
            self._forget(unit)
            unit.future.set_exception(self._closing())

    # What the scheduler asks.

    def ready_since(self, now: float) -> float | None:
        """When the oldest unit that may start now came."""
        kind = self._ready_kind(now)
        return None if kind is None else next(iter(kind.units)).since

    def ready_at(self) -> float | None:
        """When the oldest waiting unit will have waited the queue delay."""
        if not self._waiting or self._running >= self._rules.instances:
            return None
        return next(iter(self._waiting)).since + self._rules.queue_delay_seconds

    def start(self, now: float) -> None:
        """Execute the oldest units that are ready."""
        kind = self._ready_kind(now)
        if kind is None:
            return
        units = self._take(kind, now)
        if not units:
            return
        span = self._telemetry.batch_started(
            items=sum(unit.load.items for unit in units),
            queue_seconds=[now - unit.since for unit in units],
            callers=[unit.caller for unit in units if unit.caller is not None],
        )
        batch = _Batch(units, run=self._engine.new_run(), span=span)
        for unit in units:
            unit.batch = batch
            self._tally.queue_seconds += now - unit.since
        self._running += 1
        loads = [unit.load for unit in units]
        self._scheduler.execute(
            functools.partial(execution.execute_timed, self.model, batch.run, loads),
            functools.partial(self._finished, batch),
        )

    # The way of a unit: admitted, taken into a batch, answered; it may leave at any time.

    def _admit(self, inputs: Tensors, deadline: float) -> list[_Unit]:
        if self._closed:
            raise self._closing()
        loads = requests.split(self.model, inputs)
        now = asyncio.get_running_loop().time()
        if deadline <= now:
            self._tally.dropped += 1
            raise DeadlinePassed(f"no time left for model {self.model.name!r}")
        self._refuse_if_full(len(loads))
        caller = telemetry.caller()
        shapes = requests.item_shapes(self.model, inputs)
        kind = self._kinds.setdefault(shapes, _Kind(shapes))
        units = [_Unit(load, kind, since=now, deadline=deadline, caller=caller) for load in loads]
        for unit in units:
            self._waiting[unit] = kind.units[unit] = None
            self._waiting_items += unit.load.items
            kind.items += unit.load.items
        return units

    def _refuse_if_full(self, units: int) -> None:
        # A request larger than the whole queue is let in when nothing else waits.
        if not self._waiting or len(self._waiting) + units <= self._rules.max_queue_size:
            return
        self._tally.refused += 1
        self._telemetry.refused()
        seconds = self._waiting_items * self._seconds_per_item / self._rules.instances
        raise Overloaded(retry_after_seconds=max(seconds, _SHORTEST_RETRY_SECONDS))

    def _ready_kind(self, now: float) -> _Kind | None:
        rules = self._rules
        if not self._waiting or self._running >= rules.instances:
            return None
        oldest = next(iter(self._waiting))
        if now >= oldest.since + rules.queue_delay_seconds:
            return oldest.kind
        full = (kind for kind in self._kinds.values() if rules.is_full(kind.items))
        return min(full, key=lambda kind: next(iter(kind.units)).since, default=None)

    def _take(self, kind: _Kind, now: float) -> list[_Unit]:
        units: list[_Unit] = []
        target = self._rules.target(kind.items)
        items = 0
        for unit in list(kind.units):
            if unit.deadline <= now:
                self._forget(unit)
                unit.future.set_exception(
                    DeadlinePassed(f"no time left for model {self.model.name!r}")
                )
                continue
            if units and (not self._rules.joins or items + unit.load.items > target):
                break
            self._forget(unit)
            units.append(unit)
            items += unit.load.items
        return units

    def _forget(self, unit: _Unit) -> None:
        kind = unit.kind
        if kind is None:
            return
        unit.kind = None
        del self._waiting[unit]
        del kind.units[unit]
        self._waiting_items -= unit.load.items
        kind.items -= unit.load.items
        if not kind.units:
            del self._kinds[kind.shapes]

    def _leave(self, unit: _Unit) -> None:
        self._forget(unit)
        if unit.batch is not None:
            unit.batch.lose_one()
        unit.future.cancel()

    def _finished(self, batch: _Batch, executed: Executed) -> None:
        self._running -= 1
        self._tally.executed(items=batch.items, seconds=executed.seconds)
        per_item = executed.seconds / batch.items
        weight = _LATEST_WEIGHT if self._seconds_per_item else 1.0
        self._seconds_per_item += weight * (per_item - self._seconds_per_item)
        failures = 0
        for unit, answer in zip(batch.units, executed.answers, strict=True):
            unit.batch = None
            if isinstance(answer, InferenceFailed):
                failures += 1
            if unit.future.done():
                continue
            if isinstance(answer, InferenceFailed):
                unit.future.set_exception(answer)
            else:
                unit.future.set_result(answer)
        self._telemetry.batch_ended(batch.span, compute_seconds=executed.seconds, failures=failures)

    def _closing(self) -> InferenceFailed:
        return InferenceFailed(f"model {self.model.name!r} is being unloaded")


async def _answer(units: Sequence[_Unit]) -> Tensors:
    if len(units) == 1:
        return await units[0].future
    parts = await asyncio.gather(*(unit.future for unit in units))
    # The parts may be large, and copying them would hold up every other request.
    return await asyncio.get_running_loop().run_in_executor(None, requests.join, parts)
