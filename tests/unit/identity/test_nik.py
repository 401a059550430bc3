"""Identity numbers are read through look-alikes, and no digit is ever changed into another."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from absah_identity import nik

LOOK_ALIKES = {"0": "OoQD", "1": "Il|!", "2": "Z", "5": "S", "6": "G", "7": "?", "8": "B"}
DATES = st.dates(datetime.date(1940, 1, 1), datetime.date(2008, 1, 1))


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("3201011508950001", "3201011508950001"),
        (": 3201 0115 0895 0001", "3201011508950001"),
        ("32O1011S0895000l", "3201011508950001"),
        ("320101-150895-0001", "3201011508950001"),
        (":l3201011508950001", "3201011508950001"),
        ("NIK 3201011508950001", "3201011508950001"),
    ],
)
def test_numbers_are_read_in_spite_of_noise(text, digits):
    assert nik.read([text]).digits == digits


@pytest.mark.parametrize("text", ["", "JL. MERDEKA NO. 12", "15-08-1995", "0812 3456"])
def test_other_texts_hold_no_number(text):
    assert nik.read([text]) is None


def test_a_well_formed_number_is_preferred():
    assert nik.read(["3201019955950001", "3201011508950001"]).digits == "3201011508950001"


def test_a_woman_adds_forty_to_her_day():
    number = nik.read(["3171014506920003"])
    assert number.female
    assert number.birth_digits == "050692"


@given(born=DATES, female=st.booleans(), serial=st.integers(1, 9999), data=st.data())
def test_letters_that_look_like_digits_are_undone(born, female, serial, data):
    digits = f"320101{born.day + 40 * female:02d}{born:%m%y}{serial:04d}"
    noisy = "".join(
        data.draw(st.sampled_from(digit + LOOK_ALIKES.get(digit, ""))) if index % 5 == 0 else digit
        for index, digit in enumerate(digits)
    )
    number = nik.read([noisy])
    assert number.digits == digits
    assert number.repairs == sum(not character.isdigit() for character in noisy)


@given(st.text(alphabet="0123456789OIlSB?: -", max_size=40))
def test_digits_stay_as_they_were_read(text):
    number = nik.read([text])
    if number is not None and number.repairs == 0:
        assert number.digits in "".join(filter(str.isdigit, text))


def test_masking_shows_six_and_two_digits():
    assert nik.mask("3201011508950001") == "320101********01"
