"""Run a candidate beside the current version on live requests, and tell how they agree.

Nothing here may cost a request anything but a copy of its tensors: the candidate runs after the
answer is there, few at a time; what comes while those are under way, or is very large, is dropped
and counted; failures are counted and told to nobody else.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from absah_sdk import AbsahError
from absah_sdk.checking import Array
from absah_server.core.models import Agreement, ShadowReport
from absah_server.inference import comparing

log = logging.getLogger(__name__)

Tensors = Mapping[str, Array]
Infer = Callable[[Tensors, float], Awaitable[Tensors]]
"""Runs the candidate on these inputs up to this event loop time."""

MOST_AT_ONCE = 2
MOST_BYTES = 64 * 2**20
"""Tensors of a request, inputs and outputs together, that are copied for the candidate."""
PATIENCE_SECONDS = 60.0


@dataclass(kw_only=True, slots=True)
class _Tally:
    drawn: int = 0
    compared: int = 0
    dropped: int = 0
    failed: int = 0
    outputs: dict[str, Agreement] = field(default_factory=dict)
    current_seconds: float = 0.0
    candidate_seconds: float = 0.0


class Shadow:
    """The trial of one candidate; used from the event loop's thread alone."""

    def __init__(
        self,
        infer: Infer,
        *,
        model: str,
        current: str,
        candidate: str,
        share: float,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._infer = infer
        self._model = model
        self.current = current
        self.candidate = candidate
        self.share = share
        self._draw = draw
        self._start = datetime.datetime.now(datetime.UTC)
        self._tally = _Tally()
        self._running: set[asyncio.Task[None]] = set()

    def offer(self, inputs: Tensors, outputs: Tensors, seconds: float) -> None:
        """Perhaps run the candidate on a request that the current version answered; returns at
        once. `seconds` is what the current version took."""
        if self._draw() >= self.share:
            return
        self._tally.drawn += 1
        size = sum(array.nbytes for each in (inputs, outputs) for array in each.values())
        if len(self._running) >= MOST_AT_ONCE or size > MOST_BYTES:
            self._tally.dropped += 1
            return
        task = asyncio.create_task(self._compare(_copy(inputs), _copy(outputs), seconds))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def report(self) -> ShadowReport:
        """What came of it so far."""
        tally = self._tally
        compared = max(tally.compared, 1)
        return ShadowReport(
            current=self.current,
            candidate=self.candidate,
            start=self._start,
            drawn=tally.drawn,
            compared=tally.compared,
            dropped=tally.dropped,
            failed=tally.failed,
            outputs=dict(tally.outputs),
            current_seconds=tally.current_seconds / compared,
            candidate_seconds=tally.candidate_seconds / compared,
            absolute_tolerance=comparing.ABSOLUTE_TOLERANCE,
            relative_tolerance=comparing.RELATIVE_TOLERANCE,
        )

    async def close(self) -> None:
        """End what is under way."""
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _compare(self, inputs: Tensors, outputs: Tensors, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            answer = await self._infer(inputs, began + PATIENCE_SECONDS)
            took = loop.time() - began
            differences = await asyncio.to_thread(comparing.compare, outputs, answer)
        except AbsahError as exc:
            self._tally.failed += 1
            log.warning(
                "shadow failed",
                extra={
                    "model": self._model,
                    "version": self.candidate,
                    "error": type(exc).__name__,
                },
            )
            return
        except Exception:
            self._tally.failed += 1
            log.exception("shadow failed", extra={"model": self._model})
            return
        tally = self._tally
        tally.compared += 1
        tally.current_seconds += seconds
        tally.candidate_seconds += took
        for name, difference in differences.items():
            before = tally.outputs.get(name, Agreement())
            tally.outputs[name] = comparing.plus(before, difference)


def _copy(tensors: Tensors) -> dict[str, Array]:
    return {name: array.copy() for name, array in tensors.items()}
