"""Where two validations of the same differ, told place by place."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from absah_sdk import Box, Finding, Outcome, Region, Result
from absah_server.core import differences
from absah_server.core.policy import Decision, Wording
from absah_server.core.validation import (
    ArtifactRecord,
    CheckResult,
    Fault,
    FaultReason,
    ModelRecord,
    Reason,
    Record,
    Validation,
    Verdict,
)

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def make_check(checker: str = "ocr", **changes: Any) -> CheckResult:
    finding = Finding(code="line", confidence=0.9, region=Region(box=make_box()))
    given: dict[str, Any] = {
        "outcome": Outcome.PASS,
        "score": 0.75,
        "findings": [finding],
        "facts": {"pages": 1, "sizes": [3, 4]},
        **changes,
    }
    return CheckResult(
        checker=checker, checker_version="1.0", document="photo", role="photo",
        result=Result(**given), models=[ModelRecord(model="m", version="1", digest="aa")],
    )  # fmt: skip


def make_box(left: float = 0.1) -> Box:
    return Box(left=left, top=0.1, width=0.5, height=0.5)


def make_validation(*checks: CheckResult) -> Validation:
    reason = Reason(rule="accepted", decision=Decision.ACCEPT, message=Wording(id="a", en="b"))
    return Validation(
        name="validations/1", request_id="", check_results=checks or (make_check(),),
        verdict=Verdict(decision=Decision.ACCEPT, reasons=[reason], comparisons=[]),
        record=Record(
            documents=[], claims_digest="c", policy="p@1", policy_digest="d",
            checkers={"ocr": "1.0"}, models=[], server_version="1",
        ),
        create_time=NOW, update_time=NOW,
    )  # fmt: skip


def told(before: Validation, after: Validation) -> list[tuple[str, str, str]]:
    return [(d.path, d.recorded, d.replayed) for d in differences.between(before, after)]


def test_the_same_does_not_differ_whenever_it_was_made() -> None:
    later = replace(
        make_validation(), name="", update_time=NOW + datetime.timedelta(days=1), request_id="x"
    )
    assert told(make_validation(), later) == []


def test_forms_that_the_store_does_not_tell_apart_do_not_differ() -> None:
    facts = {"pages": np.int64(1), "sizes": (3, 4), "odd": float("nan")}
    stored = {"pages": 1, "sizes": [3, 4], "odd": None}
    assert not told(
        make_validation(make_check(facts=stored)), make_validation(make_check(facts=facts))
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"score": 0.5}, ("score", "0.75", "0.5")),
        ({"score": None}, ("score", "0.75", "null")),
        ({"outcome": Outcome.FAIL}, ("outcome", "PASS", "FAIL")),
        ({"findings": []}, ("findings[0]", "line", "(absent)")),
        ({"facts": {"pages": True, "sizes": [3, 4]}}, ("facts.pages", "1", "True")),
        ({"facts": {"pages": 1, "sizes": [3, 4, 5]}}, ("facts.sizes[2]", "(absent)", "5")),
        ({"facts": {"pages": 1, "sizes": {}}}, ("facts.sizes", "(2 items)", "(0 members)")),
    ],
)
def test_a_difference_of_a_check_is_told_at_its_place(
    changes: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    path, recorded, replayed = expected
    assert told(make_validation(), make_validation(make_check(**changes))) == [
        (f"check_results[ocr photo].{path}", recorded, replayed)
    ]


def test_a_finding_that_moved_is_told_down_to_its_box() -> None:
    moved = Finding(code="line", confidence=0.9, region=Region(box=make_box(0.2)))
    assert told(make_validation(), make_validation(make_check(findings=[moved]))) == [
        ("check_results[ocr photo].findings[0].region.box.left", "0.1", "0.2")
    ]


def test_a_score_within_the_tolerance_is_the_same() -> None:
    assert not told(make_validation(), make_validation(make_check(score=0.75001)))


def test_a_check_that_is_gone_or_new_is_told_whole() -> None:
    before, after = make_validation(make_check("ocr")), make_validation(make_check("objects"))
    assert told(before, after) == [
        ("check_results[ocr photo]", "PASS", "(absent)"),
        ("check_results[objects photo]", "(absent)", "PASS"),
    ]


def test_versions_artifacts_and_faults_are_told() -> None:
    after = replace(
        make_check(),
        checker_version="1.1",
        models=[ModelRecord(model="m", version="2", digest="bb")],
        artifacts=[
            ArtifactRecord(name="map", media_type="image/png", page=1, size_bytes=1, digest="cc")
        ],
        fault=Fault(reason=FaultReason.OVERLOADED, message="busy"),
    )
    place = "check_results[ocr photo]"
    assert told(make_validation(), make_validation(after)) == [
        (f"{place}.error", "", "OVERLOADED"),
        (f"{place}.checker_version", "1.0", "1.1"),
        (f"{place}.models.m", "1 aa", "2 bb"),
        (f"{place}.artifacts.map 1", "(absent)", "cc"),
    ]


def test_the_verdict_and_the_record_come_first() -> None:
    after = make_validation(make_check(score=0.1))
    reason = Reason(rule="doubt", decision=Decision.REVIEW, message=Wording(id="a", en="b"))
    after = replace(
        after,
        verdict=Verdict(decision=Decision.REVIEW, reasons=[reason], comparisons=[]),
        record=replace(after.record, policy_digest="e"),
    )
    assert [path for path, *_ in told(make_validation(), after)] == [
        "verdict.decision",
        "verdict.reasons[0].rule",
        "verdict.reasons[0].decision",
        "record.policy_sha256",
        "check_results[ocr photo].score",
    ]


def test_many_differences_of_a_check_are_cut_and_counted() -> None:
    before = make_validation(make_check(facts={"n": list(range(100))}))
    after = make_validation(make_check(facts={"n": list(range(1, 101))}))
    found = told(before, after)
    assert len(found) == differences.MAX_OF_CHECK + 1
    assert found[-1][2] == "and 50 more differences"


def test_a_long_value_is_cut() -> None:
    after = make_validation(make_check(facts={"pages": 1, "sizes": [3, 4], "text": "x" * 999}))
    ((_, _, replayed),) = told(make_validation(), after)
    assert len(replayed) == differences.MAX_CHARACTERS + 1
