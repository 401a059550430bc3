"""Settle attempts durably: those that end together share a transaction, and outages are sat out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import psycopg

from absah_server.core.errors import StoreUnavailable
from absah_server.store import attempts
from absah_server.store.attempts import Settled
from absah_server.store.batching import Batcher
from absah_server.store.database import Database

log = logging.getLogger(__name__)
MOST_TOGETHER = 64
RETRY_SECONDS = 0.25


class Unwritable(Exception):
    """PostgreSQL, or the form that it wants, refuses what an attempt came to."""


class Settling:
    """Writes what has become of attempts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batcher = Batcher(self._write, max_items=MOST_TOGETHER)

    async def settle(self, settled: Settled) -> None:
        """Return once it is durable, however long PostgreSQL is away. Raises `Unwritable`."""
        while True:
            try:
                await self._batcher.submit(settled)
            except StoreUnavailable:
                await asyncio.sleep(RETRY_SECONDS)
            except (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable) as exc:
                log.info("settling once more", extra={"problem": type(exc).__name__})
            except Exception as exc:
                # What it says may quote what was to be written, which no log may hold.
                log.error("attempt cannot be settled", extra={"problem": type(exc).__name__})
                raise Unwritable(type(exc).__name__) from exc
            else:
                return

    async def _write(self, together: Sequence[Settled]) -> Sequence[None]:
        async with self._database.transaction() as connection:
            await attempts.settle(connection, together)
        return [None] * len(together)
