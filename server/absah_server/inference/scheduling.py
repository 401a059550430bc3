"""Share a few execution slots among the queues of all models, oldest work first.

A batch is formed only when a slot is free to execute it: until then its units stay in the queue,
where later units may join them and where a deadline or a caller who leaves still frees them.
Few slots also bound memory, as each execution holds its activations.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import os
import sys
import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Queue(Protocol):
    """Work waiting for a slot. Times are those of the event loop."""

    def ready_since(self, now: float) -> float | None:
        """When its oldest work that may start now came, None where there is none."""

    def ready_at(self) -> float | None:
        """When its waiting work will be ready if nothing joins it; None if a slot cannot help."""

    def start(self, now: float) -> None:
        """Take the oldest ready work and execute it through `Scheduler.execute`."""


class Scheduler:
    """Hands `slots` threads to the queues; used from the event loop's thread alone.

    With `niceness`, 0 to 19, the threads yield the processor to others (Linux alone gives each
    thread a niceness of its own; elsewhere it is left out).
    """

    def __init__(self, *, slots: int, niceness: int = 0) -> None:
        self._loop = asyncio.get_running_loop()
        self._free = slots
        self._queues: list[Queue] = []
        self._timer: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._slots = slots
        self._threads = concurrent.futures.ThreadPoolExecutor(
            slots, "absah-inference", initializer=_yield_processor, initargs=(niceness,)
        )

    def attach(self, queue: Queue) -> None:
        """Serve this queue too."""
        self._queues.append(queue)

    def detach(self, queue: Queue) -> None:
        """Serve this queue no longer."""
        self._queues.remove(queue)

    def wake(self) -> None:
        """Start what can start now; called when work came or a slot was freed."""
        now = self._loop.time()
        while self._free:
            oldest = self._oldest(now)
            if oldest is None:
                self._set_timer()
                return
            oldest.start(now)

    def execute(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        """Run `work`, which must not raise, in a free slot, then `done(result)` in the loop."""
        self._free -= 1
        self._idle.clear()
        self._threads.submit(self._work, work, done)

    async def drained(self) -> None:
        """Wait until nothing is executing."""
        await self._idle.wait()

    async def close(self) -> None:
        """Wait for what is executing and end the threads."""
        await self.drained()
        if self._timer is not None:
            self._timer.cancel()
        self._threads.shutdown(wait=True)

    def _oldest(self, now: float) -> Queue | None:
        oldest: Queue | None = None
        oldest_since = float("inf")
        for queue in self._queues:
            since = queue.ready_since(now)
            if since is not None and since < oldest_since:
                oldest, oldest_since = queue, since
        return oldest

    def _set_timer(self) -> None:
        times = [at for queue in self._queues if (at := queue.ready_at()) is not None]
        if not times:
            return
        at = min(times)
        if self._timer is not None:
            if not self._timer.cancelled() and self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._timer_rang)

    def _timer_rang(self) -> None:
        self._timer = None
        self.wake()

    def _work(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        result = work()
        self._loop.call_soon_threadsafe(functools.partial(self._finished, done, result))

    def _finished(self, done: Callable[[T], None], result: T) -> None:
        self._free += 1
        if self._free == self._slots:
            self._idle.set()
        try:
            done(result)
        finally:
            self.wake()


def _yield_processor(niceness: int) -> None:
    if niceness and sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
