"""Queue the requests for one model and execute them in batches.

A batch starts when its units are ready (see `waiting`) and both an instance of the model and a
slot of the process are free (see `scheduling`). A unit leaves the queue, without being run, when
its deadline passes or its caller is cancelled; a batch whose callers have all left is stopped.
"""

from __future__ import annotations

import asyncio
import functools

from absah_sdk import DeadlinePassed, InferenceFailed
from absah_server.core.errors import Overloaded
from absah_server.inference import execution, portions, telemetry
from absah_server.inference.engines import Engine
from absah_server.inference.execution import Executed
from absah_server.inference.portions import Tensors
from absah_server.inference.repository import StoredModel
from absah_server.inference.scheduling import Scheduler
from absah_server.inference.statistics import ModelStatistics, Tally
from absah_server.inference.units import Batch, Unit
from absah_server.inference.waiting import BatchRules, WaitingLine

_SHORTEST_RETRY_SECONDS = 0.05
_DRAIN_LOOK_SECONDS = 0.02
_LATEST_WEIGHT = 0.2
"""Weight of the latest batch in the running mean of seconds per item."""


class BatchingQueue:
    """The queue of one version of a model; used from the event loop's thread alone."""

    def __init__(
        self,
        model: StoredModel,
        engine: Engine,
        scheduler: Scheduler,
        *,
        rules: BatchRules,
        instances: int,
        max_queue_size: int,
        providers: telemetry.Providers,
    ) -> None:
        self.model = model
        self._engine = engine
        self._scheduler = scheduler
        self._instances = instances
        self._max_queue_size = max_queue_size
        self._line = WaitingLine(rules)
        self._telemetry = telemetry.BatchTelemetry(model, engine=engine.name, providers=providers)
        self._tally = Tally()
        self._running = 0
        self._seconds_per_item = 0.0
        self._closed = False

    async def infer(self, inputs: Tensors, *, deadline: float) -> Tensors:
        """Queue one request and wait for its outputs; see `core.ports.Inference.infer`."""
        with self._tally.request():
            units = self._admit(inputs, deadline)
            self._scheduler.wake()
            try:
                async with asyncio.timeout_at(deadline):
                    return await _answer(units)
            except TimeoutError as exc:
                raise self._too_late() from exc
            finally:
                for unit in units:
                    self._line.discard(unit)
                    unit.abandon()

    def statistics(self) -> ModelStatistics:
        """What this model did so far."""
        return self._tally.snapshot(
            model=self.model.name,
            version=self.model.version,
            engine=self._engine.name,
            instances=self._instances,
            queued=len(self._line),
            running=self._running,
        )

    async def drained(self) -> None:
        """Wait until nothing waits or runs; callers must send it nothing new meanwhile."""
        while len(self._line) or self._running:
            await asyncio.sleep(_DRAIN_LOOK_SECONDS)

    def close(self) -> None:
        """Take no more requests and fail those that wait; what executes goes on."""
        self._closed = True
        for unit in self._line.clear():
            unit.fail(self._closing())

    def ready_since(self, now: float) -> float | None:
        """When the oldest unit that may start now came; for the scheduler."""
        return self._line.ready_since(now) if self._running < self._instances else None

    def ready_at(self) -> float | None:
        """When waiting units will be ready if nothing joins them; for the scheduler."""
        return self._line.ready_at() if self._running < self._instances else None

    def start(self, now: float) -> None:
        """Execute the oldest units that are ready; for the scheduler."""
        units, expired = self._line.take(now)
        for unit in expired:
            unit.fail(self._too_late())
        if not units:
            return
        waited = [now - unit.since for unit in units]
        span = self._telemetry.batch_started(
            items=sum(unit.items for unit in units),
            queue_seconds=waited,
            callers=[unit.caller for unit in units if unit.caller is not None],
        )
        batch = Batch(units, run=self._engine.new_run(), span=span)
        self._tally.queue_seconds += sum(waited)
        self._running += 1
        self._scheduler.execute(
            functools.partial(
                execution.execute, self.model, batch.run, [unit.portion for unit in units]
            ),
            functools.partial(self._finished, batch),
        )

    def _admit(self, inputs: Tensors, deadline: float) -> list[Unit]:
        if self._closed:
            raise self._closing()
        config = self.model.config
        now = asyncio.get_running_loop().time()
        cut = portions.cut(config, inputs)
        if deadline <= now:
            raise self._too_late()
        self._refuse_if_full(len(cut))
        shapes = portions.item_shapes(config, inputs)
        caller = telemetry.caller()
        units = [
            Unit(portion, shapes, since=now, deadline=deadline, caller=caller) for portion in cut
        ]
        for unit in units:
            self._line.add(unit)
        return units

    def _refuse_if_full(self, units: int) -> None:
        # A request larger than the whole queue is let in when nothing else waits.
        if not len(self._line) or len(self._line) + units <= self._max_queue_size:
            return
        self._telemetry.refused()
        seconds = self._line.items * self._seconds_per_item / self._instances
        raise Overloaded(retry_after_seconds=max(seconds, _SHORTEST_RETRY_SECONDS))

    def _finished(self, batch: Batch, executed: Executed) -> None:
        self._running -= 1
        self._tally.executed(items=batch.items, seconds=executed.seconds)
        per_item = executed.seconds / batch.items
        weight = _LATEST_WEIGHT if self._seconds_per_item else 1.0
        self._seconds_per_item += weight * (per_item - self._seconds_per_item)
        self._telemetry.batch_ended(
            batch.span, compute_seconds=executed.seconds, failures=executed.failures
        )
        batch.answer(executed.answers)

    def _too_late(self) -> DeadlinePassed:
        return DeadlinePassed(f"no time left for model {self.model.name!r}")

    def _closing(self) -> InferenceFailed:
        return InferenceFailed(f"model {self.model.name!r} is being unloaded")


async def _answer(units: list[Unit]) -> Tensors:
    if len(units) == 1:
        return await units[0].answer
    parts = await asyncio.gather(*(unit.answer for unit in units))
    # The parts may be large, and copying them here would hold up every other request.
    return await asyncio.to_thread(portions.join, parts)
