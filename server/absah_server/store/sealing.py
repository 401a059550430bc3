"""Seal audit events: give each, soon after its commit, its place in its tenant's chain.

Servers that share a database take turns by an advisory lock. They look for events at intervals
rather than being notified: a NOTIFY in every transaction would make all commits queue behind one
lock of PostgreSQL.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from absah_server.core import chain
from absah_server.core.audit import Head, WrittenEvent
from absah_server.core.errors import StoreUnavailable
from absah_server.store import audit
from absah_server.store.database import Connection, Database

log = logging.getLogger(__name__)
BATCH = 1000
"""Events sealed in one transaction."""


class Sealer:
    """Seals what waits, every `interval_seconds` and at once again while there is more."""

    def __init__(self, database: Database, *, interval_seconds: float = 0.5) -> None:
        self._database = database
        self._interval_seconds = interval_seconds

    async def run(self) -> None:
        """Seal until cancelled; a failure is logged and tried again."""
        while True:
            sealed = 0
            try:
                sealed = await self.seal()
            except StoreUnavailable:
                pass  # the database has told of it; the events wait
            except Exception:
                log.exception("audit events could not be sealed")
            if sealed < BATCH:
                await asyncio.sleep(self._interval_seconds)

    async def seal(self) -> int:
        """Seal one batch and return how many that were; 0 where another server is at it.

        Raises `StoreUnavailable`.
        """
        async with self._database.transaction() as connection:
            row = await (await connection.execute(audit.SQL["try_sealing"])).fetchone()
            if not row or not row["mine"]:
                return 0
            rows = await (
                await connection.execute(audit.SQL["unsealed"], {"limit": BATCH})
            ).fetchall()
            if not rows:
                return 0
            heads = await _heads(connection, {row["tenant"] for row in rows})
            places, ends = await asyncio.to_thread(_places, rows, heads)
            if len(places) < len(rows):
                log.error("audit events cannot be sealed", extra={"count": len(rows) - len(places)})
            await _record(connection, places, ends)
            return len(places)


async def _heads(connection: Connection, tenants: Iterable[str]) -> dict[str, Head]:
    cursor = await connection.execute(audit.SQL["heads"], {"tenants": list(tenants)})
    return {
        row["tenant"]: Head(sequence=row["sequence"], hash=row["hash"])
        for row in await cursor.fetchall()
    }


def _places(
    rows: Iterable[Mapping[str, Any]], heads: Mapping[str, Head]
) -> tuple[dict[int, Head], dict[str, Head]]:
    events = []
    for row in rows:
        try:
            events.append(WrittenEvent(**audit.members(row)))
        except ValueError:
            continue  # counted by the caller: it gets no place
    return chain.seal(events, heads)


async def _record(
    connection: Connection, places: Mapping[int, Head], ends: Mapping[str, Head]
) -> None:
    await connection.execute(
        audit.SQL["seal"],
        {
            "ids": list(places),
            "sequences": [place.sequence for place in places.values()],
            "hashes": [place.hash for place in places.values()],
        },
    )
    await connection.execute(
        audit.SQL["advance"],
        {
            "tenants": list(ends),
            "sequences": [end.sequence for end in ends.values()],
            "hashes": [end.hash for end in ends.values()],
        },
    )
