"""The units that queues hold and batches execute: mutable, for one event loop's thread."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from opentelemetry import trace

from absah_sdk import InferenceFailed
from absah_server.inference.engines import Run
from absah_server.inference.portions import ItemShapes, Portion, Tensors


class Unit:
    """A request, or the portion of it that fits one batch, from arrival to answer."""

    __slots__ = ("_answer", "batch", "caller", "deadline", "portion", "shapes", "since")

    def __init__(
        self,
        portion: Portion,
        shapes: ItemShapes,
        *,
        since: float,
        deadline: float,
        caller: trace.SpanContext | None,
    ) -> None:
        self.portion = portion
        self.shapes = shapes
        self.since = since
        self.deadline = deadline
        self.caller = caller
        self.batch: Batch | None = None
        """Where it executes; None before and after."""
        self._answer: asyncio.Future[Tensors] = asyncio.get_running_loop().create_future()

    @property
    def items(self) -> int:
        """How many items it holds."""
        return self.portion.items

    @property
    def answer(self) -> asyncio.Future[Tensors]:
        """To be awaited by its caller."""
        return self._answer

    def succeed(self, outputs: Tensors) -> None:
        """Answer its caller, unless gone."""
        if not self._answer.done():
            self._answer.set_result(outputs)

    def fail(self, error: Exception) -> None:
        """Fail its caller, unless gone."""
        if not self._answer.done():
            self._answer.set_exception(error)

    def abandon(self) -> None:
        """Its caller waits no longer; when nobody waits for its batch, the batch is stopped."""
        if self.batch is not None:
            self.batch.lose_one()
        if not self._answer.cancel() and not self._answer.cancelled():
            # Failed in the moment its caller left: say that somebody has seen the error.
            self._answer.exception()


class Batch:
    """Units that execute together."""

    __slots__ = ("_waiting", "items", "run", "span", "units")

    def __init__(self, units: Sequence[Unit], *, run: Run, span: trace.Span) -> None:
        self.units = units
        self.run = run
        self.span = span
        self.items = sum(unit.items for unit in units)
        self._waiting = len(units)
        for unit in units:
            unit.batch = self

    def lose_one(self) -> None:
        """One of its callers left; without any nobody needs the answer."""
        self._waiting -= 1
        if self._waiting == 0:
            self.run.stop()

    def answer(self, answers: Sequence[Tensors | InferenceFailed]) -> None:
        """Hand each unit its answer."""
        for unit, answer in zip(self.units, answers, strict=True):
            unit.batch = None
            if isinstance(answer, InferenceFailed):
                unit.fail(answer)
            else:
                unit.succeed(answer)
