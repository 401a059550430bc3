"""As much work at the core at once as it takes, and none while it is away."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

INCREASE = 1.0
DECREASE = 0.7
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 15.0


class Flow:
    """Places for calls, as many as the core bears: additive increase, multiplicative decrease
    (Chiu and Jain, 1989), as TCP does.

    After a refusal nobody calls before the core's own retry-after is over; while the core is away
    one caller at a time looks whether it is back, at growing intervals.
    """

    def __init__(self, *, most: int, now: Callable[[], float] | None = None) -> None:
        self._most = float(most)
        self._limit = float(min(most, 16))
        self._now = now or asyncio.get_running_loop().time
        self._running = 0
        self._closed_until = 0.0
        self._wait = FIRST_WAIT_SECONDS
        self._away = False
        self._changed = asyncio.Condition()

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
        async with self._changed:
            while (wait := self._wait_seconds()) != 0.0:
                if wait is None:
                    await self._changed.wait()
                else:
                    await self._sleep(wait)
            self._running += 1
        try:
            yield
        finally:
            async with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _wait_seconds(self) -> float | None:
        """0 to go, a time to wait, None to wait for somebody to end."""
        if self._running >= (1 if self._away else self.limit):
            return None
        return max(self._closed_until - self._now(), 0.0)

    async def _sleep(self, seconds: float) -> None:
        self._changed.release()
        try:
            await asyncio.sleep(seconds)
        finally:
            await self._changed.acquire()

    def succeeded(self) -> None:
        """The core took a call."""
        self._away = False
        self._wait = FIRST_WAIT_SECONDS
        self._limit = min(self._limit + INCREASE / self._limit, self._most)

    def refused(self, retry_after_seconds: float | None) -> None:
        """The core is busy."""
        self._away = False
        self._limit = max(self._limit * DECREASE, 1.0)
        self._close(retry_after_seconds or FIRST_WAIT_SECONDS)

    def lost(self, retry_after_seconds: float | None = None) -> None:
        """The core, or its store, cannot be reached."""
        self._away = True
        self._close(max(retry_after_seconds or 0.0, self._wait))
        self._wait = min(self._wait * 2, LONGEST_WAIT_SECONDS)

    def _close(self, seconds: float) -> None:
        # Jittered, so that several bridges do not come back as one.
        seconds *= 1 + random.random() / 4  # noqa: S311
        self._closed_until = max(self._closed_until, self._now() + seconds)
