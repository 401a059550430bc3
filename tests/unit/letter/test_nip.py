"""Numbers of civil servants are read through spaces and look-alikes and checked for sense."""

from __future__ import annotations

import pytest

from absah_letter import nip


@pytest.mark.parametrize(
    "text",
    [
        "NIP. 19750315 200003 1 002",
        "NIP 197503152000031002",
        "Nip : 19750315 200003 1 002",
        "NlP. I9750315 2OOOO3 1 002",
        "NIP.197503152000031002",
        "19750315 200003 1 002",
    ],
)
def test_the_number_is_read_however_it_is_written(text):
    number = nip.find(text)
    assert number.digits == "197503152000031002"
    assert number.defect is None


@pytest.mark.parametrize("text", ["", "NIP", "Nomor 12/2026", "Telepon 0812 3456 7890", "NIPAH 12"])
def test_other_texts_hold_no_number(text):
    assert nip.find(text) is None


@pytest.mark.parametrize(
    ("digits", "reason"),
    [
        ("1975031520000310", "16 digits"),
        ("197513152000031002", "birth date"),
        ("197503152000131002", "month"),
        ("197503151980031002", "appointment"),
        ("197503152000033002", "digit 15"),
        ("197503152000031000", "serial"),
    ],
)
def test_numbers_that_cannot_be_are_told_why(digits, reason):
    assert reason in nip.find(f"NIP. {digits}").defect


@pytest.mark.parametrize("digits", ["131234567", "199001012021211001"])
def test_old_numbers_and_those_of_contract_staff_are_good(digits):
    assert nip.find(f"NIP. {digits}").defect is None
