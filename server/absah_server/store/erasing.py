"""Take the contents out of a validation's record: what people wrote, claimed and were read to say.

Digests, versions, decisions, rules, outcomes, scores and the codes and places of findings stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from absah_server.core.policy import Wording
from absah_server.core.requesting import Request
from absah_server.core.validation import CheckResult, Record, Verdict
from absah_server.store import archive, queries
from absah_server.store.database import Connection

SQL = queries.load("erasing")
ERASED = Wording(id="", en="")


def request(value: Request) -> Request:
    """Without claims and file names."""
    documents = [replace(document, filename="") for document in value.documents]
    return replace(value, claims={}, documents=documents)


def record(value: Record) -> Record:
    """Without file names, which may be those of people."""
    return replace(value, documents=[replace(d, filename="") for d in value.documents])


def verdict(value: Verdict) -> Verdict:
    """Without wordings, which quote claims and what was read."""
    return replace(
        value,
        reasons=[replace(reason, message=ERASED) for reason in value.reasons],
        comparisons=[replace(c, found="", detail=ERASED) for c in value.comparisons],
    )


def check_result(value: CheckResult) -> CheckResult:
    """Without facts, and without messages and attributes of findings."""
    findings = tuple(replace(f, message="", attributes={}) for f in value.result.findings)
    return replace(value, result=replace(value.result, facts={}, findings=findings))


async def write_results(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write results anew without their contents; rows of validation_id, position and result."""
    results = [archive.check_result.read(row["result"]) for row in rows]
    given = {
        "validation_ids": [row["validation_id"] for row in rows],
        "positions": [row["position"] for row in rows],
        "results": [archive.check_result.write(check_result(result)) for result in results],
    }
    await connection.execute(SQL["erase_results"], given)
