"""Dates are found in every form in which letters write them."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from absah_letter import dates

MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September",
    "Oktober", "November", "Desember",
)  # fmt: skip
DATES = st.dates(datetime.date(1950, 1, 1), datetime.date(2099, 12, 31))


@given(DATES)
def test_a_date_with_its_months_name_is_found(date):
    text = f"Bogor, {date.day} {MONTHS[date.month - 1]} {date.year}"
    assert dates.find(text).date == date


@given(DATES, st.sampled_from("-/."))
def test_a_date_in_digits_is_found(date, mark):
    text = f"({date.day:02d}{mark}{date.month:02d}{mark}{date.year})"
    found = dates.find(text)
    assert found.date == date
    assert text[found.start : found.end] == text[1:-1]


@pytest.mark.parametrize(
    "text",
    [
        "12 Maret 2026",
        "12Maret2026",
        "l2 Maret 2O26",
        "12 Marct 2026",
        "12 Mar 2026",
        "12-3-2026",
        "2026-03-12",
        "tanggal dua belas bulan Maret tahun dua ribu dua puluh enam, kami",
        "tanggal 12 bulan Maret tahun 2026",
        "Kamis tanggal dua belas Maret dua ribu dua puluh enam",
    ],
)
def test_all_of_these_are_the_twelfth_of_march(text):
    assert dates.find(text).date == datetime.date(2026, 3, 12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Maret 2026",
        "31 Februari 2026",
        "440/123/2026",
        "12 Pasar 2026",
        "0812 3456 7890",
        "99-99-2026",
    ],
)
def test_none_of_these_is_a_date(text):
    assert dates.find(text) is None


@given(st.text(alphabet="0123OoIilLsSbBzZ| -/.,tanggalbulanmeitahunduaribu", max_size=60))
def test_noise_is_no_date_or_one_of_the_calendar(text):
    found = dates.find(f"tanggal {text}")
    assert found is None or 1945 <= found.date.year <= 2100


@pytest.mark.parametrize(
    "text", ["tanggal b bulan Mei tahun s026", "Tanggal LL Bulan mei Tahun zzzz"]
)
def test_letters_alone_are_no_digits(text):
    assert dates.find(text) is None


def test_a_mended_date_is_less_sure():
    assert dates.find("l2 Marct 2O26").sure < dates.find("12 Maret 2026").sure == 1


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("lima", 5),
        ("sebelas", 11),
        ("tujuh belas", 17),
        ("dua puluh enam", 26),
        ("seribu sembilan ratus sembilan puluh delapan", 1998),
        ("dua ribu dua puluh enam", 2026),
        ("kamis", None),
        ("", None),
    ],
)
def test_numbers_in_words(words, number):
    assert dates.number_in_words(words) == number
