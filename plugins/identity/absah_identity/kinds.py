"""Tell by its form alone what a value is: a number, a date, a sex, a religion.

Such values show where values stand beside their labels, and stand in for labels that were not read.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping

from absah_identity import matching

SEXES: Mapping[str, str] = {
    "LAKI-LAKI": "L", "LAKI LAKI": "L", "PRIA": "L", "LELAKI": "L",
    "PEREMPUAN": "P", "WANITA": "P",
}  # fmt: skip
RELIGIONS: Mapping[str, str] = {
    "ISLAM": "ISLAM", "KRISTEN": "KRISTEN", "KRISTEN PROTESTAN": "KRISTEN", "PROTESTAN": "KRISTEN",
    "KATHOLIK": "KATHOLIK", "KATOLIK": "KATHOLIK", "HINDU": "HINDU", "BUDHA": "BUDHA",
    "BUDDHA": "BUDHA", "KHONGHUCU": "KHONGHUCU", "KONGHUCU": "KHONGHUCU",
    "KEPERCAYAAN TERHADAP TUHAN YME": "KEPERCAYAAN TERHADAP TUHAN YME",
}  # fmt: skip
MARITAL_STATUSES: Mapping[str, str] = {
    "BELUM KAWIN": "BELUM KAWIN", "KAWIN": "KAWIN", "KAWIN TERCATAT": "KAWIN",
    "KAWIN BELUM TERCATAT": "KAWIN", "MENIKAH": "KAWIN", "BELUM MENIKAH": "BELUM KAWIN",
    "CERAI HIDUP": "CERAI HIDUP", "CERAI MATI": "CERAI MATI",
}  # fmt: skip
NATIONALITIES: Mapping[str, str] = {"WNI": "WNI", "WNA": "WNA", "INDONESIA": "WNI"}
FOR_LIFE = "SEUMUR HIDUP"

_MONTHS = (
    "JANUARI", "FEBRUARI", "MARET", "APRIL", "MEI", "JUNI", "JULI", "AGUSTUS", "SEPTEMBER",
    "OKTOBER", "NOVEMBER", "DESEMBER",
)  # fmt: skip
_MONTH_WORDS = matching.Vocabulary(_MONTHS)
_SHORT_MONTHS = (
    "JAN", "FEB", "MAR", "APR", "MEI", "JUN", "JUL", "AGU", "SEP", "OKT", "NOV", "DES",
)  # fmt: skip
_DIGIT = "[0-9OoQDIl|SsBZzGb]"
_AS_DIGIT = str.maketrans("OoQDIl|SsBZzGb", "00001115582266")
_NUMERIC_DATE = re.compile(
    rf"({_DIGIT}{{1,2}})\s*[-–—/.,:_~ ]\s*({_DIGIT}{{1,2}})\s*[-–—/.,:_~ ]\s*({_DIGIT}{{4}})(?!\d)"
)
_SOLID_DATE = re.compile(
    rf"(?<!\d)({_DIGIT}{{2}})[-–—/. ]?({_DIGIT}{{2}})[-–—/. ]?({_DIGIT}{{4}})(?!\d)"
)
_WORDED_DATE = re.compile(
    rf"({_DIGIT}{{1,2}})[-\s.]*([A-Za-z015]{{3,10}})[-\s.]*({_DIGIT}{{4}})(?!\d)"
)
_ISO_DATE = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
_RT_RW = re.compile(
    rf"(?i:RT\.?\s*:?\s*)?({_DIGIT}{{1,3}})\s*[/\\|I l-]\s*(?i:RW\.?\s*:?\s*)?({_DIGIT}{{1,3}})"
)


_VOCABULARIES = {
    field: (matching.Vocabulary(words), words)
    for field, words in (
        ("sex", SEXES),
        ("religion", RELIGIONS),
        ("marital_status", MARITAL_STATUSES),
        ("nationality", NATIONALITIES),
        ("valid_until", {FOR_LIFE: FOR_LIFE}),
    )
}


def kind_of(text: str) -> str | None:
    """The field that a value of this form belongs to, where the form alone tells."""
    bare = text.strip(" :;.=-")
    if len(re.sub(r"\D", "", bare)) >= 14 and len(bare) <= 24:
        return "nik"
    for field in _VOCABULARIES:
        if one_of(bare, field):
            return field
    if _RT_RW.fullmatch(bare):
        return "rt_rw"
    found = find_date(bare)
    return "birth" if found and re.search(r"[A-Za-z]{3}", bare[: found[1]]) else None


def one_of(text: str, field: str, *, most: float = 0.2) -> tuple[str, float] | None:
    """The value of the field that `text` is, and how surely: 1 less the share of letters off.

    For the fields that have a fixed set of values: sex, religion, marital_status, nationality, and
    valid_until for life. At most `most` of the word's letters may differ.
    """
    vocabulary, values = _VOCABULARIES[field]
    near = vocabulary.nearest(text, most=most)
    if near is None:
        return None
    word, edits = near
    return values[word], 1 - edits / len(word)


def find_date(text: str) -> tuple[datetime.date, int, float] | None:
    """The last date in a text, where it begins and how surely it was read.

    Letters that look like digits count as digits; a month may be a word with a few wrong letters.
    """
    for pattern in (_NUMERIC_DATE, _SOLID_DATE, _ISO_DATE, _WORDED_DATE):
        for match in reversed(list(pattern.finditer(text))):
            groups = match.groups()[::-1] if pattern is _ISO_DATE else match.groups()
            date = _date(*groups)
            if date:
                digits = sum(character.isdigit() for character in match.group())
                letters = sum(character in _AS_LETTERS for character in "".join(groups[::2]))
                sure = 1.0 if not letters else 0.8
                if digits >= 4:
                    return date, match.start(), sure
    return None


_AS_LETTERS = frozenset("OoQDIl|SsBZzGb")


def rt_rw(text: str) -> str | None:
    """Neighbourhood numbers as NNN/NNN, from "001/002", "RT 1 RW 2", "001 / 002"."""
    match = _RT_RW.search(text)
    if match is None:
        digits = re.sub(r"\D", "", text)
        return f"{digits[:3]}/{digits[3:]}" if len(digits) == 6 else None
    first, second = (part.translate(_AS_DIGIT) for part in match.groups())
    return f"{int(first):03d}/{int(second):03d}"


def _date(day: str, month: str, year: str) -> datetime.date | None:
    number = _month(month)
    try:
        date = datetime.date(int(year.translate(_AS_DIGIT)), number, int(day.translate(_AS_DIGIT)))
    except ValueError:
        return None
    return date if 1900 <= date.year <= 2100 else None


def _month(text: str) -> int:
    digits = text.translate(_AS_DIGIT)
    if digits.isdigit():
        return int(digits)
    near = _MONTH_WORDS.nearest(text, most=0.34)
    if near:
        return _MONTHS.index(near[0]) + 1
    short = text.upper()[:3]
    return _SHORT_MONTHS.index(short) + 1 if len(text) <= 4 and short in _SHORT_MONTHS else 0
