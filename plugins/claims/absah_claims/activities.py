"""Does a report or a letter tell of the claimed activity?

It does where the activity's words, in whatever form, stand near one another. Words that do not
stand there may have been said otherwise, so their absence contradicts nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from absah_claims import texts
from absah_claims.comparison import Comparison, agrees, combine, unsettled
from absah_claims.evidence import Kind, Source, of_kind
from absah_indonesian.wordlists import words

SHARE = 0.75
"""The share of the activity's words that must stand together."""

_NOTHING = ("tidak ada laporan yang menyebut kegiatan", "no report tells of an activity")
_UNREAD_CLAIM = ("kegiatan yang diklaim tidak jelas", "the claimed activity says nothing")
_TOLD = ("laporan menyebut kegiatan ini", "the report tells of this activity")
_PARTLY = ("laporan hanya menyebut sebagian kegiatan", "the report tells of part of the activity")
_NOT_TOLD = ("laporan tidak menyebut kegiatan ini", "the report does not tell of this activity")

_GENERAL = words(
    """kegiatan acara laporan pelaksanaan dilaksanakan melaksanakan melakukan dilakukan mengikuti
    menghadiri mengadakan diadakan penyelenggaraan program tugas hari lokasi tempat"""
)


SHOWN = 160
"""Characters of a text that are shown to people."""


def match_activity(claim: str, sources: Sequence[Source]) -> Comparison:
    """Look for the claimed activity in reports, then in letters."""
    claimed = [t for t in texts.tokens(claim, limit=texts.CLAIM_WORDS) if t.text not in _GENERAL]
    if not any(not t.number for t in claimed):
        return unsettled("", _UNREAD_CLAIM)
    told = [_told(claimed, s) for s in of_kind(sources, Kind.REPORT, Kind.LETTER) if s.text]
    return combine(told, nothing=_NOTHING)


def _told(claimed: Sequence[texts.Token], source: Source) -> Comparison:
    found = texts.nearest(claimed, texts.tokens(source.text))
    words = {c.text for c in claimed}
    needed = len(words) if len(words) <= 2 else SHARE * len(words)
    if found and len(found) >= needed:
        return agrees(_stretch(found, source.text), _TOLD)
    return unsettled(_stretch(found, source.text), _PARTLY if found else _NOT_TOLD)


def _stretch(found: Sequence[texts.Token], text: str) -> str:
    """The words in the text from the first to the last; of a long stretch, its fullest line."""
    if not found:
        return ""
    start, end = min(t.start for t in found), max(t.end for t in found)
    if end - start <= SHOWN:
        return text[start:end]
    lines = [(text.rfind("\n", 0, t.start) + 1, text.find("\n", t.end)) for t in found]
    start, end = max(lines, key=lines.count)
    return text[start : end if end >= 0 else len(text)].strip()[:SHOWN]
