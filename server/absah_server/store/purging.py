"""Find and delete in PostgreSQL what has been kept long enough; see `core.purging.Expiry`."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from absah_server.core import names
from absah_server.core.audit import AuditEvent
from absah_server.core.callers import Caller
from absah_server.core.purging import Cutoffs, Purged
from absah_server.store import archive, audit, documents, erasing, queries
from absah_server.store.database import Connection, Database

log = logging.getLogger(__name__)
SQL = queries.load("purging")
Row = Mapping[str, Any]
RELEASED_AT_A_TIME = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresExpiry:
    """What is due, as `core.purging.Expiry`."""

    database: Database

    async def erase_validations(
        self, cutoffs: Cutoffs, *, actor: str, limit: int, tenant: str | None = None
    ) -> tuple[int, Purged]:
        """As `Expiry.erase_validations`."""
        given = _parameters(cutoffs)
        if given is None:
            return 0, Purged()
        async with self.database.transaction() as connection:
            due = await _all(connection, "due_validations", given | {"limit": limit})
            if not due:
                return 0, Purged()
            ids = [row["id"] for row in due]
            await erasing.write_results(connection, await _all(connection, "results", {"ids": ids}))
            await connection.execute(SQL["erase_reasons"], {"ids": ids})
            await _erase(connection, due)
            await audit.append(connection, [_erased_event(row, actor) for row in due])
            locked = await _all(connection, "lock_documents_of", {"ids": ids})
            deleted = await _delete(connection, locked, actor)
        return len(due), _purged(deleted, tenant, validations=_of(due, tenant))

    async def expire_documents(
        self, *, actor: str, limit: int, tenant: str | None = None
    ) -> tuple[int, Purged]:
        """As `Expiry.expire_documents`."""
        async with self.database.transaction() as connection:
            locked = await _all(connection, "lock_expired", {"limit": limit})
            ready = [row for row in locked if row["state"] == "READY"]
            deleted = await _delete(connection, ready, actor)
            if ready:
                await connection.execute(SQL["keep_needed"], _keys(ready))
            if uploads := [row for row in locked if row["state"] == "UPLOADING"]:
                await connection.execute(SQL["drop_uploads"], _keys(uploads))
        return len(locked), _purged(deleted, tenant)

    async def remove_contents(
        self,
        remove: Callable[[str], Awaitable[None]],
        *,
        grace_seconds: float,
        limit: int,
        tenant: str | None = None,
    ) -> tuple[int, int]:
        """As `Expiry.remove_contents`.

        The lock is held until the contents are gone: who refers to one anew waits, and then keeps
        it again.
        """
        given = {"grace_seconds": grace_seconds, "limit": limit}
        async with self.database.transaction() as connection:
            marked = {row["sha256"] for row in await _all(connection, "lock_unneeded", given)}
            if not marked:
                return 0, 0
            chosen = {"sha256s": list(marked)}
            needed = {row["sha256"] for row in await _all(connection, "still_needed", chosen)}
            removing = (remove(digest.hex()) for digest in marked - needed)
            # To the end of each, under the lock, though one fails.
            for answer in await asyncio.gather(*removing, return_exceptions=True):
                if answer is not None:
                    raise answer
            await connection.execute(SQL["forget_unneeded"], chosen)
            if tenant is None:
                return len(marked), len(marked - needed)
            were = {"sha256s": list(marked - needed), "tenant": tenant}
            (row,) = await _all(connection, "were_of", were)
        return len(marked), row["contents"]

    async def mark_unknown(self, digests: Sequence[str]) -> None:
        """As `Expiry.mark_unknown`."""
        given = {"sha256s": [bytes.fromhex(digest) for digest in digests]}
        async with self.database.connection() as connection:
            await connection.execute(SQL["mark_unknown"], given)

    async def release_unneeded(self) -> None:
        """As `Expiry.release_unneeded`."""
        last: Row | None = {"tenant": "", "sha256": b""}
        while last:
            given = {**last, "limit": RELEASED_AT_A_TIME}
            async with self.database.connection() as connection:
                last = next(iter(await _all(connection, "release_unneeded", given)), None)

    async def record(self, caller: Caller, done: Purged) -> None:
        """As `Expiry.record`."""
        event = AuditEvent(
            tenant=caller.tenant,
            actor=caller.client,
            action="purge.ended",
            subject="documents",
            details=asdict(done),
        )
        async with self.database.transaction() as connection:
            await audit.append(connection, [event])

    async def due(self, cutoffs: Cutoffs, *, grace_seconds: float, tenant: str) -> Purged:
        """As `Expiry.due`."""
        given = _parameters(cutoffs) or _NOTHING
        given = given | {"grace_seconds": grace_seconds, "tenant": tenant}
        async with self.database.connection() as connection:
            (row,) = await _all(connection, "due", given)
        return Purged(**row)


_NOTHING: dict[str, Any] = {"policies": [], "cutoffs": [], "default_cutoff": None, "latest": None}
"""Parameters by which no validation is due."""


def _parameters(cutoffs: Cutoffs) -> dict[str, Any] | None:
    """The cutoffs as parameters; None where everything is kept."""
    times = [time for time in (cutoffs.default, *cutoffs.by_policy.values()) if time]
    if not times:
        return None
    return {
        "policies": list(cutoffs.by_policy),
        "cutoffs": list(cutoffs.by_policy.values()),
        "default_cutoff": cutoffs.default,
        # Of an index, the others only filter.
        "latest": max(times),
    }


async def _all(connection: Connection, statement: str, given: Mapping[str, Any]) -> list[Row]:
    return list(await (await connection.execute(SQL[statement], given)).fetchall())


async def _erase(connection: Connection, due: Sequence[Row]) -> None:
    request, record, verdict = archive.request, archive.record, archive.verdict
    given = {
        "ids": [row["id"] for row in due],
        "requests": [request.write(erasing.request(request.read(row["request"]))) for row in due],
        "records": [record.write(erasing.record(record.read(row["record"]))) for row in due],
        "verdicts": [
            verdict.write(erasing.verdict(verdict.read(row["verdict"]))) if row["verdict"] else None
            for row in due
        ],
    }
    await connection.execute(SQL["erase_validations"], given)


async def _delete(connection: Connection, locked: Sequence[Row], actor: str) -> list[Row]:
    """Delete those of the locked documents that no validation needs."""
    if not locked:
        return []
    deleted = await _all(connection, "delete_unneeded", _keys(locked))
    if deleted:
        await documents.mark_unneeded(connection, [row["sha256"] for row in deleted])
        await audit.append(connection, _purged_events(deleted, actor))
    return deleted


def _keys(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "tenants": [row["tenant"] for row in rows],
        "sha256s": [row["sha256"] for row in rows],
    }


def _purged(deleted: Sequence[Row], tenant: str | None, *, validations: int = 0) -> Purged:
    size = sum(row["size_bytes"] for row in deleted if tenant in (None, row["tenant"]))
    return Purged(validations=validations, documents=_of(deleted, tenant), size_bytes=size)


def _of(rows: Sequence[Row], tenant: str | None) -> int:
    """How many are the tenant's; all where none is given."""
    return sum(tenant in (None, row["tenant"]) for row in rows)


def _erased_event(row: Row, actor: str) -> AuditEvent:
    return AuditEvent(
        tenant=row["tenant"],
        actor=actor,
        action="validation.erased",
        subject=names.validation_name(row["id"]),
    )


def _purged_events(deleted: Sequence[Row], actor: str) -> list[AuditEvent]:
    """One for each tenant, with the digests of its documents."""
    digests: dict[str, list[str]] = defaultdict(list)
    for row in deleted:
        digests[row["tenant"]].append(row["sha256"].hex())
    return [
        AuditEvent(
            tenant=tenant,
            actor=actor,
            action="documents.purged",
            subject="documents",
            details={"sha256s": sorted(some)},
        )
        for tenant, some in sorted(digests.items())
    ]
