"""A policy's rules weigh results and claims, and every reason points at what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from support import make_document

from absah_sdk import Finding, Outcome, Result
from absah_server.core import verdict
from absah_server.core.errors import ClaimsUnexpected, DocumentsUnexpected
from absah_server.core.policy import Decision, Policy
from absah_server.core.policy_file import Reader
from absah_server.core.validation import CheckResult, FindingReference, Verdict

HEAD = """\
policy: test
version: 1
title: {id: Uji, en: Test}
documents:
  report:
    title: {id: Laporan, en: Report}
    count: [1, 1]
    media_types: [text/plain]
claims:
  name:
    title: {id: Nama, en: Name}
    type: string
    compare: match(claims.name, results)
  people: {title: {id: Orang, en: People}, type: integer}
  day: {title: {id: Hari, en: Day}, type: date}
  sex: {title: {id: Kelamin, en: Sex}, type: string, choices: [L, P]}
checks:
  length: {documents: [report]}
rules:
"""
TAIL = "accepted: {id: Diterima, en: Accepted}\n"
CLAIM_RULES = """\
  - rule: contradicted
    each: comparison
    when: comparison.outcome == "CONTRADICTS"
    decision: REJECT
    message: {id: "{comparison.title_id} salah", en: "{comparison.title_en} is wrong"}
  - rule: unsettled
    each: comparison
    when: comparison.outcome == "UNSETTLED"
    decision: REVIEW
    message: {id: "periksa", en: "look"}
"""
FINDING_RULE = """\
  - rule: forged
    each: finding
    when: finding.code == "forged" && finding.confidence > 0.9
    decision: REJECT
    message: {id: "{finding.document} palsu", en: "{finding.document} is forged"}
"""


def answer(outcome: str) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "found": "SITI",
        "detail": {"id": "karena", "en": "because"},
        "findings": [{"checker": "length", "document": "report", "index": 0}],
    }


FUNCTIONS = {"match": lambda claim, evidence: answer(claim)}


def make_policy(folder: Path, rules: str) -> Policy:
    file = folder / "test.yaml"
    file.write_text(HEAD + rules + TAIL)
    return Reader(checkers={"length"}, functions=FUNCTIONS).read(file)


def make_result(outcome: Outcome = Outcome.PASS, findings: Sequence[Finding] = ()) -> CheckResult:
    return CheckResult(
        checker="length",
        checker_version="1",
        document="report",
        role="report",
        result=Result(outcome=outcome, findings=findings),
    )


def reach(
    policy: Policy, *results: CheckResult, claims: Mapping[str, Any] | None = None
) -> Verdict:
    return verdict.reach(
        policy,
        documents=[make_document()],
        claims=claims or {},
        results=results,
        functions=FUNCTIONS,
    )


@pytest.mark.parametrize(
    ("outcome", "decision"),
    [
        ("AGREES", Decision.ACCEPT),
        ("UNSETTLED", Decision.REVIEW),
        ("CONTRADICTS", Decision.REJECT),
    ],
)
def test_a_claim_decides_by_how_it_stands(tmp_path: Path, outcome: str, decision: Decision) -> None:
    reached = reach(make_policy(tmp_path, CLAIM_RULES), make_result(), claims={"name": outcome})
    assert reached.decision is decision
    assert reached.reasons[0].findings == [
        FindingReference(checker="length", document="report", index=0)
    ]


def test_an_absent_claim_is_not_compared(tmp_path: Path) -> None:
    reached = reach(make_policy(tmp_path, CLAIM_RULES), make_result())
    assert reached.decision is Decision.ACCEPT
    assert reached.comparisons == []


def test_reasons_are_in_both_languages_with_their_values(tmp_path: Path) -> None:
    reached = reach(
        make_policy(tmp_path, CLAIM_RULES), make_result(), claims={"name": "CONTRADICTS"}
    )
    assert reached.reasons[0].message.id == "Nama salah"
    assert reached.reasons[0].message.en == "Name is wrong"
    assert reached.reasons[0].claim == "name"


def test_the_gravest_rule_decides_and_comes_first(tmp_path: Path) -> None:
    policy = make_policy(tmp_path, CLAIM_RULES + FINDING_RULE)
    forged = Finding(code="forged", confidence=0.95)
    reached = reach(policy, make_result(findings=(forged,)), claims={"name": "UNSETTLED"})
    assert reached.decision is Decision.REJECT
    assert [reason.rule for reason in reached.reasons] == ["forged", "unsettled"]


def test_a_rule_that_cannot_be_evaluated_sends_the_case_to_a_person(tmp_path: Path) -> None:
    policy = make_policy(tmp_path, FINDING_RULE)
    unsure = Finding(code="forged")  # without a confidence to compare
    reached = reach(policy, make_result(findings=(unsure,)))
    assert reached.decision is Decision.REVIEW
    assert reached.reasons[0].rule == "forged"


def test_a_comparison_that_breaks_leaves_its_claim_unsettled(tmp_path: Path) -> None:
    policy = make_policy(tmp_path, CLAIM_RULES)
    reached = reach(policy, make_result(), claims={"name": "no such outcome"})
    assert reached.comparisons[0].agreement == "UNSETTLED"
    assert reached.decision is Decision.REVIEW


def test_documents_that_the_policy_does_not_expect_are_each_named(tmp_path: Path) -> None:
    policy = make_policy(tmp_path, CLAIM_RULES)
    documents = [
        make_document(name="selfie"),
        make_document(None, name="report", media_type="image/png"),
        make_document(name="report"),
    ]
    with pytest.raises(DocumentsUnexpected) as refused:
        policy.verify_documents(documents)
    assert [field for field, _ in refused.value.violations] == [
        "documents[0].role",
        "documents[1].content",
        "documents",
    ]


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("colour", "red"),
        ("name", 3.0),
        ("name", "x" * 1001),
        ("people", 2.5),
        ("people", -1.0),
        ("people", "many"),
        ("day", "12-03-2026"),
        ("day", "2026-02-30"),
        ("sex", "X"),
    ],
)
def test_a_claim_that_does_not_fit_is_named(tmp_path: Path, claim: str, value: Any) -> None:
    with pytest.raises(ClaimsUnexpected) as refused:
        make_policy(tmp_path, CLAIM_RULES).read_claims({claim: value})
    assert refused.value.violations[0][0] == f"claims.{claim}"


def test_claims_are_read_in_their_types_and_empty_ones_left_out(tmp_path: Path) -> None:
    read = make_policy(tmp_path, CLAIM_RULES).read_claims(
        {"name": "  Siti ", "people": 5.0, "day": "2026-03-12", "sex": ""}
    )
    assert read == {"name": "Siti", "people": 5, "day": "2026-03-12"}
