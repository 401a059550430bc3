"""Values are read from their JSON form as they were written."""

from __future__ import annotations

import datetime
import json
from typing import Any

import numpy as np
import pytest

from absah_sdk import Artifact, Box, Finding, Outcome, Region, Result, Severity, Span
from absah_server.core.policy import Decision, Wording
from absah_server.core.requesting import Request, RequestedDocument
from absah_server.core.submission import Priority
from absah_server.core.validation import (
    Agreement,
    ArtifactRecord,
    CheckResult,
    Comparison,
    DocumentRecord,
    Fault,
    FaultReason,
    FindingReference,
    HumanDecision,
    ModelRecord,
    Reason,
    Record,
    Verdict,
)
from absah_server.store import archive

REFERENCE = FindingReference(checker="ocr", document="photo-1", index=2)
WORDING = Wording(id="tidak cocok", en="does not match")
MODEL = ModelRecord(model="ocr_detection", version="1", digest="ab" * 32)


def result(**changes: Any) -> CheckResult:
    given: dict[str, Any] = {"outcome": Outcome.PASS, "score": 0.1, **changes}
    return CheckResult(
        checker="ocr",
        checker_version="1.0",
        document="photo-1",
        role="photo",
        result=Result(**given),
        duration_seconds=0.25,
    )


def again(form: archive.Form[Any], value: Any) -> Any:
    return form.read(json.loads(form.write(value)))


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (
            archive.verdict,
            Verdict(
                decision=Decision.REVIEW,
                reasons=[
                    Reason(
                        rule="r", decision=Decision.REVIEW, message=WORDING, findings=[REFERENCE]
                    )
                ],
                comparisons=[
                    Comparison(
                        claim="nik",
                        agreement=Agreement.UNSETTLED,
                        found="",
                        detail=WORDING,
                        findings=[REFERENCE],
                    )
                ],
            ),
        ),
        (
            archive.record,
            Record(
                documents=[
                    DocumentRecord(
                        document="photo-1",
                        role="photo",
                        filename="bukti \x00 “1”.jpg",
                        media_type="image/jpeg",
                        size_bytes=2**40,
                        digest="cd" * 32,
                    )
                ],
                claims_digest="00" * 32,
                policy="field-report@3",
                policy_digest="11" * 32,
                checkers={"ocr": "1.0"},
                models=[MODEL],
                server_version="0.1",
            ),
        ),
        (archive.fault, Fault(reason=FaultReason.POLICY_NOT_FOUND, message="gone")),
        (
            archive.human_decision,
            HumanDecision(
                decision=Decision.REJECT,
                reason="palsu",
                reviewer="sari",
                decide_time=datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, datetime.UTC),
            ),
        ),
        (
            archive.request,
            Request(
                policy="field-report@3",
                checkers=[],
                documents=[
                    RequestedDocument(role="a", filename="b", digest="ef" * 32, is_text=True)
                ],
                claims={"nik": "3201", "count": 3.5, "deep": [{"x": None}, True]},
                priority=Priority.LOW,
            ),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_read_as_it_was_written(form: archive.Form[Any], value: Any) -> None:
    assert again(form, value) == value


def test_a_check_result_is_read_as_it_was_written_but_for_the_contents_of_artifacts() -> None:
    finding = Finding(
        code="name",
        message="a name",
        severity=Severity.CRITICAL,
        confidence=1 / 3,
        region=Region(page=2, box=Box(left=0.1, top=0.2, width=0.3, height=0.4)),
        span=Span(start=3, end=9),
        attributes={"words": ["a", "b"], "exact": 0.1 + 0.2, "none": None, "big": 2**70},
    )
    made = result(
        findings=[finding],
        facts={"text": "Ibu “Sari”\n\u2028", "lines": [{"n": 1}]},
        artifacts=[Artifact(name="heatmap", media_type="image/png", content=b"\xff\x00")],
    )
    read = again(archive.check_result, made)
    assert read.result.artifacts == ()
    assert read.as_evidence() == made.as_evidence()
    assert read.duration_seconds == made.duration_seconds


def test_artifacts_models_and_faults_of_a_check_result_are_kept() -> None:
    artifact = ArtifactRecord(
        name="heatmap", media_type="image/png", page=1, size_bytes=2, digest="ab" * 32
    )
    made = CheckResult(
        checker="ocr",
        checker_version="1",
        document="photo",
        role="photo",
        result=Result(outcome=Outcome.ERROR, findings=[]),
        models=[MODEL],
        artifacts=[artifact],
        fault=Fault(reason=FaultReason.CHECKER_FAILED, message="it broke"),
    )
    assert again(archive.check_result, made) == made


def test_numbers_of_numpy_and_tuples_are_written_as_json_has_them() -> None:
    made = result(
        score=np.float32(0.5),
        facts={
            "single": np.float32(0.1),
            "count": np.int64(7),
            "sure": np.bool_(True),
            "array": np.arange(3),
            "pair": (1, 2),
            "nan": float("nan"),
            "infinite": np.float64("inf"),
        },
    )
    assert again(archive.check_result, made).result.facts == {
        "single": float(np.float32(0.1)),
        "count": 7,
        "sure": True,
        "array": [0, 1, 2],
        "pair": [1, 2],
        "nan": None,
        "infinite": None,
    }


@pytest.mark.parametrize(
    ("facts", "problem"),
    [({"x": object()}, "no JSON form"), ({1: "a"}, "serialize"), ({"x": "\ud800"}, "surrogates")],
    ids=["object", "number as a key", "half a character"],
)
def test_what_json_cannot_hold_is_refused_when_it_is_written(
    facts: dict[Any, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        archive.check_result.write(result(facts=facts))
