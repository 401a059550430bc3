"""Did the event take place on the claimed date, as reports, letters and photos tell?"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from absah_claims.comparison import (
    Comparison,
    Reference,
    agrees,
    combine,
    contradicts,
    doubts,
    unsettled,
)
from absah_claims.evidence import Kind, Source, of_kind
from absah_claims.occasions import Occasion, occasion
from absah_indonesian import dates

CAPTURE_SLACK_DAYS = 1
"""Cameras keep universal time or none: a photo may seem a day off."""
_OLDEST_CLOCK = datetime.date(2005, 1, 1)

_NOTHING = ("tidak ada bukti yang memuat tanggal", "no evidence states a date")
_UNREAD_CLAIM = ("tanggal yang diklaim tidak terbaca", "the claimed date is no date")
_SAME = ("tanggal kegiatan sama", "the date of the event is the same")
_WITHIN = ("tanggal termasuk dalam masa kegiatan", "the date lies within the days of the event")
_OTHER = ("tanggal kegiatan berbeda", "the date of the event is another")
_NO_DATE = ("teks tidak memuat tanggal kegiatan", "the text gives no date of the event")
_NO_YEAR = ("tahun kegiatan tidak disebut", "the text leaves out the year of the event")
_SIGNED = (
    "hanya tanggal pembuatan laporan yang disebut",
    "the text gives only the date of its signing",
)
_LETTER_OTHER = ("surat menyebut tanggal lain", "the letter gives another date")
_PHOTO_SAME = ("tanggal pengambilan foto sesuai", "the capture date of the photo agrees")
_PHOTO_OTHER = (
    "foto diambil pada tanggal lain",
    "the photo was taken on another date, as its metadata tell",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Dated:
    mention: dates.Mention
    occasion: Occasion


def match_event_date(claim: str, sources: Sequence[Source]) -> Comparison:
    """Compare the claimed date with the dates of the event that the evidence gives.

    The report decides; a letter or a photo that tells of another day opens the case, and one that
    tells of the same day stands in for a report without a date.
    """
    date = dates.parse(claim)
    if date is None:
        return unsettled("", _UNREAD_CLAIM)
    reports = [_report(date, source) for source in of_kind(sources, Kind.REPORT) if source.text]
    letters = [_letter(date, source) for source in of_kind(sources, Kind.LETTER) if source.text]
    photos = [_photo(date, s, sources) for s in sources if s.kind is Kind.PHOTO and _taken(s)]
    return combine([*reports, *letters, *photos], nothing=_NOTHING)


def _report(date: datetime.date, source: Source) -> Comparison:
    dated = _dated(source)
    events = [d.mention for d in dated if d.occasion is Occasion.EVENT]
    unknown = [d.mention for d in dated if d.occasion is Occasion.UNKNOWN]
    signing = [d.mention for d in dated if d.occasion is Occasion.SIGNING]
    told = events or unknown
    covering = [m for m in told if m.covers(date)] or [m for m in unknown if m.covers(date)]
    if covering:
        return _covered(date, covering, events, dated, source)
    signed_then = [m for m in signing if m.covers(date)]
    if signed_then and not told:
        return agrees(_found(signed_then), _SAME, _references(source, signed_then))
    if not told:
        why = _SIGNED if signing else _NO_DATE
        return unsettled(_found(signing), why, _references(source, signing))
    if signed_then or any(_may_mean(m, date, source) for m in told):
        return doubts(_found(told), _OTHER, _references(source, told))
    if not events and len({(m.first, m.last) for m in unknown}) > 1:
        return doubts(_found(told), _OTHER, _references(source, told))
    return contradicts(_found(told), _OTHER, _references(source, told))


def _covered(
    date: datetime.date,
    covering: Sequence[dates.Mention],
    events: Sequence[dates.Mention],
    dated: Sequence[_Dated],
    source: Source,
) -> Comparison:
    references = _references(source, covering)
    if events and not any(m in events for m in covering):
        return doubts(_found(events), _OTHER, _references(source, events))
    if not any(m.dated or _year_told(m, date, dated) for m in covering):
        return unsettled(_found(covering), _NO_YEAR, references)
    single = any(m.first == m.last for m in covering)
    return agrees(_found(covering), _SAME if single else _WITHIN, references)


def _year_told(mention: dates.Mention, date: datetime.date, dated: Sequence[_Dated]) -> bool:
    """Whether the weekday, or another date of the text, gives the year that a date lacks."""
    if mention.weekday is not None:
        return mention.weekday == date.weekday()
    return any(d.mention.first.year == date.year for d in dated if d.mention.dated)


def _may_mean(mention: dates.Mention, date: datetime.date, source: Source) -> bool:
    """Whether the text may mean the date: day and month swapped, or a digit misread."""
    swapped = dates.as_date(mention.swapped) if mention.swapped else None
    ends = [dates.as_date(day) for day in (mention.first, mention.last)]
    misread = any(end is not None and dates.lookalike(end, date) for end in ends)
    return swapped == date or (source.scanned and misread)


def _letter(date: datetime.date, source: Source) -> Comparison:
    """A letter of assignment supports; it is no report of what happened."""
    events = [d.mention for d in _dated(source) if d.occasion is Occasion.EVENT and d.mention.dated]
    covering = [m for m in events if m.covers(date)]
    if covering:
        return agrees(_found(covering), _SAME, _references(source, covering))
    if events and not any(_may_mean(m, date, source) for m in events):
        return doubts(_found(events), _LETTER_OTHER, _references(source, events))
    return unsettled(_found(events), _NO_DATE, _references(source, events))


def _photo(date: datetime.date, source: Source, sources: Sequence[Source]) -> Comparison:
    taken = _taken(source)
    days = abs((taken - date).days) if taken is not None else 0
    found = "" if taken is None else taken.isoformat()
    if days <= CAPTURE_SLACK_DAYS:
        return agrees(found, _PHOTO_SAME, source.capture_findings)
    if taken is not None and any(_same_event(date, taken, s) for s in sources):
        return unsettled(found, _PHOTO_SAME, source.capture_findings)
    return doubts(found, _PHOTO_OTHER, source.capture_findings)


def _same_event(date: datetime.date, taken: datetime.date, source: Source) -> bool:
    """Whether a report tells of an event that lasted over both days."""
    return source.kind is Kind.REPORT and any(
        d.mention.covers(date) and d.mention.covers(taken)
        for d in _dated(source)
        if d.occasion is Occasion.EVENT and d.mention.dated
    )


def _taken(source: Source) -> datetime.date | None:
    """The capture date of a photo; a clock that was never set tells nothing."""
    taken = dates.parse(source.capture_time[:10])
    return taken if taken is not None and taken >= _OLDEST_CLOCK else None


def _dated(source: Source) -> list[_Dated]:
    return [
        _Dated(mention=mention, occasion=occasion(mention, source.text))
        for mention in dates.find(source.text)
    ]


def _found(mentions: Iterable[dates.Mention]) -> str:
    return "; ".join(list(dict.fromkeys(" ".join(m.text.split()) for m in mentions))[:3])


def _references(source: Source, mentions: Sequence[dates.Mention]) -> list[Reference]:
    return [
        entity.reference
        for entity in source.entities
        if entity.code == "DATE"
        and any(entity.start < m.end and m.start < entity.end for m in mentions)
    ]
