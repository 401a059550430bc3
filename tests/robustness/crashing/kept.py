"""What the database and the blob store hold once nothing moves any more."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from absah_server.core import names
from absah_server.core.auditing import Auditor
from absah_server.core.callers import Caller
from absah_server.store.audit import PostgresAuditLog
from absah_server.store.database import Database

UNENDED = "select count(*) as n from validations where state in ('PENDING', 'RUNNING')"
UNENDED_JOBS = "select count(*) as n from procrastinate_jobs where status in ('todo', 'doing')"
UNSEALED = "select count(*) as n from audit_events where sequence is null"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """A validation refers to a content."""

    tenant: str
    digest: str
    artifact: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptValidation:
    """A validation with all that belongs to it. `buckets` are by checker and document."""

    name: str
    tenant: str
    client: str
    request_id: str
    state: str
    decision: str
    error: str
    erased: bool
    attempt: int
    attempts: tuple[str, ...] = ()
    buckets: Mapping[tuple[str, str], int]
    references: tuple[Reference, ...] = ()
    actions: tuple[str, ...] = ()
    decisions_told: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    reviews: int = 0

    @property
    def key(self) -> tuple[str, str, str]:
        """What its request id belongs to."""
        return self.tenant, self.client, self.request_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """All that is kept. `contents` has the digest of each file's bytes by the file's name."""

    validations: Sequence[KeptValidation]
    documents: Mapping[tuple[str, str], str]
    """State by tenant and digest."""
    contents: Mapping[str, str]
    chains: Mapping[str, str]
    """What is wrong with each tenant's audit chain; '' where nothing is."""
    stray_jobs: int = 0
    """Jobs of validations that are not there."""


def moving(url: str) -> str:
    """What has not come to rest; '' where all has."""
    counts = {
        "validations": UNENDED,
        "jobs": UNENDED_JOBS,
        "audit events to be sealed": UNSEALED,
    }
    found = {what: _rows(url, query)[0]["n"] for what, query in counts.items()}
    return ", ".join(f"{count} {what}" for what, count in found.items() if count)


async def read(url: str, blobs: Path) -> Kept:
    """Read all of it."""
    tenants = [row["tenant"] for row in _rows(url, "select distinct tenant from audit_events")]
    return Kept(
        validations=_validations(url),
        documents={
            (row["tenant"], row["sha256"].hex()): row["state"]
            for row in _rows(url, "select tenant, sha256, state from documents")
        },
        contents={
            path.parent.name + path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in blobs.glob("??/*")
        },
        chains=await _chains(url, tenants),
        stray_jobs=_rows(
            url,
            "select count(*) as n from procrastinate_jobs left join validations"
            " on validations.id = (args ->> 'validation_id')::uuid where validations.id is null",
        )[0]["n"],
    )


def _validations(url: str) -> list[KeptValidation]:
    attempts = _by(url, "select * from attempts order by attempt", "validation_id")
    results = _by(url, "select * from check_results", "validation_id")
    references = _by(url, "select * from validation_documents order by document", "validation_id")
    reviews = _by(url, "select * from reviews", "validation_id")
    events = _by(url, "select * from audit_events order by id", "subject")
    jobs = _by(
        url,
        "select (args ->> 'validation_id')::uuid as validation, status::text as status"
        " from procrastinate_jobs order by id",
        "validation",
    )
    found = []
    for row in _rows(url, "select * from validations order by id"):
        name = names.validation_name(row["id"])
        found.append(
            KeptValidation(
                name=name,
                tenant=row["tenant"],
                client=row["client"],
                request_id=row["request_id"],
                state=row["state"],
                decision=row["decision"] or "",
                error=(row["error"] or {}).get("reason", ""),
                erased=row["erase_time"] is not None,
                attempt=row["attempt"],
                attempts=tuple(str(each["outcome"]) for each in attempts[row["id"]]),
                buckets={
                    (each["checker"], each["document"]): _bucket(each["result"])
                    for each in results[row["id"]]
                },
                references=tuple(
                    Reference(
                        tenant=each["tenant"],
                        digest=each["sha256"].hex(),
                        artifact=each["artifact"],
                    )
                    for each in references[row["id"]]
                ),
                actions=tuple(each["action"] for each in events[name]),
                decisions_told=tuple(
                    each["details"]["decision"]
                    for each in events[name]
                    if each["action"] == "validation.decided"
                ),
                jobs=tuple(each["status"] for each in jobs[row["id"]]),
                reviews=len(reviews[row["id"]]),
            )
        )
    return found


def _bucket(result: Mapping[str, Any]) -> int:
    """The bucket that a check found; -1 where that was erased."""
    return int(result["result"]["facts"].get("bucket", -1))


async def _chains(url: str, tenants: Sequence[str]) -> dict[str, str]:
    database = Database(url)
    await database.open()
    try:
        auditor = Auditor(PostgresAuditLog(database))
        found = {}
        for tenant in tenants:
            verified = await auditor.verify(Caller(tenant=tenant, client="crash-suite"))
            found[tenant] = str(verified.problem or "")
        return found
    finally:
        await database.close()


def _by(url: str, query: str, column: str) -> defaultdict[Any, list[dict[str, Any]]]:
    grouped: defaultdict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in _rows(url, query):
        grouped[row[column]].append(row)
    return grouped


def _rows(url: str, query: str) -> list[dict[str, Any]]:
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        return connection.execute(query.encode()).fetchall()


async def at_rest(url: str, *, timeout_seconds: float) -> str:
    """Wait until nothing moves; what still does after that time, or ''."""
    deadline = asyncio.get_running_loop().time() + timeout_seconds
    while True:
        still = await asyncio.to_thread(moving, url)
        if not still or asyncio.get_running_loop().time() > deadline:
            return still
        await asyncio.sleep(0.2)
