"""Find identifiers in Indonesian text and keep those that hold up: matched, then validated.

NIK: Permendagri 62/2019; NIP: Peraturan Kepala BKN 22/2007; NPWP: PMK 112/2022; phone numbers:
Kominfo's numbering plan (KM 4/2001); amounts as PUEBI writes them. Their rules are lokal-id's,
but for the NIP, which it does not have.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import lokal
from lokal import wilayah

from absah_indonesian import dates

_DIGITS = r"\d(?:[ .]?\d)"
_NUMBER_END = r"(?![\d])(?![.,]\d)"
_NIK = re.compile(rf"(?<![\d.])(?:{_DIGITS}{{15}}){_NUMBER_END}")
_NIP = re.compile(rf"(?<![\d.])(?:{_DIGITS}{{17}}){_NUMBER_END}")
_NPWP = re.compile(
    r"(?<![\d.])(?:\d{2}\.?\d{3}\.?\d{3}\.?\d-\d{3}\.?\d{3}"
    r"|(?:(?<=NPWP)|(?<=NPWP )|(?<=NPWP: )|(?<=NPWP : )|(?<=npwp )|(?<=npwp: ))\d{15,16})(?!\d)"
)
_PHONE = re.compile(
    r"(?<![\w+.])(?:\+62[\s-]?|62(?=8)|\(0\d{2,3}\)[\s-]?|0(?=[1-9]))\d(?:[\s.-]{0,2}\d){5,12}(?!\d)"
)
_EMAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9](?:[A-Za-z0-9._%+-]{0,62}[A-Za-z0-9])?"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}(?![\w-])"
)
_MONEY = r"\d{1,3}(?:[.\s]\d{3})+(?:,\d{1,2})?|\d+(?:[.,]\d+)?"
_UNIT = r"(?:\s?(?:ribu|rb|juta|jt|miliar|milyar|triliun|[mM]))"
_NUMBER_WORD = (
    r"(?:se(?:puluh|belas|ratus|ribu)|satu|dua|tiga|empat|lima|enam|tujuh|delapan|sembilan"
    r"|puluh|belas|ratus|ribu|juta|miliar|triliun)"
)
_AMOUNT = re.compile(
    rf"(?<!\w)(?:(?:Rp|IDR)\.?\s?(?:{_MONEY}){_UNIT}?\b(?:,-|,00)?"
    rf"|(?:{_MONEY}){_UNIT}?\s+rupiah\b"
    rf"|{_NUMBER_WORD}(?:\s+{_NUMBER_WORD}){{0,20}}\s+rupiah\b)",
    re.IGNORECASE,
)
_CAREER_BEGINS = 15
"""Nobody enters the civil service younger than this many years."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identifier:
    """A validated identifier, text[start:end] in code points, with what it says."""

    code: str
    start: int
    end: int
    attributes: Mapping[str, Any] = field(default_factory=dict)


def find(text: str) -> list[Identifier]:
    """All identifiers, dates and amounts of a text in reading order; none overlaps another."""
    taken: list[Identifier] = []
    for finder in FINDERS:
        for found in finder(text):
            if not any(found.start < other.end and other.start < found.end for other in taken):
                taken.append(found)
    return sorted(taken, key=lambda identifier: identifier.start)


def digits(text: str) -> str:
    """The decimal digits of a text."""
    return re.sub(r"\D", "", text)


def nik(text: str) -> dict[str, Any] | None:
    """A NIK whose province exists and whose date of birth is one.

    `regency` is empty where its code is none of today's: codes of the past live on in NIKs.
    """
    info = lokal.parse_nik(digits(text), lookup_wilayah=wilayah.wilayah_name)
    if not info.valid:
        return None
    return {
        "value": info.nik,
        "birth_date": info.birth_date,
        "sex": info.gender,
        "province": info.province,
        "regency": info.regency or "",
    }


def nip(text: str) -> dict[str, Any] | None:
    """A civil servant's number: date of birth, month of entry, sex (1, 2), serial."""
    number = digits(text)
    try:
        birth = datetime.date(int(number[:4]), int(number[4:6]), int(number[6:8]))
        entry = datetime.date(int(number[8:12]), int(number[12:14]), 1)
    except ValueError:
        return None
    plausible = birth.year > 1900 and entry.year - birth.year >= _CAREER_BEGINS
    if not plausible or entry.year > datetime.date.today().year or number[14] not in "12":
        return None
    return {
        "value": number,
        "birth_date": birth.isoformat(),
        "entry_month": f"{entry:%Y-%m}",
        "sex": "L" if number[14] == "1" else "P",
    }


def npwp(text: str) -> dict[str, Any] | None:
    """A taxpayer's number of 15 or 16 digits."""
    info = lokal.parse_npwp(text)
    return {"value": info.npwp16, "kind": info.kind} if info.valid else None


def phone(text: str) -> dict[str, Any] | None:
    """A mobile or landline number."""
    info = lokal.parse_phone(text)
    return {"value": info.e164, "type": info.type} if info.valid and info.e164 else None


def email(text: str) -> dict[str, Any] | None:
    """An address of the form that RFC 5321 allows unquoted."""
    if ".." in text or len(text) > 254:
        return None
    return {"value": text.lower()}


def amount(text: str) -> dict[str, Any] | None:
    """An amount of rupiah in digits, in short (1,5 juta) or in words."""
    parsed = lokal.parse_rupiah(text)
    return {"value": float(parsed.amount), "currency": "IDR"} if parsed else None


def find_dates(text: str) -> Iterator[Identifier]:
    """Dates in digits and words; `value` is YYYY-MM-DD, `until` the last day of a range.

    A date without its year is --MM-DD (ISO 8601:2000, 5.2.1.3).
    """
    for mention in dates.find(text):
        attributes = {"value": _iso(mention.first)}
        if mention.last != mention.first:
            attributes["until"] = _iso(mention.last)
        yield Identifier(code="DATE", start=mention.start, end=mention.end, attributes=attributes)


def _iso(day: dates.Day) -> str:
    year = "-" if day.year is None else f"{day.year:04}"
    return f"{year}-{day.month:02}-{day.day:02}"


Finder = Callable[[str], Iterator[Identifier]]


def _finder(
    code: str, pattern: re.Pattern[str], validate: Callable[[str], Mapping[str, Any] | None]
) -> Finder:
    def found(text: str) -> Iterator[Identifier]:
        for match in pattern.finditer(text):
            attributes = validate(match.group())
            if attributes is not None:
                yield Identifier(
                    code=code, start=match.start(), end=match.end(), attributes=attributes
                )

    return found


FINDERS: tuple[Finder, ...] = (
    _finder("EMAIL", _EMAIL, email),
    _finder("NIP", _NIP, nip),
    _finder("NPWP", _NPWP, npwp),
    _finder("NIK", _NIK, nik),
    find_dates,
    _finder("AMOUNT", _AMOUNT, amount),
    _finder("PHONE", _PHONE, phone),
)
"""In order of how sure their form makes them: an earlier one takes its text from later ones."""
