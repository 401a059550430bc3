"""Erasing takes out what was said and read, and leaves what was decided."""

from __future__ import annotations

from absah_sdk import Box, Finding, Outcome, Region, Result, Severity
from absah_server.core.policy import Decision, Wording
from absah_server.core.requesting import Request, RequestedDocument
from absah_server.core.submission import Priority
from absah_server.core.validation import (
    Agreement,
    CheckResult,
    Comparison,
    DocumentRecord,
    FindingReference,
    Reason,
    Record,
    Verdict,
)
from absah_server.store import archive, erasing

SECRET = "Siti Rahmawati"
REFERENCE = FindingReference(checker="entities", document="report", index=0)


def test_a_request_loses_claims_and_file_names() -> None:
    document = RequestedDocument(
        role="photo", filename=f"{SECRET}.jpg", digest="ab" * 32, is_text=False
    )
    erased = erasing.request(
        Request(
            policy="field-report@1",
            checkers=(),
            documents=[document],
            claims={"name": SECRET},
            priority=Priority.HIGH,
        )
    )
    assert SECRET not in archive.request.write(erased)
    assert erased.documents[0].digest == "ab" * 32
    assert (erased.policy, erased.priority) == ("field-report@1", Priority.HIGH)


def test_a_record_loses_file_names_alone() -> None:
    document = DocumentRecord(
        document="photo",
        role="photo",
        filename=f"{SECRET}.jpg",
        media_type="image/jpeg",
        size_bytes=3,
        digest="ab" * 32,
    )
    record = Record(
        documents=[document],
        claims_digest="cd" * 32,
        policy="field-report@1",
        policy_digest="ef" * 32,
        checkers={"ocr": "1.0"},
        models=(),
        server_version="1",
    )
    erased = erasing.record(record)
    assert SECRET not in archive.record.write(erased)
    assert (erased.claims_digest, erased.policy_digest) == ("cd" * 32, "ef" * 32)
    assert erased.documents[0].size_bytes == 3


def test_a_verdict_keeps_decision_rules_and_references() -> None:
    wording = Wording(id=f"{SECRET} tidak cocok", en=f"{SECRET} does not fit")
    verdict = Verdict(
        decision=Decision.REJECT,
        reasons=[
            Reason(
                rule="name",
                decision=Decision.REJECT,
                message=wording,
                claim="name",
                findings=[REFERENCE],
            )
        ],
        comparisons=[
            Comparison(
                claim="name",
                agreement=Agreement.CONTRADICTS,
                found=SECRET,
                detail=wording,
                findings=[REFERENCE],
            )
        ],
    )
    erased = erasing.verdict(verdict)
    assert SECRET not in archive.verdict.write(erased)
    assert erased.decision is Decision.REJECT
    assert (erased.reasons[0].rule, erased.reasons[0].findings) == ("name", [REFERENCE])
    assert erased.comparisons[0].agreement is Agreement.CONTRADICTS


def test_a_check_result_keeps_outcome_score_and_the_codes_and_places_of_findings() -> None:
    region = Region(page=1, box=Box(left=0.1, top=0.1, width=0.2, height=0.2))
    finding = Finding(
        code="PER",
        message=f"a person: {SECRET}",
        severity=Severity.INFO,
        confidence=0.9,
        region=region,
        attributes={"text": SECRET},
    )
    result = CheckResult(
        checker="entities",
        checker_version="1.0",
        document="report",
        role="report",
        result=Result(outcome=Outcome.PASS, score=0.7, findings=(finding,), facts={"text": SECRET}),
    )
    erased = erasing.check_result(result)
    assert SECRET not in archive.check_result.write(erased)
    assert (erased.result.outcome, erased.result.score) == (Outcome.PASS, 0.7)
    kept = erased.result.findings[0]
    assert (kept.code, kept.confidence, kept.region) == ("PER", 0.9, region)
