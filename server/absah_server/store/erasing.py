"""Take the contents out of a validation's record: what people wrote, claimed and were read to say.

Digests, versions, decisions, rules, outcomes, scores and the codes and places of findings stay.
"""

from __future__ import annotations

from dataclasses import replace

from absah_server.core.policy import Wording
from absah_server.core.requesting import Request
from absah_server.core.validation import CheckResult, Record, Verdict

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
