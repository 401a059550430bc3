"""Write audit events in the transaction of the change that they tell of, and read them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from psycopg.rows import DictRow

from absah_server.core import chain, names
from absah_server.core.audit import AuditEvent, AuditFilter, Head, Place, SealedEvent, Waiting
from absah_server.core.errors import ChainBroken
from absah_server.store import queries
from absah_server.store.database import Connection, Database

SQL = queries.load("audit")
NEWEST = 2**63 - 1
PAGE = 1000
"""Events read at a time."""


async def append(connection: Connection, events: Iterable[AuditEvent]) -> None:
    """Add events to what is to be sealed; they exist once the transaction commits.

    Raises ValueError for details that have no canonical form: a number that no double holds, text
    that is no Unicode, a key that is no string.
    """
    written = list(events)
    if not written:
        return
    await connection.execute(
        SQL["append"],
        {
            "tenants": [event.tenant for event in written],
            "actors": [event.actor for event in written],
            "actions": [event.action for event in written],
            "subjects": [event.subject for event in written],
            # What has no canonical form fails here, at its author, not when it is to be sealed.
            "details": [chain.canonical(dict(event.details)).decode() for event in written],
        },
    )


class PostgresAuditLog:
    """The audit log, as `ports.AuditLog`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, events: Sequence[AuditEvent]) -> None:
        async with self._database.transaction() as connection:
            await append(connection, events)

    async def head(self, tenant: str) -> Head:
        async with self._database.connection() as connection:
            cursor = await connection.execute(SQL["heads"], {"tenants": [tenant]})
            row = await cursor.fetchone()
        return Head(sequence=row["sequence"], hash=row["hash"]) if row else Head()

    async def at(self, tenant: str, sequence: int) -> Head | None:
        async with self._database.connection() as connection:
            cursor = await connection.execute(
                SQL["sealed_at"], {"tenant": tenant, "sequence": sequence}
            )
            row = await cursor.fetchone()
        return Head(sequence=row["sequence"], hash=row["hash"]) if row else None

    async def waiting(self, tenant: str) -> Waiting:
        async with self._database.connection() as connection:
            row = await (await connection.execute(SQL["waiting"], {"tenant": tenant})).fetchone()
        assert row
        return Waiting(events=row["events"], oldest_seconds=row["oldest_seconds"])

    async def sealed(self, tenant: str, *, after: int) -> AsyncIterator[list[SealedEvent]]:
        while True:
            arguments = {"tenant": tenant, "after": after, "limit": PAGE}
            async with self._database.connection() as connection:
                rows = await (await connection.execute(SQL["sealed"], arguments)).fetchall()
            if not rows:
                return
            yield [_sealed(row) for row in rows]
            after = rows[-1]["sequence"]

    async def untold(self, tenant: str, *, limit: int) -> list[str]:
        found: list[str] = []
        after = uuid.UUID(int=0)
        while len(found) < limit:
            arguments = {"tenant": tenant, "after": after, "limit": PAGE}
            async with self._database.connection() as connection:
                rows = await (await connection.execute(SQL["untold"], arguments)).fetchall()
            found += [names.validation_name(row["id"]) for row in rows if row["untold"]]
            if len(rows) < PAGE:
                break
            after = rows[-1]["id"]
        return found[:limit]

    async def listed(
        self, tenant: str, wanted: AuditFilter, *, after: Place | None, limit: int
    ) -> list[SealedEvent]:
        given: dict[str, Any] = {
            "tenant": tenant,
            "subject": wanted.subject,
            "actor": wanted.actor,
            "action": wanted.action,
            "limit": limit,
            # What is sealed between two pages keeps its id, and so is not listed twice.
            "id_below": after.id if after and not after.sequence else NEWEST,
            "before": after.sequence if after and after.sequence else NEWEST,
        }
        sealed = "listed_of_subject" if wanted.subject else "listed"
        async with self._database.transaction() as connection:
            # What is sealed between the two statements would be in both of them.
            await connection.execute(SQL["at_one_time"])
            rows: list[DictRow] = []
            if after is None or not after.sequence:
                rows = await (await connection.execute(SQL["listed_waiting"], given)).fetchall()
            given["limit"] = limit - len(rows)
            rows += await (await connection.execute(SQL[sealed], given)).fetchall()
        return [_sealed(row) for row in rows]


def members(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a row holds of an event; raises ValueError if its details cannot be read."""
    return {
        "id": row["id"],
        "tenant": row["tenant"],
        "actor": row["actor"],
        "action": row["action"],
        "subject": row["subject"],
        "details": chain.parse(row["details"]),
        "time": row["time"],
    }


def _sealed(row: Mapping[str, Any]) -> SealedEvent:
    sequence, sealed_hash = row["sequence"] or 0, row["hash"] or b""
    try:
        return SealedEvent(**members(row), sequence=sequence, hash=sealed_hash)
    except ValueError as exc:
        raise ChainBroken(sequence=sequence, problem=f"its details cannot be read: {exc}") from exc
