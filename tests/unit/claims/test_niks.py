"""A NIK agrees digit by digit, allows for misread digits, and never shows in full."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from absah_claims.functions import policy_functions

Make = Callable[..., list[dict[str, Any]]]
Outcome = Callable[[str, Any, Any], str]

NIK = "3201011508950001"
OTHER = "3273014406780003"

CASES = [
    (NIK, NIK, 0.97, "AGREES"),
    (NIK, NIK, 0.4, "AGREES"),
    ("32.0101.150895.0001", NIK, 0.97, "AGREES"),
    ("3201 0115 0895 0001", NIK, 0.97, "AGREES"),
    (NIK, "32O1O1150895OOO1", 0.9, "AGREES"),
    (NIK, "320101I5089S0001", 0.9, "AGREES"),
    (NIK, "3201 0115 0895 0001", 0.9, "AGREES"),
    (NIK, "3201011508950007", 0.9, "UNSETTLED"),
    (NIK, "3201011508950007", 0.99, "UNSETTLED"),
    (NIK, "3201011508950007", 0.999, "CONTRADICTS"),
    (NIK, "3201011508950009", 0.9, "UNSETTLED"),
    (NIK, "3201011508950009", 0.99, "CONTRADICTS"),
    (NIK, "320101150895001", 0.97, "UNSETTLED"),
    (NIK, "33201011508950001", 0.97, "UNSETTLED"),
    (NIK, "32010115", 0.97, "UNSETTLED"),
    (NIK, OTHER, 0.95, "CONTRADICTS"),
    (NIK, OTHER, 0.5, "UNSETTLED"),
    (NIK, "320101", 0.99, "UNSETTLED"),
    ("3201013208950001", NIK, 0.97, "CONTRADICTS"),
    ("3201011508950000", NIK, 0.97, "CONTRADICTS"),
    ("9901011508950001", NIK, 0.97, "CONTRADICTS"),
    ("320101150895001", NIK, 0.97, "CONTRADICTS"),
    ("tidak ada", NIK, 0.97, "CONTRADICTS"),
    ("3171234567890123", "3171234567890123", 0.97, "UNSETTLED"),
    ("3299011508950001", "3299011508950001", 0.97, "UNSETTLED"),
    ("6473011508950001", "6473011508950001", 0.97, "AGREES"),
]


@pytest.mark.parametrize(("claim", "read", "confidence", "expected"), CASES)
def test_a_card_settles_the_nik(
    claim: str, read: str, confidence: float, expected: str, outcome: Outcome, make_card: Make
) -> None:
    card = make_card(nik=read, confidence=confidence)
    assert outcome("match_nik", claim, card) == expected


def test_a_misread_birth_digit_is_set_right_by_the_cards_birth_date(
    outcome: Outcome, make_card: Make
) -> None:
    card = make_card(nik="3201011503950001", birth_date="1995-08-15", confidence=0.95)
    assert outcome("match_nik", NIK, card) == "AGREES"


def test_a_card_whose_birth_date_is_not_its_niks_is_doubted(
    outcome: Outcome, make_card: Make
) -> None:
    card = make_card(nik=NIK, birth_date="1990-01-02")
    assert outcome("match_nik", NIK, card) == "UNSETTLED"


def test_one_misread_digit_of_the_birth_date_is_no_doubt(outcome: Outcome, make_card: Make) -> None:
    card = make_card(nik=NIK, birth_date="1995-08-18")
    assert outcome("match_nik", NIK, card) == "AGREES"
    card = make_card(nik=NIK, birth_date="1995-03-15")
    assert outcome("match_nik", NIK, card) == "AGREES"


def test_the_text_of_a_card_stands_in_for_a_missing_field(
    outcome: Outcome, make_card: Make
) -> None:
    assert outcome("match_nik", NIK, make_card(text=f"PROVINSI\nNIK : {NIK}\n")) == "AGREES"
    assert outcome("match_nik", NIK, make_card(text="PROVINSI\nNIK : 32010\n")) == "UNSETTLED"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Nama : Budi\nNIK : {NIK}\n", "AGREES"),
        (f"Nama : Budi\nNIK : {OTHER}\n", "CONTRADICTS"),
        ("NIK : 3201011508950002", "UNSETTLED"),
        (f"NIK {OTHER} dan NIK 3271044406780003", "UNSETTLED"),
        (f"No. KK {OTHER}", "UNSETTLED"),
        ("Kegiatan lancar", "UNSETTLED"),
    ],
)
def test_a_report_may_state_a_nik(
    text: str, expected: str, outcome: Outcome, make_report: Make
) -> None:
    assert outcome("match_nik", NIK, make_report(text)) == expected


def test_a_report_with_anothers_nik_opens_the_case_of_a_card_that_agrees(
    outcome: Outcome, make_card: Make, make_report: Make
) -> None:
    evidence = make_card(nik=NIK) + make_report(f"NIK : {OTHER}")
    assert outcome("match_nik", NIK, evidence) == "UNSETTLED"


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**16 - 1), st.integers(0, 10**16 - 1), st.floats(0, 1))
def test_no_answer_holds_a_full_nik(claimed: int, read: int, confidence: float) -> None:
    claim, value = f"{claimed:016}", f"{read:016}"
    assume(claim[6:14] != value[6:14])
    card = {
        "checker": "identity",
        "document": "i",
        "facts": {"fields": {"nik": {"value": value, "raw": value, "confidence": confidence}}},
    }
    report = {"checker": "entities", "document": "r", "facts": {"text": f"Pelapor NIK {value}"}}
    functions = {**policy_functions()}
    del functions["combine"]
    for function in functions.values():
        answer = json.dumps(function(claim, [card, report]))
        assert value not in answer
        assert claim not in answer


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**16 - 1), st.floats(0, 0.79))
def test_a_doubtful_number_never_contradicts_a_sound_nik(read: int, confidence: float) -> None:
    value = f"{read:016}"
    card = {
        "checker": "identity",
        "document": "i",
        "facts": {"fields": {"nik": {"value": value, "raw": value, "confidence": confidence}}},
    }
    assert policy_functions()["match_nik"](NIK, [card])["outcome"] != "CONTRADICTS"
