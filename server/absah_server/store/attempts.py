"""Write how attempts at validations go on: many in one transaction, none that is overtaken.

A worker's attempt counts as long as it is the latest of a validation that is running; of one that
was cancelled, or taken over while the worker slept, nothing is written.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from absah_server.core.validation import CheckResult, Fault, Validation
from absah_server.core.working import (
    Again,
    Attempt,
    Concluded,
    Dropped,
    GivenBack,
    Settlement,
)
from absah_server.store import archive, audit, queries, validations
from absah_server.store.database import Connection

SQL = queries.load("attempts")
JOBS = queries.load("jobs")


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """How a job of a worker goes on; `attempt` is None where its validation had ended before."""

    worker_id: int
    job_id: int
    attempt: Attempt | None
    settlement: Settlement


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """A check that has ended in a validation that has not, at its position in the plan."""

    attempt: Attempt
    position: int
    result: CheckResult
    end_time: object


async def settle(connection: Connection, settled: Sequence[Settled]) -> None:
    """Write what has become of attempts, with their jobs, in the transaction of `connection`.

    All are of one worker. Contents of artifacts must be durable before.
    """
    latest = await _hold(connection, [each.attempt for each in settled if each.attempt])
    held = [(each, _effect(each, latest)) for each in settled]
    ended = [
        (each.attempt, effect.validation)
        for each, effect in held
        if each.attempt and isinstance(effect, Concluded)
    ]
    waiting = [
        each.attempt.validation_id
        for each, effect in held
        if each.attempt and isinstance(effect, Again | GivenBack)
    ]
    async with connection.pipeline():
        await _conclude(connection, ended)
        if waiting:
            await connection.execute(SQL["wait"], {"ids": waiting})
        await _end(connection, [(e.attempt, effect) for e, effect in held if e.attempt])
        await _settle_jobs(connection, held)
        if changed := [*waiting, *(attempt.validation_id for attempt, _ in ended)]:
            await validations.notify(connection, changed)


async def write_progress(connection: Connection, progress: Sequence[Progress]) -> None:
    """Write results of checks whose attempts are the latest, and tell of it."""
    names = (
        "validation_id", "attempt", "position", "checker", "document", "outcome", "result",
        "end_time",
    )  # fmt: skip
    rows = [
        (
            each.attempt.validation_id,
            each.attempt.number,
            each.position,
            each.result.checker,
            each.result.document,
            each.result.result.outcome.value,
            archive.check_result.write(each.result),
            each.end_time,
        )
        for each in progress
    ]
    await connection.execute(SQL["write_results"], validations.columns(names, rows))


async def latest(connection: Connection, attempts: Sequence[Attempt]) -> set[uuid.UUID]:
    """The validations of which these attempts are the latest, and which are running."""
    return await _held(connection, "latest", attempts)


async def _hold(connection: Connection, attempts: Sequence[Attempt]) -> set[uuid.UUID]:
    return await _held(connection, "hold", attempts)


async def _held(
    connection: Connection, statement: str, attempts: Sequence[Attempt]
) -> set[uuid.UUID]:
    if not attempts:
        return set()
    own = validations.columns(
        ("validation_id", "attempt"), [(each.validation_id, each.number) for each in attempts]
    )
    rows = await (await connection.execute(SQL[statement], own)).fetchall()
    return {row["id"] for row in rows}


def _effect(settled: Settled, latest: set[uuid.UUID]) -> Settlement:
    if settled.attempt is None or settled.attempt.validation_id not in latest:
        return Dropped()
    return settled.settlement


async def _conclude(connection: Connection, ended: Sequence[tuple[Attempt, Validation]]) -> None:
    if not ended:
        return
    endings = [
        {"id": attempt.validation_id, **validations.ending(validation)}
        for attempt, validation in ended
    ]
    names = tuple(endings[0])
    rows = [tuple(ending[name] for name in names) for ending in endings]
    await connection.execute(SQL["conclude"], validations.columns(names, rows))
    await validations.write_outcome(
        connection,
        [(attempt.validation_id, attempt.tenant, validation) for attempt, validation in ended],
    )
    await audit.append(
        connection,
        [
            validations.ended_event(validation, tenant=attempt.tenant, actor="absah")
            for attempt, validation in ended
        ],
    )


async def _end(
    connection: Connection, effects: Sequence[tuple[Attempt | None, Settlement]]
) -> None:
    ended = [
        (attempt.validation_id, attempt.number, *_outcome(effect))
        for attempt, effect in effects
        if attempt and not isinstance(effect, Dropped)
    ]
    dropped = [
        (attempt.validation_id, attempt.number)
        for attempt, effect in effects
        if attempt and isinstance(effect, Dropped)
    ]
    names = ("validation_id", "attempt", "outcome", "error")
    if ended:
        await connection.execute(SQL["end"], validations.columns(names, ended))
    if dropped:
        await connection.execute(SQL["end_dropped"], validations.columns(names[:2], dropped))


def _outcome(effect: Concluded | Again | GivenBack) -> tuple[str, str | None]:
    match effect:
        case Concluded(validation=validation):
            return validation.state.value, _written(validation.error)
        case Again(fault=fault):
            return "RETRIED", _written(fault)
        case GivenBack():
            return "CANCELLED", None


def _written(fault: Fault | None) -> str | None:
    return archive.fault.write(fault) if fault else None


async def _settle_jobs(connection: Connection, held: Sequence[tuple[Settled, Settlement]]) -> None:
    worker_id = held[0][0].worker_id
    finished = []
    again = []
    dropped = []
    for each, effect in held:
        match effect:
            case Concluded(validation=validation):
                finished.append((each.job_id, validation.state.value.lower()))
            case Again(delay_seconds=delay_seconds):
                again.append((each.job_id, delay_seconds))
            case GivenBack():
                again.append((each.job_id, 0.0))
            case Dropped():
                dropped.append((each.job_id,))
    for statement, names, rows in (
        ("finish", ("job_id", "status"), finished),
        ("again", ("job_id", "delay_seconds"), again),
        ("finish_ended", ("job_id",), dropped),
    ):
        if rows:
            parameters = validations.columns(names, rows)
            await connection.execute(JOBS[statement], {"worker_id": worker_id, **parameters})
