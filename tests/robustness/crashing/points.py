"""Points of a server's or worker's code at which a SIGKILL may be ordered.

The product knows nothing of them: they are wrapped around its functions in the process that is to
be killed. A transaction is named after the function that runs it, so that each has its points,
whoever adds one.
"""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robustness.crashing import checkers, processes

from absah_server.blobs.files import FileBlobs
from absah_server.blobs.partials import FilePartial
from absah_server.core.working import Worker
from absah_server.store.database import Database

BEFORE, AFTER, WITHIN = "before", "after", "within"


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """Kill when `point` is reached for the `count`-th time: this process, or PostgreSQL."""

    point: str
    count: int = 1
    postgres: bool = False


class Trap:
    """Carries out one order at a time, given from any thread."""

    def __init__(self, postgres: Path, tell: Callable[[str], None]) -> None:
        self._postgres = postgres
        self._tell = tell
        self._lock = threading.Lock()
        self._order: Order | None = None
        self._left = 0

    def arm(self, order: Order | None) -> None:
        """Wait for the point of an order; None forgets the last one."""
        with self._lock:
            self._order = order
            self._left = order.count if order else 0

    def reach(self, point: str) -> None:
        """The code has come to a point."""
        with self._lock:
            if self._order is None or self._order.point != point:
                return
            self._left -= 1
            if self._left > 0:
                return
            order, self._order = self._order, None
            self._tell(f"struck {point}")
            if order.postgres:
                processes.kill_postgres(self._postgres)
            else:
                os.kill(os.getpid(), signal.SIGKILL)


def install(trap: Trap) -> None:
    """Put the points into this process."""
    _watch_database(trap)
    for owner, function in (
        (FileBlobs, "_rename"),
        (FileBlobs, "_adopt"),
        (FileBlobs, "_delete"),
        (FilePartial, "_append"),
    ):
        setattr(owner, function, _watched(trap, getattr(owner, function)))
    _watch_checks(trap)


def _watched(trap: Trap, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def watched(*given: Any) -> Any:
        trap.reach(f"{BEFORE} {function.__qualname__}")
        answer = function(*given)
        trap.reach(f"{AFTER} {function.__qualname__}")
        return answer

    return watched


def _watch_database(trap: Trap) -> None:
    """Around each commit: of transactions, and of statements that commit by themselves."""
    watched_class: Any = Database
    for kind in ("transaction", "connection"):
        original = getattr(Database, kind)
        setattr(watched_class, kind, _watched_commit(trap, original))


def _watched_commit(
    trap: Trap, original: Callable[[Database], AbstractAsyncContextManager[Any]]
) -> Callable[[Database], AbstractAsyncContextManager[Any]]:
    @asynccontextmanager
    async def watched(database: Database, caller: str) -> AsyncIterator[Any]:
        async with original(database) as connection:
            trap.reach(f"{WITHIN} {caller}")
            yield connection
            trap.reach(f"{BEFORE} commit of {caller}")
        trap.reach(f"{AFTER} commit of {caller}")

    def named(database: Database) -> AbstractAsyncContextManager[Any]:
        return watched(database, sys._getframe(1).f_code.co_qualname)

    return named


def _watch_checks(trap: Trap) -> None:
    worker_class: Any = Worker
    stamp_class: Any = checkers.Stamp
    work, check = Worker.work, checkers.Stamp.check

    async def watched_work(self: Worker, *given: Any, **named: Any) -> Any:
        trap.reach(f"{BEFORE} Worker.work")
        answer = await work(self, *given, **named)
        trap.reach(f"{AFTER} Worker.work")
        return answer

    async def watched_check(self: checkers.Stamp, *given: Any) -> Any:
        checking = asyncio.ensure_future(check(self, *given))
        await asyncio.sleep(0)
        trap.reach(f"{WITHIN} check")
        answer = await checking
        trap.reach(f"{AFTER} check")
        return answer

    worker_class.work = watched_work
    stamp_class.check = watched_check
