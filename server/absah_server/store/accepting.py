"""Write accepted validations, many in one transaction: rows, documents, jobs and audit events."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg

from absah_server.core.acceptance import Entry
from absah_server.core.audit import AuditEvent
from absah_server.core.errors import RequestIdReused
from absah_server.core.submission import Priority
from absah_server.core.validation import Validation
from absah_server.store import archive, audit, documents, queries, reading, validations
from absah_server.store.database import Connection, Database
from absah_server.store.documents import KeptContent

log = logging.getLogger(__name__)
SQL = queries.load("validations")
TRIES = 5
JOB_PRIORITIES = {Priority.HIGH: 10, Priority.NORMAL: 0, Priority.LOW: -10}
"""Of jobs, where the highest goes first."""

Answer = Validation | RequestIdReused | None
"""None where the validation that had the request id went away meanwhile."""


class AcceptedWriter:
    """Writes entries. `lock_of` names the lock of an entry's job, of which one runs at a time."""

    def __init__(self, database: Database, *, lock_of: Callable[[Entry], str | None]) -> None:
        self._database = database
        self._lock_of = lock_of

    async def write(self, entries: Sequence[Entry]) -> Sequence[Answer]:
        """Write entries in one transaction and answer each, with what was there where it was.

        Raises `StoreUnavailable`, or `DocumentNotFound` for a document that one names.
        """
        for _ in range(TRIES - 1):
            try:
                return await self._write(entries)
            except psycopg.errors.DeadlockDetected:
                # Documents are locked as they are named, sent and made: where others name what is
                # sent here and send what is named, one of the two begins anew.
                log.info("accepting once more", extra={"entries": len(entries)})
        return await self._write(entries)

    async def _write(self, entries: Sequence[Entry]) -> Sequence[Answer]:
        async with self._database.transaction() as connection:
            fresh = await _insert(connection, entries)
            if fresh:
                await self._complete(connection, fresh)
        written = {entry.id for entry in fresh}
        others = [entry for entry in entries if entry.id not in written]
        found = await self._earlier(others) if others else {}
        return [
            entry.validation if entry.id in written else _answer(entry, found.get(_key(entry)))
            for entry in entries
        ]

    async def _complete(self, connection: Connection, fresh: Sequence[Entry]) -> None:
        """Write what belongs to new rows, with as few waits for PostgreSQL as can be."""
        ended = [(e.id, e.caller.tenant, e.validation) for e in fresh if _ended(e)]
        async with connection.pipeline():
            await self._defer(connection, [entry for entry in fresh if not _ended(entry)])
            await _write_documents(connection, fresh)
            await validations.write_outcome(connection, ended)
            await audit.append(connection, [_event(entry) for entry in fresh])

    async def _defer(self, connection: Connection, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        names = ("id", "priority", "lock", "trace")
        rows = [
            (
                entry.id.hex,
                JOB_PRIORITIES[entry.request.priority],
                self._lock_of(entry),
                json.dumps(dict(entry.trace)),
            )
            for entry in entries
        ]
        row = await (
            await connection.execute(SQL["defer"], validations.columns(names, rows))
        ).fetchone()
        assert row
        await connection.execute(SQL["note_jobs"], row)

    async def _earlier(
        self, entries: Sequence[Entry]
    ) -> Mapping[reading.Key, tuple[Validation, bytes]]:
        async with self._database.connection() as connection:
            return await reading.find(connection, [_key(entry) for entry in entries])


async def _insert(connection: Connection, entries: Sequence[Entry]) -> list[Entry]:
    """Write the rows of those whose request id is new, and return them."""
    cursor = await connection.execute(
        SQL["insert"], validations.columns(_COLUMNS, list(map(_row, entries)))
    )
    ids = {row["id"] for row in await cursor.fetchall()}
    return [entry for entry in entries if entry.id in ids]


_COLUMNS = (
    "id", "tenant", "client", "request_id", "request_digest", "policy", "priority", "request",
    "create_time", "state", "decision", "record", "verdict", "error", "update_time",
)  # fmt: skip


def _row(entry: Entry) -> tuple[Any, ...]:
    validation = entry.validation
    ending = validations.ending(validation)
    return (
        entry.id,
        entry.caller.tenant,
        entry.caller.client,
        validation.request_id,
        entry.digest,
        validation.record.policy,
        int(entry.request.priority),
        archive.request.write(entry.request),
        validation.create_time,
        *(ending[name] for name in _COLUMNS[9:]),
    )


async def _write_documents(connection: Connection, entries: Sequence[Entry]) -> None:
    """Refer to all documents: those that were named must still be there."""
    sent: dict[str, list[KeptContent]] = defaultdict(list)
    named: dict[str, set[str]] = defaultdict(set)
    references = []
    for entry in entries:
        tenant = entry.caller.tenant
        named[tenant] |= entry.stored
        for record in entry.validation.record.documents:
            digest = bytes.fromhex(record.digest)
            references.append((entry.id, record.document, tenant, digest, False))
            if record.digest not in entry.stored:
                sent[tenant].append(
                    KeptContent(
                        digest=record.digest,
                        size_bytes=record.size_bytes,
                        media_type=record.media_type,
                    )
                )
    for tenant in sorted(named):
        if named[tenant]:
            await documents.hold(connection, tenant, named[tenant])
    for tenant in sorted(sent):
        await documents.keep(connection, tenant, sent[tenant])
    await validations.refer(connection, references)


def _event(entry: Entry) -> AuditEvent:
    caller = entry.caller
    if _ended(entry):
        return validations.ended_event(entry.validation, tenant=caller.tenant, actor=caller.client)
    return AuditEvent(
        tenant=caller.tenant,
        actor=caller.client,
        action="validation.accepted",
        subject=entry.validation.name,
        details={
            **validations.inputs(entry.validation.record),
            "request_id": entry.validation.request_id,
            "request_sha256": entry.digest.hex(),
        },
    )


def _ended(entry: Entry) -> bool:
    return entry.validation.state.ended


def _key(entry: Entry) -> reading.Key:
    return entry.caller.tenant, entry.caller.client, entry.validation.request_id


def _answer(entry: Entry, found: tuple[Validation, bytes] | None) -> Answer:
    if found is None:
        return None
    validation, digest = found
    if digest == entry.digest:
        return validation
    return RequestIdReused(request_id=entry.validation.request_id, name=validation.name)
