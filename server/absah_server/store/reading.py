"""Read validations from PostgreSQL: one with its results, or pages of many without them."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from absah_server.core import names
from absah_server.core.listing import ValidationFilter
from absah_server.core.policy import Decision
from absah_server.core.validation import CheckResult, HumanDecision, State, Validation
from absah_server.store import archive, queries, validations
from absah_server.store.database import Connection

SQL = queries.load("validations")
Key = tuple[str, str, str]
"""Tenant, client, request id."""


async def get(connection: Connection, tenant: str, validation_id: uuid.UUID) -> Validation | None:
    """One validation with the results of the checks that have ended."""
    cursor = await connection.execute(SQL["get"], {"tenant": tenant, "id": validation_id})
    row = await cursor.fetchone()
    if row is None:
        return None
    results = await _results(connection, [validation_id])
    return _validation(row, results.get(validation_id, ()))


async def find(
    connection: Connection, keys: Sequence[Key]
) -> Mapping[Key, tuple[Validation, bytes]]:
    """Validations by request id, with the digests of their requests and their results."""
    parameters = validations.columns(("tenant", "client", "request_id"), keys)
    rows = await (await connection.execute(SQL["find"], parameters)).fetchall()
    if not rows:
        return {}
    results = await _results(connection, [row["id"] for row in rows])
    return {
        (row["tenant"], row["client"], row["request_id"]): (
            _validation(row, results.get(row["id"], ())),
            row["request_digest"],
        )
        for row in rows
    }


async def page(
    connection: Connection,
    tenant: str,
    wanted: ValidationFilter,
    *,
    before: uuid.UUID | None,
    limit: int,
) -> list[Validation]:
    """The newest `limit` validations of a filter whose ids are below `before`."""
    statement, parameters = listing(tenant, wanted, before=before, limit=limit)
    rows = await (await connection.execute(SQL[statement], parameters)).fetchall()
    return [_validation(row, ()) for row in rows]


def listing(
    tenant: str, wanted: ValidationFilter, *, before: uuid.UUID | None, limit: int
) -> tuple[str, dict[str, Any]]:
    """The statement that lists by the narrowest part of a filter, and its parameters."""
    end = (names.time_of(before), before) if before else (_LAST_TIME, _LOWEST)
    if wanted.end_time:
        end = min(end, (wanted.end_time, _LOWEST))
    name, _, version = wanted.policy.partition("@")
    parameters = {
        "tenant": tenant,
        "state": wanted.state.value if wanted.state else None,
        "decision": wanted.decision.value if wanted.decision else None,
        "policy_name": name or None,
        "policy": wanted.policy if version else None,
        "request_id": wanted.request_id or None,
        "before_time": end[0],
        "before": end[1],
        "start_time": wanted.start_time,
        "limit": limit,
    }
    for part, statement in (
        ("request_id", "list_by_request"),
        ("policy_name", "list_by_policy"),
        ("decision", "list_by_decision"),
        ("state", "list_by_state"),
    ):
        if parameters[part] is not None:
            return statement, parameters
    return "list_all", parameters


_LAST_TIME = datetime.datetime.max.replace(tzinfo=datetime.UTC)
_LOWEST = uuid.UUID(int=0)


async def _results(
    connection: Connection, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[CheckResult]]:
    found: dict[uuid.UUID, list[CheckResult]] = {}
    for row in await (await connection.execute(SQL["results"], {"id": list(ids)})).fetchall():
        result = archive.check_result.read(row["result"])
        found.setdefault(row["validation_id"], []).append(result)
    return found


def _validation(row: Mapping[str, Any], results: Sequence[CheckResult]) -> Validation:
    return Validation(
        name=names.validation_name(row["id"]),
        request_id=row["request_id"],
        state=State(row["state"]),
        check_results=results,
        verdict=archive.verdict.read(row["verdict"]) if row["verdict"] else None,
        record=archive.record.read(row["record"]),
        create_time=row["create_time"],
        update_time=row["update_time"],
        error=archive.fault.read(row["error"]) if row["error"] else None,
        human_decision=_human_decision(row),
    )


def _human_decision(row: Mapping[str, Any]) -> HumanDecision | None:
    if row["human_decision"] is None:
        return None
    return HumanDecision(
        decision=Decision(row["human_decision"]),
        reason=row["human_reason"],
        reviewer=row["reviewer"],
        decide_time=row["decide_time"],
    )
