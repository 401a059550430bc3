"""Store in PostgreSQL what befell messages of legacy systems."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from absah_server.core.audit import AuditEvent
from absah_server.core.callers import Caller
from absah_server.core.dead_letters import (
    DeadLetter,
    DeadLetterFilter,
    DeadLetterGroup,
    MessageAttempt,
    MessageOutcome,
)
from absah_server.core.errors import DeadLetterNotFound
from absah_server.store import audit, queries
from absah_server.store.database import Connection, Database

SQL = queries.load("dead_letters")


class PostgresDeadLetters:
    """What befell messages, as `core.dead_letters.DeadLetters`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, caller: Caller, attempts: Sequence[MessageAttempt]) -> None:
        async with self._database.transaction() as connection:
            events = []
            # In one order, so that two bridges do not wait for each other; of one message it stays.
            for attempt in sorted(attempts, key=lambda each: (each.system, each.message_key)):
                id_ = await _note(connection, caller, attempt)
                if id_ is not None and attempt.outcome.by_person:
                    events.append(_event(caller, id_, attempt))
            await audit.append(connection, events)

    async def groups(
        self, tenant: str, system: str, *, offset: int, limit: int
    ) -> list[DeadLetterGroup]:
        arguments = {"tenant": tenant, "system": system, "offset": offset, "limit": limit}
        async with self._database.connection() as connection:
            cursor = await connection.execute(SQL["groups"], arguments)
            return [DeadLetterGroup(**row) for row in await cursor.fetchall()]

    async def listed(
        self, tenant: str, wanted: DeadLetterFilter, *, before: int | None, limit: int
    ) -> list[DeadLetter]:
        arguments = {
            "tenant": tenant,
            "system": wanted.system,
            "cause": wanted.cause,
            "field": wanted.field,
            "state": wanted.state.value,
            "before": before,
            "limit": limit,
        }
        async with self._database.connection() as connection:
            cursor = await connection.execute(SQL["listed"], arguments)
            return [_dead_letter(row) for row in await cursor.fetchall()]

    async def get(self, tenant: str, id: int) -> DeadLetter:  # noqa: A002
        async with self._database.connection() as connection:
            cursor = await connection.execute(SQL["get"], {"tenant": tenant, "id": id})
            row = await cursor.fetchone()
            if row is None:
                raise DeadLetterNotFound(name=f"deadLetters/{id}")
            attempts = await connection.execute(SQL["attempts"], {"id": id})
            return _dead_letter(row, [_attempt(row, each) for each in await attempts.fetchall()])


async def _note(connection: Connection, caller: Caller, attempt: MessageAttempt) -> int | None:
    """Write one; its message's id, None if it was known."""
    arguments = {
        "tenant": caller.tenant,
        "actor": caller.client,
        "note_id": attempt.note_id,
        "system": attempt.system,
        "message_key": attempt.message_key,
        "queue": attempt.queue,
        "outcome": attempt.outcome.value,
        "by_person": attempt.outcome.by_person or attempt.outcome is MessageOutcome.ANSWERED,
        "cause": attempt.cause,
        "field": attempt.field,
        "position": attempt.position,
        "problem": attempt.problem,
        "attempt": attempt.attempt,
        "event_time": attempt.event_time,
    }
    row = await (await connection.execute(SQL["note"], arguments)).fetchone()
    if row is None:
        return None
    await connection.execute(SQL["stand"], {**arguments, "id": row["id"]})
    return int(row["id"])


def _event(caller: Caller, id_: int, attempt: MessageAttempt) -> AuditEvent:
    return AuditEvent(
        tenant=caller.tenant,
        actor=caller.client,
        action=f"dead_letter.{attempt.outcome.value.lower()}",
        subject=f"deadLetters/{id_}",
        details={
            "system": attempt.system,
            # In a person's own words there may be names and numbers of citizens.
            "reason_sha256": hashlib.sha256(attempt.problem.encode()).hexdigest(),
        },
    )


def _dead_letter(row: Mapping[str, Any], attempts: Sequence[MessageAttempt] = ()) -> DeadLetter:
    return DeadLetter(
        id=row["id"],
        system=row["system"],
        message_key=row["message_key"],
        queue=row["queue"],
        state=MessageOutcome(row["state"]),
        cause=row["cause"],
        field=row["field"],
        position=row["position"],
        problem=row["problem"],
        attempt_count=row["attempt"],
        create_time=row["create_time"],
        update_time=row["update_time"],
        attempts=attempts,
    )


def _attempt(message: Mapping[str, Any], row: Mapping[str, Any]) -> MessageAttempt:
    return MessageAttempt(
        note_id=row["note_id"],
        system=message["system"],
        message_key=message["message_key"],
        queue=message["queue"],
        attempt=row["attempt"],
        outcome=MessageOutcome(row["outcome"]),
        cause=row["cause"],
        field=row["field"],
        position=row["position"],
        problem=row["problem"],
        event_time=row["event_time"],
    )
