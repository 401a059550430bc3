"""Dates as Indonesian letters write them: in digits, with a month's name, in words."""

from __future__ import annotations

import datetime
import difflib
import re
from dataclasses import dataclass

_MONTHS = (
    "januari", "februari", "maret", "april", "mei", "juni", "juli", "agustus", "september",
    "oktober", "november", "desember",
)  # fmt: skip
_OTHER_SPELLINGS = {
    "pebruari": 2, "nopember": 11, "jan": 1, "feb": 2, "peb": 2, "mar": 3, "apr": 4, "mel": 5,
    "jun": 6, "jul": 7, "agu": 8, "agt": 8, "ags": 8, "sep": 9, "sept": 9, "okt": 10, "nov": 11,
    "nop": 11, "des": 12,
}  # fmt: skip
_DIGIT = "[0-9OoIl|SBZ]"
_AS_DIGIT = str.maketrans("OoIl|SBZ", "00111582")
_WORDED = re.compile(
    rf"(?<![\w/])({_DIGIT}{{1,2}})[\s.-]*([A-Za-z01]{{3,10}})[\s.,-]*({_DIGIT}{{4}})(?!\d)"
)
_NUMERIC = re.compile(
    rf"(?<![\d/.-])({_DIGIT}{{1,2}})\s?[-/.]\s?({_DIGIT}{{1,2}})\s?[-/.]\s?({_DIGIT}{{4}})(?![\d/])"
)
_ISO = re.compile(r"(?<![\d/.-])(\d{4})-(\d{2})-(\d{2})(?!\d)")
_IN_WORDS = re.compile(
    r"tanggal\s+([a-z\s]{3,40}?)\s*,?\s*(?:bulan\s+)?"
    r"(januari|februari|pebruari|maret|april|mei|juni|juli|agustus|september|oktober|november"
    r"|nopember|desember)\s*,?\s*(?:tahun\s+)?([a-z\s]{8,60})",
    re.IGNORECASE,
)
_MIXED = re.compile(
    rf"(?i:tanggal)\s+({_DIGIT}{{1,2}})\s+(?i:bulan)\s+([A-Za-z]{{3,10}})\s+(?i:tahun)"
    rf"\s+({_DIGIT}{{4}})"
)
_UNITS = {
    "nol": 0, "satu": 1, "dua": 2, "tiga": 3, "empat": 4, "lima": 5, "enam": 6, "tujuh": 7,
    "delapan": 8, "sembilan": 9, "sepuluh": 10, "sebelas": 11, "seratus": 100, "seribu": 1000,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A date in a text, and where it stands there."""

    date: datetime.date
    start: int
    end: int
    sure: float = 1.0
    """Less than 1 where letters were taken for digits or a month's name was mended."""


def find(text: str) -> Found | None:
    """The first date of a text, None where there is none that exists in the calendar."""
    found = [
        made
        for pattern in (_WORDED, _NUMERIC, _ISO, _MIXED, _IN_WORDS)
        for match in pattern.finditer(text)
        if (made := _made(match, pattern))
    ]
    return min(found, key=lambda f: (f.start, -f.end), default=None)


def number_in_words(text: str) -> int | None:
    """The number that Indonesian words say, up to 9999: "dua ribu dua puluh enam" is 2026."""
    thousands, group, unit = 0, 0, 0
    for word in text.lower().split():
        if word == "belas":
            unit += 10
        elif word in _SCALES:
            group, unit = group + unit * _SCALES[word], 0
        elif word == "ribu":
            thousands, group, unit = (group + unit) * 1000, 0, 0
        elif word in _UNITS:
            group, unit = group + unit, _UNITS[word]
        else:
            return None
    return thousands + group + unit if text.strip() else None


_SCALES = {"puluh": 10, "ratus": 100}


def _made(match: re.Match[str], pattern: re.Pattern[str]) -> Found | None:
    day, month, year = match.groups()[::-1] if pattern is _ISO else match.groups()
    number, sure = _month(month)
    if pattern is _IN_WORDS:
        numbers = (_leading_number(year), number, number_in_words(day))
    elif sum(character.isdigit() for character in day + year) >= 4:
        digits = (year.translate(_AS_DIGIT), day.translate(_AS_DIGIT))
        numbers = (int(digits[0]), number, int(digits[1]))
        sure *= 1.0 if digits == (year, day) else 0.85
    else:
        return None
    try:
        date = datetime.date(*(part or 0 for part in numbers))
    except ValueError:
        return None
    if not 1945 <= date.year <= 2100:
        return None
    return Found(date=date, start=match.start(), end=match.end(), sure=sure)


def _leading_number(text: str) -> int | None:
    """The longest number that a text begins with in words."""
    words = text.split()
    for end in range(len(words), 0, -1):
        number = number_in_words(" ".join(words[:end]))
        if number is not None:
            return number
    return None


def _month(text: str) -> tuple[int | None, float]:
    digits = text.translate(_AS_DIGIT)
    if digits.isdigit():
        return int(digits), 1.0 if digits == text else 0.85
    word = text.lower().replace("0", "o").replace("1", "i")
    if word in _MONTHS:
        return _MONTHS.index(word) + 1, 1.0
    if word in _OTHER_SPELLINGS:
        return _OTHER_SPELLINGS[word], 1.0
    near = difflib.get_close_matches(word, _MONTHS, n=1, cutoff=0.72) if len(word) > 3 else []
    return (_MONTHS.index(near[0]) + 1, 0.9) if near else (None, 0.0)
