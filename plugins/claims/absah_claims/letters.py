"""Compare a letter's number, date and institution with what was claimed."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from functools import partial

from absah_claims import numbering, texts
from absah_claims.comparison import (
    Comparison,
    Outcome,
    agrees,
    combine,
    contradicts,
    unsettled,
)
from absah_claims.evidence import CERTAIN, Kind, Reading, Source, of_kind
from absah_claims.occasions import Occasion, occasion
from absah_indonesian import dates
from absah_indonesian.wordlists import words

YEARS_AHEAD = 2
LETTERHEAD_LENGTH = 700

_NO_LETTER = ("tidak ada surat", "there is no letter")
_UNREAD_CLAIM = ("nilai yang diklaim tidak terbaca", "the claimed value cannot be read")

_DATE_LABEL = re.compile(r"(?:^|\n)[ \t]*(?:tanggal|tgl\.?)[ \t]*:[^\n]*$", re.IGNORECASE)
_HEAD_END = re.compile(
    r"(?:^|\n)\s*(?:nomor|no\b|kepada|yth|perihal|hal\b|lampiran|sifat|surat\s+\w+|nota\s+dinas"
    r"|memorandum|pengumuman|undangan|berita\s+acara)",
    re.IGNORECASE,
)
_LEVELS = words("kabupaten kota provinsi kecamatan kelurahan desa")
_SOFT = words("pemerintah republik indonesia negara ri daerah kantor alamat jalan telepon telp fax")
_KINDS = words("dinas badan kementerian sekretariat bagian direktorat balai jenderal")
"""Words that many institutions begin with: they count half."""


def match_letter_number(claim: str, sources: Sequence[Source]) -> Comparison:
    """Compare a letter's number; a line "Nomor" in the text stands in for a missing field."""
    if len(numbering.parts(claim)) < 1:
        return unsettled("", _UNREAD_CLAIM)
    return _letters(partial(_number, claim), sources)


def match_letter_date(claim: str, sources: Sequence[Source]) -> Comparison:
    """Compare the date that a letter bears."""
    date = dates.parse(claim)
    if date is None:
        return unsettled("", _UNREAD_CLAIM)
    return _letters(partial(_date, date), sources)


def match_institution(claim: str, sources: Sequence[Source]) -> Comparison:
    """Compare the institution that a letter is from; its head stands in for the field."""
    return _letters(partial(_institution, claim), sources)


def _letters(compare: Callable[[Source], Comparison], sources: Sequence[Source]) -> Comparison:
    return combine([compare(s) for s in of_kind(sources, Kind.LETTER)], nothing=_NO_LETTER)


def _number(claim: str, source: Source) -> Comparison:
    same = ("nomor surat sama", "the number is the same")
    other = ("nomor surat berbeda", "the number is another")
    mended = (
        "nomor surat sama; bulan Romawi dibetulkan menurut tanggalnya",
        "the number is the same once its Roman month is set right by the date",
    )
    doubtful = ("nomor surat mirip atau meragukan", "the number is close, or doubtfully read")
    line = numbering.labelled(source.text)
    in_line = _number_in_line(claim, line)
    reading = source.fields.get("number")
    if reading is None:
        if in_line:
            return agrees(line, same)
        return unsettled(line, ("nomor surat tidak terbaca", "the number could not be read"))
    outcome = numbering.compare(claim, reading.value, reading.confidence)
    if outcome is not Outcome.AGREES and reading.raw != reading.value:
        outcome = min(
            (outcome, numbering.compare(claim, reading.raw, reading.confidence)),
            key=[Outcome.AGREES, Outcome.UNSETTLED, Outcome.CONTRADICTS].index,
        )
    if outcome is not Outcome.AGREES and _month_of_date(claim, reading, source):
        return agrees(reading.value, mended, reading.findings)
    if outcome is Outcome.AGREES:
        return agrees(reading.value, same, reading.findings)
    if outcome is Outcome.CONTRADICTS and not in_line:
        return contradicts(reading.value, other, reading.findings)
    return unsettled(reading.value, doubtful, reading.findings)


def _month_of_date(claim: str, number: Reading, source: Source) -> bool:
    """Whether only the Roman month was misread: the letter's own date has the claimed one."""
    month = numbering.month_apart(claim, number.value)
    date = source.fields.get("date")
    read = dates.parse(date.value) if date is not None and date.sure else None
    return month is not None and read is not None and read.month == month


def _number_in_line(claim: str, line: str) -> bool:
    """Whether a line begins with the number, whatever follows it there."""
    claimed, read = numbering.parts(claim), numbering.parts(line)
    return len(claimed) >= 2 and read[: len(claimed)] == claimed


def _date(date: datetime.date, source: Source) -> Comparison:
    same = ("tanggal surat sama", "the date of the letter is the same")
    other = ("tanggal surat berbeda", "the date of the letter is another")
    doubtful = ("tanggal surat mirip atau meragukan", "the date is close, or doubtfully read")
    signed = _signed_on(date, source.text)
    reading = source.fields.get("date")
    read = dates.parse(reading.value) if reading is not None else None
    if reading is None or read is None:
        if signed:
            return agrees(date.isoformat(), same)
        return unsettled("", ("tanggal surat tidak terbaca", "the date could not be read"))
    if read == date:
        return agrees(reading.value, same, reading.findings)
    misread = _may_be_misread(read, date) and reading.confidence < CERTAIN
    if signed or misread or not reading.sure:
        return unsettled(reading.value, doubtful, reading.findings)
    return contradicts(reading.value, other, reading.findings)


def _may_be_misread(read: datetime.date, date: datetime.date) -> bool:
    """One digit that looks like another, or a year that is still to come."""
    to_come = read.year > date.year + YEARS_AHEAD and (read.month, read.day) == (
        date.month,
        date.day,
    )
    return dates.lookalike(read, date) or to_come


def _signed_on(date: datetime.date, text: str) -> bool:
    return any(
        mention.first == mention.last
        and mention.dated
        and mention.covers(date)
        and (
            occasion(mention, text) is Occasion.SIGNING
            or _DATE_LABEL.search(text, max(0, mention.start - 40), mention.start)
        )
        for mention in dates.find(text)
    )


def _institution(claim: str, source: Source) -> Comparison:
    same = ("instansi sama", "the institution is the same")
    other = ("instansi berbeda", "the institution is another")
    doubtful = ("instansi meragukan", "the institution is doubtful, or told only in part")
    claimed, head = texts.tokens(claim, limit=texts.CLAIM_WORDS), _letterhead(source.text)
    telling = _telling(claimed)
    if not telling:
        return unsettled("", _UNREAD_CLAIM)
    in_head = _all_in(telling, head) and not _levels_clash(claimed, head)
    reading = source.fields.get("institution")
    if reading is None:
        if in_head:
            return agrees(claim, same)
        return unsettled("", ("instansi tidak terbaca", "the institution could not be read"))
    read = texts.tokens(reading.value, limit=texts.CLAIM_WORDS)
    overlap = texts.overlap(claimed, read)
    missing, added = _telling(overlap.claimed_alone), _telling(overlap.read_alone)
    clash = _levels_clash(claimed, read)
    whole = not missing and _weight(_telling(overlap.matched)) >= 1
    if not clash and (whole or in_head):
        return agrees(reading.value, same, reading.findings)
    against = clash or (missing and added)
    elsewhere = not head and _all_in(telling, texts.tokens(source.text)) and not clash
    if against and reading.sure and not elsewhere:
        return contradicts(reading.value, other, reading.findings)
    return unsettled(reading.value, doubtful, reading.findings)


def _letterhead(text: str) -> tuple[texts.Token, ...]:
    """What stands above the number, the addressee and the title of a letter."""
    end = _HEAD_END.search(text, 0, LETTERHEAD_LENGTH)
    return texts.tokens(text[: end.start() if end else 0])


def _telling(tokens: Sequence[texts.Token]) -> list[texts.Token]:
    return [t for t in tokens if t.text not in _SOFT and t.text not in _LEVELS]


def _weight(tokens: Sequence[texts.Token]) -> float:
    return sum(0.5 if token.text in _KINDS else 1.0 for token in tokens)


def _all_in(claimed: Sequence[texts.Token], read: Sequence[texts.Token]) -> bool:
    return bool(claimed) and not texts.overlap(claimed, read).claimed_alone


def _levels_clash(claimed: Sequence[texts.Token], read: Sequence[texts.Token]) -> bool:
    """A city where the other says regency: Kota Bogor is not Kabupaten Bogor."""
    sides = [{t.text for t in side} & {"kota", "kabupaten"} for side in (claimed, read)]
    return len(sides[0]) == len(sides[1]) == 1 and sides[0] != sides[1]
