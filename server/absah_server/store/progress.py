"""Write results of checks while their validation still runs, for those who watch it.

Nothing depends on them: they are written a little later, together, and may be lost. A validation
that ends at once writes none.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import logging

from absah_server.core.errors import StoreUnavailable
from absah_server.core.validation import CheckResult
from absah_server.core.working import Attempt
from absah_server.store import attempts
from absah_server.store.attempts import Progress
from absah_server.store.database import Database

log = logging.getLogger(__name__)
DELAY_SECONDS = 0.1


class ProgressWriter:
    """Collects what has ended, and writes it after a short while."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[Progress] = []
        self._writing: asyncio.Task[None] | None = None

    def tell(self, attempt: Attempt, position: int, result: CheckResult) -> None:
        """Note that a check has ended; returns at once."""
        self._waiting.append(
            Progress(
                attempt=attempt,
                position=position,
                # Contents of artifacts are not kept yet, and no row may name what is not there.
                result=dataclasses.replace(result, artifacts=()),
                end_time=datetime.datetime.now(datetime.UTC),
            )
        )
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_later(), name="progress")

    def forget(self, attempt: Attempt) -> None:
        """Do not write what waits of an attempt: it is about to be settled."""
        self._waiting = [each for each in self._waiting if each.attempt is not attempt]

    async def close(self) -> None:
        """Drop what waits."""
        self._waiting.clear()
        if self._writing:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)

    async def _write_later(self) -> None:
        while self._waiting:
            await asyncio.sleep(DELAY_SECONDS)
            together, self._waiting = self._waiting, []
            if not together:
                return
            try:
                async with self._database.connection() as connection:
                    await attempts.write_progress(connection, together)
            except StoreUnavailable:
                log.debug("progress not written", extra={"count": len(together)})
            except Exception:
                log.exception("progress not written", extra={"count": len(together)})
