"""What a validation is: its check results, its verdict and the record it can be made again by."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from absah_sdk import Document, Finding, Outcome, Result
from absah_server.core.policy import Decision, Wording


class FaultReason(enum.StrEnum):
    """Why a check did not run or did not end well."""

    CHECKER_FAILED = "CHECKER_FAILED"
    NO_TIME_LEFT = "NO_TIME_LEFT"
    CONDITION_NOT_MET = "CONDITION_NOT_MET"
    REQUIREMENT_MISSING = "REQUIREMENT_MISSING"
    OVERLOADED = "OVERLOADED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Why a check is SKIPPED or ERROR; the message tells nothing of the document's content."""

    reason: FaultReason
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRecord:
    """A model version that a check relied on."""

    model: str
    version: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """What one checker answered about one document, and what it took."""

    checker: str
    checker_version: str
    document: str
    role: str
    result: Result
    models: Sequence[ModelRecord] = ()
    fault: Fault | None = None
    duration_seconds: float = 0.0

    def as_evidence(self) -> dict[str, Any]:
        """The message form that policies see."""
        return {
            "checker": self.checker,
            "document": self.document,
            "role": self.role,
            "outcome": self.result.outcome.value,
            "score": self.result.score,
            "findings": [_finding_evidence(f) for f in self.result.findings],
            "facts": dict(self.result.facts),
            "error": self.fault.reason.value if self.fault else "",
        }


def _finding_evidence(finding: Finding) -> dict[str, Any]:
    evidence: dict[str, Any] = {
        "code": finding.code,
        "message": finding.message,
        "severity": finding.severity.value,
        "confidence": finding.confidence,
        "attributes": dict(finding.attributes),
    }
    if finding.region:
        box = finding.region.box
        evidence["region"] = {
            "page": finding.region.page,
            "box": {"left": box.left, "top": box.top, "width": box.width, "height": box.height},
        }
    if finding.span:
        evidence["span"] = {"start": finding.span.start, "end": finding.span.end}
    return evidence


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingReference:
    """Points at a finding by the check it is of and its index there."""

    checker: str
    document: str
    index: int


class Agreement(enum.StrEnum):
    """How a claim stands against the evidence."""

    AGREES = "AGREES"
    CONTRADICTS = "CONTRADICTS"
    UNSETTLED = "UNSETTLED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """One claim compared with the evidence."""

    claim: str
    agreement: Agreement
    found: str
    detail: Wording
    findings: Sequence[FindingReference] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why a decision was made."""

    rule: str
    decision: Decision
    message: Wording
    claim: str = ""
    findings: Sequence[FindingReference] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """A decision with its grounds."""

    decision: Decision
    reasons: Sequence[Reason]
    comparisons: Sequence[Comparison]


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """All that a verdict depended on."""

    documents: Sequence[Document]
    claims_digest: str
    policy: str
    policy_digest: str
    checkers: Mapping[str, str]
    models: Sequence[ModelRecord]
    server_version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Validation:
    """A finished validation."""

    name: str
    request_id: str
    check_results: Sequence[CheckResult]
    verdict: Verdict | None
    record: Record
    create_time: datetime.datetime
    update_time: datetime.datetime


def skipped(reason: FaultReason, message: str) -> tuple[Result, Fault]:
    """The result of a check that did not run."""
    return Result(outcome=Outcome.SKIPPED), Fault(reason=reason, message=message)
