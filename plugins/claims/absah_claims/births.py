"""Compare a birth date and a sex with a card's fields and with its NIK, which tells both."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from absah_claims import niks
from absah_claims.comparison import Comparison, agrees, combine, contradicts, doubts, unsettled
from absah_claims.evidence import CERTAIN, Kind, Reading, Source, of_kind
from absah_indonesian import dates
from absah_indonesian.wordlists import words

_NO_CARD = ("tidak ada KTP", "there is no identity card")
_UNREAD_CLAIM = ("nilai yang diklaim tidak terbaca", "the claimed value cannot be read")

_DATE_SAME = ("tanggal lahir sama", "the birth date is the same")
_DATE_OTHER = ("tanggal lahir berbeda", "the birth date is another")
_DATE_CLOSE = (
    "tanggal lahir mirip; mungkin salah baca",
    "the birth date is close, perhaps misread",
)
_DATE_UNREAD = ("tanggal lahir tidak terbaca", "the birth date could not be read")
_DATE_BY_NIK = (
    "tanggal lahir sesuai dengan NIK pada KTP",
    "the NIK on the card has this birth date",
)
_SEX_SAME = ("jenis kelamin sama", "the sex is the same")
_SEX_OTHER = ("jenis kelamin berbeda", "the sex is another")
_SEX_UNREAD = ("jenis kelamin tidak terbaca", "the sex could not be read")
_SEX_DOUBTFUL = ("pembacaan jenis kelamin meragukan", "the sex was read doubtfully")
_SEX_BY_NIK = ("jenis kelamin sesuai dengan NIK pada KTP", "the NIK on the card tells this sex")
_AT_ODDS = ("NIK dan kolom pada KTP tidak sejalan", "the NIK and the field on the card are at odds")

_SEXES = {
    "L": words("l lk lakilaki laki pria male m man"),
    "P": words("p pr perempuan wanita female f woman"),
}


def match_birth_date(claim: str, sources: Sequence[Source]) -> Comparison:
    """Compare a claimed birth date with the card's field and with the digits of its NIK."""
    date = dates.parse(claim)
    if date is None:
        return unsettled("", _UNREAD_CLAIM)
    cards = [_birth_date(date, source) for source in of_kind(sources, Kind.IDENTITY)]
    return combine(cards, nothing=_NO_CARD)


def match_sex(claim: str, sources: Sequence[Source]) -> Comparison:
    """Compare a claimed sex, L or P, with the card's field and with its NIK (day + 40 is P)."""
    sex = _sex(claim)
    if sex is None:
        return unsettled("", _UNREAD_CLAIM)
    cards = [_card_sex(sex, source) for source in of_kind(sources, Kind.IDENTITY)]
    return combine(cards, nothing=_NO_CARD)


def _birth_date(date: datetime.date, source: Source) -> Comparison:
    reading = source.fields.get("birth_date")
    read = dates.parse(reading.value) if reading is not None else None
    fits = _nik_fits(date, source)
    if reading is None or read is None:
        return _by_nik(fits, source)
    found, findings = reading.value, reading.findings
    if read == date:
        if fits is False:
            return doubts(found, _AT_ODDS, findings)
        return agrees(found, _DATE_SAME, findings)
    if fits is True:
        return _misread(date, read, reading)
    borne_out = _nik_fits(read, source) is True
    alike = dates.lookalike(read, date) and reading.confidence < CERTAIN and not borne_out
    if not reading.sure or alike:
        return unsettled(found, _DATE_CLOSE, findings)
    return contradicts(found, _DATE_OTHER, findings)


def _misread(date: datetime.date, read: datetime.date, reading: Reading) -> Comparison:
    """The NIK has the claimed date: the field was misread, if its digits allow that."""
    if dates.lookalike(read, date) and reading.confidence < CERTAIN:
        return agrees(reading.value, _DATE_BY_NIK, reading.findings)
    return doubts(reading.value, _AT_ODDS, reading.findings)


def _by_nik(fits: bool | None, source: Source) -> Comparison:
    """The field is missing: a NIK agrees, but its digits alone contradict nothing."""
    nik = source.fields.get("nik")
    if fits is None or nik is None:
        return unsettled("", _DATE_UNREAD)
    if fits:
        return agrees("", _DATE_BY_NIK, nik.findings)
    return doubts("", _DATE_UNREAD, nik.findings)


def _nik_fits(date: datetime.date, source: Source) -> bool | None:
    """Whether the card's NIK has this birth date; None where its digits are in doubt."""
    nik = source.fields.get("nik")
    form = niks.parse(niks.digits_of(nik)) if nik is not None else None
    fits = niks.birth_date_fits(form, date) if form is not None and form.valid else None
    return None if fits is False and nik is not None and not nik.sure else fits


def _card_sex(sex: str, source: Source) -> Comparison:
    """One letter is easily misread: what tells it must be sure, or told twice."""
    reading, nik = source.fields.get("sex"), source.fields.get("nik")
    read = _sex(reading.value) if reading is not None else None
    form = niks.parse(niks.digits_of(nik)) if nik is not None and nik.sure else None
    by_nik = form.gender if form is not None and form.valid else None
    if reading is None or read is None:
        return _sex_by_nik(sex, by_nik, nik)
    if by_nik is not None and by_nik != read:
        return doubts(reading.value, _AT_ODDS, reading.findings)
    if by_nik is None and not reading.sure:
        return unsettled(reading.value, _SEX_DOUBTFUL, reading.findings)
    if read == sex:
        return agrees(reading.value, _SEX_SAME, reading.findings)
    return contradicts(reading.value, _SEX_OTHER, reading.findings)


def _sex_by_nik(sex: str, by_nik: str | None, nik: Reading | None) -> Comparison:
    """The field is missing: the NIK agrees, but its one digit contradicts nothing."""
    if by_nik is None or nik is None:
        return unsettled("", _SEX_UNREAD)
    if by_nik == sex:
        return agrees(by_nik, _SEX_BY_NIK, nik.findings)
    return doubts(by_nik, _SEX_OTHER, nik.findings)


def _sex(text: str) -> str | None:
    word = "".join(c for c in text.casefold() if c.isalpha())
    return next((sex for sex, words in _SEXES.items() if word in words), None)
