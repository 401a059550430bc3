"""Let a bounded number of validations run, a bounded number wait, and refuse the rest at once."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from absah_sdk import DeadlinePassed
from absah_server.core import errors
from absah_server.core.submission import Priority

SMOOTHING = 0.2
"""Weight of the newest duration in the running mean that retry-after is computed from."""


class Admission:
    """Places to run, given by priority, then by time of arrival.

    A waiting caller that is cancelled, or whose deadline passes, gives up its place in the queue
    at once. `max_held_bytes` bounds what those that run and wait hold together; one that is larger
    alone is let in when nothing else is held.
    """

    def __init__(
        self, *, max_running: int, max_waiting: int, max_held_bytes: int = sys.maxsize
    ) -> None:
        self._max_running = max_running
        self._max_waiting = max_waiting
        self._max_held_bytes = max_held_bytes
        self._held_bytes = 0
        self._room = asyncio.Event()
        self._room.set()
        self._running = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._mean_seconds = 0.5
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def running(self) -> int:
        return self._running

    @property
    def waiting(self) -> int:
        return sum(not turn.done() for _, _, turn in self._waiting)

    def retry_after_seconds(self) -> float:
        """When a newcomer would find a place, judged by how long validations took of late."""
        ahead = self.waiting + 1
        return max(self._mean_seconds * ahead / self._max_running, 0.05)

    async def room(self) -> None:
        """Wait until those that run and wait hold less than they may."""
        await self._room.wait()

    @asynccontextmanager
    async def place(
        self, priority: Priority, *, deadline: float, size_bytes: int = 0
    ) -> AsyncIterator[None]:
        """Wait for a place to run and hold it, and `size_bytes` meanwhile.

        Raises `Overloaded` or `ShuttingDown` at once, `DeadlinePassed` if no place came free
        before `deadline`, an event loop time.
        """
        if self._closed:
            raise errors.ShuttingDown
        self._hold(size_bytes)
        try:
            async with self._running_place(priority, deadline):
                yield
        finally:
            self._let_go(size_bytes)

    def _hold(self, size_bytes: int) -> None:
        held = self._held_bytes + size_bytes
        if self._held_bytes and held > self._max_held_bytes:
            raise errors.Overloaded(retry_after_seconds=self.retry_after_seconds())
        self._held_bytes = held
        if held >= self._max_held_bytes:
            self._room.clear()

    def _let_go(self, size_bytes: int) -> None:
        self._held_bytes -= size_bytes
        if self._held_bytes < self._max_held_bytes:
            self._room.set()

    @asynccontextmanager
    async def _running_place(self, priority: Priority, deadline: float) -> AsyncIterator[None]:
        if self._running >= self._max_running or self._waiting:
            await self._turn(priority, deadline)
        else:
            self._take()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            yield
        finally:
            took = loop.time() - began
            self._mean_seconds += SMOOTHING * (took - self._mean_seconds)
            self._give()

    async def _turn(self, priority: Priority, deadline: float) -> None:
        if self.waiting >= self._max_waiting:
            raise errors.Overloaded(retry_after_seconds=self.retry_after_seconds())
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), turn))
        try:
            async with asyncio.timeout_at(deadline):
                await turn
        except TimeoutError as exc:
            self._abandon(turn)
            raise DeadlinePassed("the deadline passed while the request waited its turn") from exc
        except asyncio.CancelledError:
            self._abandon(turn)
            raise

    def _abandon(self, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():
            self._give()
        turn.cancel()
        self._waiting = [entry for entry in self._waiting if not entry[2].done()]
        heapq.heapify(self._waiting)

    def _take(self) -> None:
        self._running += 1
        self._idle.clear()

    def _give(self) -> None:
        self._running -= 1
        while self._waiting and self._running < self._max_running:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                self._take()
                turn.set_result(None)
        if not self._running and not self._waiting:
            self._idle.set()

    def close(self) -> None:
        """Take no more newcomers; those that wait keep their turn."""
        self._closed = True

    async def drained(self) -> None:
        """Wait until nothing runs or waits."""
        await self._idle.wait()
