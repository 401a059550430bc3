"""Tell what a date in a text is the date of: the event, the signing, or something referred to."""

from __future__ import annotations

import enum
import re

from absah_indonesian.dates import Mention

_BEFORE_LENGTH = 110
_BEHIND_LENGTH = 70


class Occasion(enum.Enum):
    """What happened on a date that a text mentions."""

    EVENT = "event"
    UNKNOWN = "unknown"
    SIGNING = "signing"
    """When the text itself was written or signed."""
    REFERENCE = "reference"
    """Of a letter, a regulation, a birth, a deadline, another event."""


_EVENT = re.compile(
    r"""(?<!akan\s)\b(?:di)?(?:laksana|selenggara|ada|laku|gelar|langsung)kan\b|\bmelaksanakan|\bmelakukan
    |\bpelaksanaan|\bberlangsung|\bbertempat|\bdigelar|\bhari\s*(?:/|dan|,)\s*(?:tanggal|tgl)
    |\bpada\s+hari|\bwaktu\s+(?:kegiatan|pelaksanaan)|\b(?:tanggal|tgl|waktu)\s+(?:kegiatan|acara
    |pelaksanaan|kunjungan|kejadian|rapat)|(?:^|\n)[ \t]*(?:waktu|hari)\s*:|\bmengunjungi
    |\bmengikuti|\bmenghadiri|\bmengadakan|\bmenyelenggarakan|\bhari\s+ini\b""",
    re.IGNORECASE | re.VERBOSE,
)
_WEAK_EVENT = re.compile(
    r"""\bkegiatan|\bacara|\brapat|\bsosialisasi|\bpelatihan|\bkunjungan|\bmonitoring
    |\bpenyerahan|\bpenyaluran|\bpemeriksaan|\bpeninjauan|\bsurvei|\bgotong\s+royong
    |\bkerja\s+bakti|\bbimtek|\bbimbingan|\bperjalanan\s+dinas|\bposyandu|\bpeninjauan""",
    re.IGNORECASE | re.VERBOSE,
)
_REFERENCE = re.compile(
    r"""\bnomor\b|\bno\s?[.:]|\bsurat\b|\bspt\b|\bsppd\b|\bsk\b|\bundangan|\bperaturan|\bundang
    |\buu\b|\bperda\b|\bpermen\w*|\bperpres|\bkeputusan|\btertanggal|\bperjanjian|\bkontrak
    |\bdisposisi|\bnota\s+dinas|\bmemorandum|\bdipa\b|\bdpa\b|\blahir\b|\bttl\b|\bberlaku
    |\btmt\b|\bterhitung|\bjatuh\s+tempo|\bbatas|\bpaling\s+lambat|\bselambat|\bditerbitkan
    |\bdicetak|\bsebelumnya|\btahun\s+lalu|\bselanjutnya|\bberikutnya|\bmendatang
    |\brencana\b|\bdijadwalkan|\bditunda|\bsemula\b|\bhari\s+jadi|\bproklamasi""",
    re.IGNORECASE | re.VERBOSE,
)
_SIGNING = re.compile(
    r"""\b(?:tanggal|tgl)\s+(?:pelaporan|laporan|pembuatan|surat|ttd)|\blaporan\s+(?:ini\s+)?(?:
    di(?:buat|susun)|tanggal|tertanggal)|\b(?:dibuat|ditetapkan|ditandatangani|dikeluarkan)\s+di
    |\bdemikian\b|\b(?:disusun|dibuat|dilaporkan)\s+(?:pada|oleh)""",
    re.IGNORECASE | re.VERBOSE,
)
_TOWN_BEFORE = re.compile(r"(?:^|\n|\.\s|[ \t]{3})[ \t]*(?:[A-Z][A-Za-z.']+[ \t]?){1,4},?[ \t]*$")
_LABELLED_LINE = re.compile(r"[ \t]*\w[\w/ \t]{1,25}:[^\n]*$")
_LINE_ENDS = re.compile(r"[ \t]*\.?[ \t]*(?:\n|$)")
_SENTENCE_END = re.compile(r"\n[ \t]*\n|[a-z)]{3,}\.\s+(?=[A-Z])|;")


def occasion(mention: Mention, text: str) -> Occasion:
    """What the date is of, told by the nearest cue before it, or else behind it."""
    before = _clause_before(text[max(0, mention.start - _BEFORE_LENGTH) : mention.start])
    behind = text[mention.end : mention.end + _BEHIND_LENGTH]
    if _town_and_date(text, mention, behind):
        return Occasion.SIGNING
    cues = {
        Occasion.REFERENCE: _last(_REFERENCE, before),
        Occasion.EVENT: _last(_EVENT, before),
        Occasion.SIGNING: _last(_SIGNING, before),
    }
    nearest = max(cues, key=lambda occasion: cues[occasion])
    if cues[nearest] >= 0:
        return nearest
    if _WEAK_EVENT.search(before) or _EVENT.search(_clause_behind(behind)):
        return Occasion.EVENT
    return Occasion.UNKNOWN


def _town_and_date(text: str, mention: Mention, behind: str) -> bool:
    """A line "Cibinong, 14 Maret 2026" by itself stands above or under a letter or report."""
    line = text[max(0, mention.start - 50) : mention.start]
    named = _TOWN_BEFORE.search(line)
    if named is None or not _LINE_ENDS.match(behind):
        return False
    return not (_EVENT.search(named[0]) or _WEAK_EVENT.search(named[0])) and (
        mention.weekday is None or "," in named[0].rstrip().rstrip(",")
    )


def _last(cue: re.Pattern[str], text: str) -> int:
    """Where the last such cue ends, or -1."""
    return max((match.end() for match in cue.finditer(text)), default=-1)


def _clause_before(text: str) -> str:
    """What stands before the date since the last sentence ended, or on its own labelled line."""
    line = text[text.rfind("\n") + 1 :]
    if "\n" in text and _LABELLED_LINE.match(line):
        return line
    ends = list(_SENTENCE_END.finditer(text))
    return text[ends[-1].end() :] if ends else text


def _clause_behind(text: str) -> str:
    end = _SENTENCE_END.search(text)
    return text[: end.start()] if end else text
