"""Birth date and sex against a card's fields and its NIK."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., list[dict[str, Any]]]
Outcome = Callable[[str, Any, Any], str]

MAN = "3201011508950001"
WOMAN = "3201015508950001"

DATES: list[tuple[str, dict[str, Any], str]] = [
    ("1995-08-15", {"birth_date": "1995-08-15", "nik": MAN}, "AGREES"),
    ("15 Agustus 1995", {"birth_date": "15-08-1995", "nik": MAN}, "AGREES"),
    ("1995-08-15", {"birth_date": "1995-08-15", "nik": WOMAN}, "AGREES"),
    ("1995-08-15", {"birth_date": "1995-08-15"}, "AGREES"),
    ("1995-08-15", {"nik": MAN}, "AGREES"),
    ("1995-08-15", {"birth_date": "1995-08-19", "nik": MAN}, "UNSETTLED"),
    ("1995-08-15", {"birth_date": "1995-03-15", "nik": MAN}, "AGREES"),
    ("1995-08-15", {"birth_date": "1995-03-15"}, "UNSETTLED"),
    ("1995-03-15", {"birth_date": "1995-08-15", "nik": MAN}, "CONTRADICTS"),
    ("1990-08-15", {"birth_date": "1995-08-15", "nik": MAN}, "CONTRADICTS"),
    ("1990-01-01", {"birth_date": "1995-08-15"}, "CONTRADICTS"),
    ("1990-01-01", {"birth_date": "1995-08-15", "confidence": 0.5}, "UNSETTLED"),
    ("1995-08-15", {"birth_date": "1990-01-01", "nik": MAN}, "UNSETTLED"),
    ("1990-01-01", {"birth_date": "1990-01-01", "nik": MAN}, "UNSETTLED"),
    ("1990-01-01", {"nik": MAN}, "UNSETTLED"),
    ("1995-08-15", {"birth_date": "tidak terbaca"}, "UNSETTLED"),
    ("1995-08-15", {}, "UNSETTLED"),
    ("dulu", {"birth_date": "1995-08-15"}, "UNSETTLED"),
]

SEXES: list[tuple[str, dict[str, Any], str]] = [
    ("L", {"sex": "L", "nik": MAN}, "AGREES"),
    ("P", {"sex": "P", "nik": WOMAN}, "AGREES"),
    ("Perempuan", {"sex": "PEREMPUAN"}, "AGREES"),
    ("laki-laki", {"sex": "LAKI-LAKI", "nik": MAN}, "AGREES"),
    ("L", {"nik": MAN}, "AGREES"),
    ("P", {"nik": MAN}, "UNSETTLED"),
    ("P", {"sex": "L", "nik": MAN}, "CONTRADICTS"),
    ("P", {"sex": "L"}, "CONTRADICTS"),
    ("P", {"sex": "L", "confidence": 0.5}, "UNSETTLED"),
    ("L", {"sex": "L", "confidence": 0.5}, "UNSETTLED"),
    ("L", {"nik": MAN, "confidence": 0.5}, "UNSETTLED"),
    ("P", {"sex": "L", "nik": WOMAN}, "UNSETTLED"),
    ("P", {"sex": "P", "nik": MAN}, "UNSETTLED"),
    ("L", {"sex": "?"}, "UNSETTLED"),
    ("X", {"sex": "L"}, "UNSETTLED"),
]


@pytest.mark.parametrize(("claim", "fields", "expected"), DATES)
def test_a_card_settles_the_birth_date(
    claim: str, fields: dict[str, Any], expected: str, outcome: Outcome, make_card: Make
) -> None:
    assert outcome("match_birth_date", claim, make_card(**fields)) == expected


@pytest.mark.parametrize(("claim", "fields", "expected"), SEXES)
def test_a_card_settles_the_sex(
    claim: str, fields: dict[str, Any], expected: str, outcome: Outcome, make_card: Make
) -> None:
    assert outcome("match_sex", claim, make_card(**fields)) == expected
