"""Store reviews in PostgreSQL, each change with its audit event in one transaction.

A decision is written beside the validation and never into it: the verdict stays as it was made.
"""

from __future__ import annotations

import datetime
import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

from absah_server.core.audit import AuditEvent
from absah_server.core.callers import Caller
from absah_server.core.errors import (
    ReviewClaimed,
    ReviewDecided,
    ReviewNotClaimed,
    ReviewNotFound,
)
from absah_server.core.policy import Decision
from absah_server.core.review import Review, ReviewFilter, ReviewState, Ruling, review_name
from absah_server.core.validation import HumanDecision
from absah_server.store import archive, audit, queries
from absah_server.store.database import Connection, Database

SQL = queries.load("reviews")
LOWEST = uuid.UUID(int=0)


class PostgresReviews:
    """Reviews, as `ports.Reviews`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, tenant: str, review_id: uuid.UUID) -> Review:
        async with self._database.connection() as connection:
            return await _get(connection, tenant, review_id)

    async def listed(
        self, tenant: str, wanted: ReviewFilter, *, after: uuid.UUID | None, limit: int
    ) -> list[Review]:
        decided = wanted.state is ReviewState.DECIDED
        arguments = {
            "tenant": tenant,
            "after": after or LOWEST,
            "claimed": None if wanted.state is None else wanted.state is ReviewState.CLAIMED,
            "policy": wanted.policy,
            "reviewer": wanted.reviewer,
            "limit": limit,
        }
        async with self._database.connection() as connection:
            cursor = await connection.execute(SQL["decided" if decided else "open"], arguments)
            return [_review(row) for row in await cursor.fetchall()]

    async def claim(
        self, caller: Caller, review_id: uuid.UUID, *, reviewer: str, seconds: float
    ) -> Review:
        async with self._database.transaction() as connection:
            arguments = _of(caller, review_id, reviewer) | {"seconds": seconds}
            row = await (await connection.execute(SQL["claim"], arguments)).fetchone()
            made = await _get(connection, caller.tenant, review_id)
            if row is None:
                _refuse_decided(made)
                raise ReviewClaimed(name=made.name, reviewer=made.reviewer, until=_until(made))
            until = {"until": row["claim_expire_time"].isoformat(timespec="seconds")}
            await _tell(connection, caller, made, "review.claimed", reviewer, until)
            return made

    async def release(self, caller: Caller, review_id: uuid.UUID, *, reviewer: str) -> Review:
        async with self._database.transaction() as connection:
            arguments = _of(caller, review_id, reviewer)
            row = await (await connection.execute(SQL["release"], arguments)).fetchone()
            made = await _get(connection, caller.tenant, review_id)
            if row is None:
                _refuse_decided(made)
                raise ReviewNotClaimed(name=made.name, reviewer=reviewer)
            await _tell(connection, caller, made, "review.released", reviewer, {})
            return made

    async def decide(self, caller: Caller, review_id: uuid.UUID, ruling: Ruling) -> Review:
        async with self._database.transaction() as connection:
            arguments = _of(caller, review_id, ruling.reviewer) | {
                "decision": ruling.decision.value,
                "reason": ruling.reason,
            }
            row = await (await connection.execute(SQL["decide"], arguments)).fetchone()
            made = await _get(connection, caller.tenant, review_id)
            if row is None:
                if _is(made, ruling):
                    return made
                _refuse_decided(made)
                raise ReviewNotClaimed(name=made.name, reviewer=ruling.reviewer)
            details = {
                "decision": ruling.decision.value,
                "policy": made.policy,
                # In the reviewer's own words there may be names and numbers of citizens.
                "reason_sha256": hashlib.sha256(ruling.reason.encode()).hexdigest(),
                "verdict": made.verdict.decision.value if made.verdict else "",
            }
            await _tell(connection, caller, made, "review.decided", ruling.reviewer, details)
            return made


async def _get(connection: Connection, tenant: str, review_id: uuid.UUID) -> Review:
    cursor = await connection.execute(SQL["get"], {"tenant": tenant, "id": review_id})
    row = await cursor.fetchone()
    if row is None:
        raise ReviewNotFound(name=review_name(review_id))
    return _review(row)


def _review(row: Mapping[str, Any]) -> Review:
    waits = row["expired"]
    decision = None
    if row["decision"]:
        decision = HumanDecision(
            decision=Decision(row["decision"]),
            reason=row["reason"],
            reviewer=row["reviewer"],
            decide_time=row["decide_time"],
        )
    return Review(
        id=row["validation_id"],
        policy=row["policy"],
        state=ReviewState.WAITING if waits else ReviewState(row["state"]),
        reviewer="" if waits else row["reviewer"],
        create_time=row["create_time"],
        claim_expire_time=None if waits else row["claim_expire_time"],
        human_decision=decision,
        verdict=archive.verdict.read(row["verdict"]) if row.get("verdict") else None,
    )


def _of(caller: Caller, review_id: uuid.UUID, reviewer: str) -> dict[str, Any]:
    return {"tenant": caller.tenant, "id": review_id, "reviewer": reviewer}


def _refuse_decided(review: Review) -> None:
    if review.human_decision:
        raise ReviewDecided(
            name=review.name,
            reviewer=review.human_decision.reviewer,
            decision=review.human_decision.decision.value,
        )


def _until(review: Review) -> datetime.datetime:
    # A claim that ended since the update looked leaves none.
    return review.claim_expire_time or datetime.datetime.now(datetime.UTC)


def _is(review: Review, ruling: Ruling) -> bool:
    decided = review.human_decision
    return decided is not None and (decided.reviewer, decided.decision, decided.reason) == (
        ruling.reviewer,
        ruling.decision,
        ruling.reason,
    )


async def _tell(
    connection: Connection,
    caller: Caller,
    review: Review,
    action: str,
    reviewer: str,
    details: Mapping[str, Any],
) -> None:
    event = AuditEvent(
        tenant=caller.tenant,
        actor=reviewer,
        action=action,
        subject=review.validation,
        details={**details, "client": caller.client},
    )
    await audit.append(connection, [event])
