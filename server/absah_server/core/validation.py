"""What a validation is: its check results, its verdict and the record it can be made again by."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from absah_sdk import Document, Finding, Outcome, Result
from absah_server.core.policy import Decision, Wording

UNREADABLE = "unreadable"
"""Code of the finding that says why a document could not be read."""


class FaultReason(enum.StrEnum):
    """Why a check did not run or did not end well."""

    CHECKER_FAILED = "CHECKER_FAILED"
    NO_TIME_LEFT = "NO_TIME_LEFT"
    CONDITION_NOT_MET = "CONDITION_NOT_MET"
    REQUIREMENT_MISSING = "REQUIREMENT_MISSING"
    OVERLOADED = "OVERLOADED"
    MODEL_UNAVAILABLE = "MODEL_UNAVAILABLE"
    # Of a whole validation:
    CANCELLED = "CANCELLED"
    ATTEMPTS_EXHAUSTED = "ATTEMPTS_EXHAUSTED"
    POLICY_NOT_FOUND = "POLICY_NOT_FOUND"
    CHECKER_NOT_FOUND = "CHECKER_NOT_FOUND"
    DOCUMENT_NOT_FOUND = "DOCUMENT_NOT_FOUND"
    INVALID_REQUEST = "INVALID_REQUEST"
    # Of an attempt at one:
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE"
    CONTENT_DAMAGED = "CONTENT_DAMAGED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Why a check is SKIPPED or ERROR, or a validation FAILED or CANCELLED.

    The message tells nothing of the document's content.
    """

    reason: FaultReason
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRecord:
    """A model version that a check relied on."""

    model: str
    version: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtifactRecord:
    """An artifact by its digest; its content is with the result that was just made, or stored."""

    name: str
    media_type: str
    page: int
    size_bytes: int
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """What one checker answered about one document, and what it took.

    `result.artifacts` is empty in one that comes from the store.
    """

    checker: str
    checker_version: str
    document: str
    role: str
    result: Result
    models: Sequence[ModelRecord] = ()
    artifacts: Sequence[ArtifactRecord] = ()
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
class DocumentRecord:
    """An input by its digest; `document` is its name within the validation."""

    document: str
    role: str
    filename: str
    media_type: str
    size_bytes: int
    digest: str

    @classmethod
    def of(cls, document: Document) -> DocumentRecord:
        """The record of a document at hand."""
        return cls(
            document=document.name,
            role=document.role,
            filename=document.filename,
            media_type=document.media_type,
            size_bytes=len(document.content),
            digest=document.digest,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """All that a verdict depended on; before any check ran, `checkers` and `models` are empty."""

    documents: Sequence[DocumentRecord]
    claims_digest: str
    policy: str
    policy_digest: str
    checkers: Mapping[str, str]
    models: Sequence[ModelRecord]
    server_version: str


class State(enum.StrEnum):
    """Where a validation stands."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    """It ended with a verdict, whatever the decision is, or with the results that were asked."""
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def ended(self) -> bool:
        return self not in (State.PENDING, State.RUNNING)


@dataclass(frozen=True, kw_only=True, slots=True)
class HumanDecision:
    """What a person decided after a verdict of REVIEW."""

    decision: Decision
    reason: str
    reviewer: str
    decide_time: datetime.datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Validation:
    """A validation: the operation and, once it ended, its result.

    `error` says why it is FAILED or CANCELLED.
    """

    name: str
    request_id: str
    state: State = State.SUCCEEDED
    check_results: Sequence[CheckResult] = ()
    verdict: Verdict | None = None
    record: Record
    create_time: datetime.datetime
    update_time: datetime.datetime
    error: Fault | None = None
    human_decision: HumanDecision | None = None


def skipped(reason: FaultReason, message: str) -> tuple[Result, Fault]:
    """The result of a check that did not run."""
    return Result(outcome=Outcome.SKIPPED), Fault(reason=reason, message=message)
