"""As much work at the core at once as it takes, and none while it is away."""

from __future__ import annotations

import asyncio
import collections
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

INCREASE = 1.0
DECREASE = 0.7
FIRST_LIMIT = 16
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 15.0


class Flow:
    """Places for calls, as many as the core bears: additive increase, multiplicative decrease
    (Chiu and Jain, 1989), as TCP does.

    After a refusal nobody calls before the core's own retry-after is over; while the core is away
    one caller at a time looks whether it is back, at growing intervals.
    """

    def __init__(self, *, most: int) -> None:
        self._most = float(most)
        self._limit = float(min(most, FIRST_LIMIT))
        self._running = 0
        self._waiting: collections.deque[asyncio.Future[None]] = collections.deque()
        """In the order in which they came."""
        self._opening: asyncio.TimerHandle | None = None
        """Set while nobody may call."""
        self._wait = FIRST_WAIT_SECONDS
        self._away = False

    @property
    def limit(self) -> int:
        """Calls at a time, as learnt so far."""
        return max(1, int(self._limit))

    @property
    def away(self) -> bool:
        """Whether the core did not answer last time."""
        return self._away

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place to call, and hold it."""
        if self._waiting or not self._room():
            await self._turn()
        else:
            self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            self._admit()

    def _room(self) -> bool:
        return self._opening is None and self._running < (1 if self._away else self.limit)

    async def _turn(self) -> None:
        """Wait for a place, which is held when this returns."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._running -= 1  # it was given a place in the same moment
                self._admit()
            raise

    def _admit(self) -> None:
        while self._waiting and self._room():
            turn = self._waiting.popleft()
            if not turn.done():
                self._running += 1
                turn.set_result(None)

    def succeeded(self) -> None:
        """The core took a call."""
        self._away = False
        self._wait = FIRST_WAIT_SECONDS
        self._limit = min(self._limit + INCREASE / self._limit, self._most)
        self._admit()

    def refused(self, retry_after_seconds: float | None) -> None:
        """The core is busy."""
        self._away = False
        if self._opening is None:  # one of many calls that are refused in the same moment
            self._limit = max(self._limit * DECREASE, 1.0)
        self._close(retry_after_seconds or FIRST_WAIT_SECONDS)

    def lost(self, retry_after_seconds: float | None = None) -> None:
        """The core, or its store, cannot be reached."""
        self._away = True
        grows = self._opening is None
        self._close(max(retry_after_seconds or 0.0, self._wait if grows else 0.0))
        if grows:
            self._wait = min(self._wait * 2, LONGEST_WAIT_SECONDS)

    def _close(self, seconds: float) -> None:
        """Let nobody call for so long."""
        # Jittered, so that several bridges do not come back as one.
        seconds *= 1 + random.random() / 4  # noqa: S311
        loop = asyncio.get_running_loop()
        if self._opening is not None:
            if self._opening.when() >= loop.time() + seconds:
                return
            self._opening.cancel()
        self._opening = loop.call_later(seconds, self._open)

    def _open(self) -> None:
        self._opening = None
        self._admit()
