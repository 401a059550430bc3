"""Look after jobs that nobody looks after: those of dead workers, and those that went missing."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from absah_server.core.slots import PolicySlots
from absah_server.core.submission import Priority
from absah_server.store import queries
from absah_server.store.accepting import JOB_PRIORITIES
from absah_server.store.database import Connection, Database
from absah_server.store.validations import columns

log = logging.getLogger(__name__)
SQL = queries.load("jobs")
VALIDATIONS = queries.load("validations")
ORPHANED_AFTER_SECONDS = 60.0
RARELY_SECONDS = 30.0
PURGED_TOGETHER = 1000
PURGES = 20
"""At most, in one sweep: it must not keep this process long from looking after jobs of the dead."""
FORGOTTEN_TOGETHER = 100


@dataclass(kw_only=True, slots=True)
class Sweeper:
    """Sweeps jobs of one queue, at the side of all others who sweep it."""

    database: Database
    queue: str
    slots: PolicySlots
    stalled_after_seconds: float
    keep_ended_seconds: float
    _rarely_next: float = field(default=0.0, init=False)

    async def sweep(self) -> None:
        """Raises `StoreUnavailable`; what was done until then holds."""
        # While the database was away no worker could be heard: those that live are given as much
        # time to beat as anybody has.
        heard = self.database.available_seconds >= self.stalled_after_seconds
        if heard:
            await self.take_over()
        if time.monotonic() >= self._rarely_next:
            self._rarely_next = time.monotonic() + RARELY_SECONDS
            await self.defer_orphans(older_than_seconds=ORPHANED_AFTER_SECONDS)
            await self.purge()
            if heard:
                await self.forget_workers()

    async def take_over(self) -> None:
        """Let jobs of workers that are not heard of wait once more."""
        stalled = {"queue": self.queue, "stalled_after_seconds": self.stalled_after_seconds}
        async with self.database.transaction() as connection:
            rows = await (await connection.execute(SQL["take_over"], stalled)).fetchall()
        if rows:
            log.warning("jobs of lost workers taken over", extra={"jobs": [r["id"] for r in rows]})

    async def forget_workers(self) -> None:
        """Remove workers that are not heard of; nothing else is to wait for it, or fail with it."""
        given = {
            "stalled_after_seconds": self.stalled_after_seconds,
            "limit": FORGOTTEN_TOGETHER,
        }
        async with self.database.connection() as connection:
            await connection.execute(SQL["forget_workers"], given)

    async def defer_orphans(self, *, older_than_seconds: float) -> None:
        """Give a job to each validation that has not ended and has none, though it must."""
        async with self.database.transaction() as connection:
            cursor = await connection.execute(
                SQL["orphans"], {"older_than_seconds": older_than_seconds}
            )
            rows = await cursor.fetchall()
            if rows:
                await self._defer(
                    connection,
                    [
                        (
                            row["id"].hex,
                            JOB_PRIORITIES[Priority(row["priority"])],
                            self.slots.lock(row["policy"]),
                        )
                        for row in rows
                    ],
                )
        if rows:
            log.error("validations without a job", extra={"ids": [row["id"].hex for row in rows]})

    async def purge(self) -> None:
        """Remove jobs that ended long ago; their validations and attempts stay."""
        for _ in range(PURGES):
            async with self.database.connection() as connection:
                cursor = await connection.execute(
                    SQL["purge"],
                    {
                        "queue": self.queue,
                        "older_than_seconds": self.keep_ended_seconds,
                        "states": ["succeeded", "cancelled", "aborted"],
                        "limit": PURGED_TOGETHER,
                    },
                )
            if not cursor.rowcount:
                return

    async def _defer(self, connection: Connection, rows: list[tuple[str, int, str | None]]) -> None:
        names = ("id", "priority", "lock", "trace")
        given = columns(names, [(*row, None) for row in rows])
        cursor = await connection.execute(VALIDATIONS["defer"], given)
        deferred = await cursor.fetchone()
        assert deferred
        await connection.execute(VALIDATIONS["note_jobs"], deferred)
