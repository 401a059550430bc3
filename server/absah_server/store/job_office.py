"""Show jobs to operators, and do to them what operators ask, with an audit event for each act."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from absah_server.core import names
from absah_server.core.audit import AuditEvent
from absah_server.core.callers import Caller
from absah_server.core.errors import DocumentNotFound, JobInWrongState, JobNotFound
from absah_server.core.jobs import (
    AttemptOutcome,
    AttemptRecord,
    Job,
    JobFilter,
    JobState,
    job_name,
)
from absah_server.core.submission import Priority
from absah_server.store import archive, audit, documents, queries, validations
from absah_server.store.database import Connection, Database
from absah_server.store.validation_store import PostgresValidations

SQL = queries.load("job_office")
STATUSES: Mapping[JobState, tuple[str, ...]] = {
    JobState.WAITING: ("todo",),
    JobState.RUNNING: ("doing",),
    JobState.SUCCEEDED: ("succeeded",),
    JobState.FAILED: ("failed",),
    JobState.CANCELLED: ("cancelled", "aborted"),
}
"""What procrastinate calls them."""
PURGED_TOGETHER = 5000


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresJobs:
    """Jobs, as `jobs.JobOffice`."""

    database: Database
    validations: PostgresValidations

    async def page(
        self, tenant: str, wanted: JobFilter, *, before: int | None, limit: int
    ) -> Sequence[Job]:
        async with self.database.connection() as connection:
            job_id = None
            if wanted.validation_id:
                job_id = await _job_of(connection, tenant, wanted.validation_id)
                if job_id is None:
                    return []
            rows = await _rows(
                connection, tenant, wanted, job_id=job_id, before=before, limit=limit
            )
        return [_job(row, [_attempt(row)] if row["number"] is not None else []) for row in rows]

    async def get(self, tenant: str, job_id: int) -> Job:
        async with self.database.connection() as connection:
            return await _get(connection, tenant, job_id)

    async def retry(self, caller: Caller, job_id: int) -> Job:
        async with self.database.transaction() as connection:
            # Before the validation, in the order of whoever deletes a document.
            missing = await _hold_documents(connection, caller.tenant, job_id)
            found = await _lock(connection, caller.tenant, job_id)
            identified = {"job_id": job_id, "validation_id": found["validation_id"]}
            if found["erased"]:
                raise _cannot(job_id, found, "its contents are erased, so it cannot be retried")
            if found["state"] == "FAILED" and found["status"] == "failed":
                if missing:
                    raise _cannot(job_id, found, f"{missing}, then it can be retried") from missing
                await connection.execute(SQL["reopen"], identified)
                await connection.execute(SQL["retry_failed"], identified)
            elif found["status"] == "todo" and found["scheduled"]:
                await connection.execute(SQL["forgive"], identified)
                await connection.execute(SQL["hasten"], identified)
            else:
                problem = "only one that failed, or waits to be tried again, can be retried"
                raise _cannot(job_id, found, problem)
            await connection.execute(SQL["tell"], identified)
            await validations.notify(connection, [found["validation_id"]])
            await audit.append(connection, [_event(caller, "job.retried", job_id, found)])
            return await _get(connection, caller.tenant, job_id)

    async def cancel(self, caller: Caller, job_id: int) -> Job:
        found = await self.get(caller.tenant, job_id)
        await self.validations.cancel(caller, found.validation_id)
        return await self.get(caller.tenant, job_id)

    async def purge(
        self, caller: Caller, states: Sequence[JobState], *, older_than_seconds: float
    ) -> int:
        count = 0
        while True:
            purged = await self._purge_some(caller, states, older_than_seconds)
            count += purged
            if purged < PURGED_TOGETHER:
                return count

    async def _purge_some(
        self, caller: Caller, states: Sequence[JobState], older_than_seconds: float
    ) -> int:
        parameters = {
            "tenant": caller.tenant,
            "statuses": [status for state in states for status in STATUSES[state]],
            "older_than_seconds": older_than_seconds,
            "limit": PURGED_TOGETHER,
        }
        async with self.database.transaction() as connection:
            purged = await (await connection.execute(SQL["purge"], parameters)).fetchall()
            if purged:
                event = AuditEvent(
                    tenant=caller.tenant,
                    actor=caller.client,
                    action="jobs.purged",
                    subject="jobs",
                    details={
                        "count": len(purged),
                        "states": [state.value for state in states],
                        "older_than_seconds": older_than_seconds,
                    },
                )
                await audit.append(connection, [event])
        return len(purged)


async def _get(connection: Connection, tenant: str, job_id: int) -> Job:
    rows = await _rows(connection, tenant, JobFilter(), job_id=job_id, before=None, limit=1)
    if not rows:
        raise JobNotFound(name=job_name(job_id))
    cursor = await connection.execute(SQL["attempts"], rows[0])
    return _job(rows[0], [_attempt(row) for row in await cursor.fetchall()])


async def _rows(
    connection: Connection,
    tenant: str,
    wanted: JobFilter,
    *,
    job_id: int | None,
    before: int | None,
    limit: int,
) -> list[dict[str, Any]]:
    name, _, version = wanted.policy.partition("@")
    parameters = {
        "tenant": tenant,
        "statuses": list(STATUSES[wanted.state]) if wanted.state else None,
        "policy": wanted.policy if version else None,
        "policy_name": name if name and not version else None,
        "job_id": job_id,
        "before": before,
        "limit": limit,
    }
    return await (await connection.execute(SQL["page"], parameters)).fetchall()


async def _job_of(connection: Connection, tenant: str, validation_id: uuid.UUID) -> int | None:
    parameters = {"tenant": tenant, "validation_id": validation_id}
    row = await (await connection.execute(SQL["job_of"], parameters)).fetchone()
    return row["job_id"] if row else None


async def _lock(connection: Connection, tenant: str, job_id: int) -> dict[str, Any]:
    parameters = {"tenant": tenant, "job_id": job_id}
    row = await (await connection.execute(SQL["lock"], parameters)).fetchone()
    if row is None:
        raise JobNotFound(name=job_name(job_id))
    return row


async def _hold_documents(
    connection: Connection, tenant: str, job_id: int
) -> DocumentNotFound | None:
    """Keep what a job's validation looks at until the transaction ends; tell what is gone."""
    asked = {"tenant": tenant, "job_id": job_id}
    rows = await (await connection.execute(SQL["documents"], asked)).fetchall()
    try:
        await documents.hold(connection, tenant, [row["sha256"].hex() for row in rows])
    except DocumentNotFound as exc:
        return exc
    return None


def _job(row: Mapping[str, Any], attempts: Sequence[AttemptRecord]) -> Job:
    return Job(
        id=row["id"],
        validation_id=row["validation_id"],
        policy=row["policy"],
        state=_state(row["status"]),
        priority=Priority(row["priority"]),
        lock=row["lock"] or "",
        schedule_time=row["scheduled_at"] if row["status"] == "todo" else None,
        attempt_count=row["attempt"],
        create_time=row["create_time"],
        attempts=attempts,
    )


def _state(status: str) -> JobState:
    return next(state for state, statuses in STATUSES.items() if status in statuses)


def _attempt(row: Mapping[str, Any]) -> AttemptRecord:
    return AttemptRecord(
        number=row["number"],
        worker=row["worker"],
        start_time=row["start_time"],
        end_time=row["end_time"],
        outcome=AttemptOutcome(row["outcome"]) if row["outcome"] else None,
        error=archive.fault.read(row["error"]) if row["error"] else None,
    )


def _cannot(job_id: int, found: Mapping[str, Any], problem: str) -> JobInWrongState:
    state = _state(found["status"]).value
    return JobInWrongState(name=job_name(job_id), state=state, wanted=problem)


def _event(caller: Caller, action: str, job_id: int, found: Mapping[str, Any]) -> AuditEvent:
    return AuditEvent(
        tenant=caller.tenant,
        actor=caller.client,
        action=action,
        subject=names.validation_name(found["validation_id"]),
        details={"job": job_name(job_id), "state": found["state"]},
    )
