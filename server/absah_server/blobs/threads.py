"""Run what waits for a disk in threads, and say what its errors mean."""

from __future__ import annotations

import asyncio
import errno
import functools
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from absah_server.core.errors import StoreFull, StoreUnavailable

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

AT_A_TIME = 16
"""More than there are processors: most wait for the disk, which syncs several files at once."""
RETRY_AFTER_SECONDS = 5.0
FULL = (errno.ENOSPC, errno.EDQUOT)


class Threads:
    """A few threads over one folder; `what` is what to call it in errors."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="blobs")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run it to its end; an OSError is `StoreFull` or `StoreUnavailable`.

        Who is cancelled waits for the end all the same: a file must not be closed under a write.
        """
        running = asyncio.get_running_loop().run_in_executor(
            self._pool, functools.partial(work, *args, **kwargs)
        )
        try:
            return await _to_the_end(running)
        except OSError as exc:
            log.error("documents cannot be kept", extra={"errno": exc.errno, "why": exc.strerror})
            kind = StoreFull if exc.errno in FULL else StoreUnavailable
            raise kind(retry_after_seconds=RETRY_AFTER_SECONDS, what=self._what) from exc

    async def close(self) -> None:
        """Wait for what is running."""
        await asyncio.to_thread(self._pool.shutdown)


async def _to_the_end(running: asyncio.Future[T]) -> T:
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait((running,))
        except asyncio.CancelledError as exc:
            cancelled = exc
    error = running.exception()
    if cancelled:
        raise cancelled
    if error:
        raise error
    return running.result()
