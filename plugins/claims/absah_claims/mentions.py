"""Find a claimed name in running text, and the person that a text says it is by."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from absah_claims import names, titles
from absah_claims.comparison import Outcome
from absah_indonesian import spelling
from absah_indonesian.wordlists import words

ANCHOR_LIMIT = 200
"""Places in a text where a name is tried; more of them show no more."""
SCAN_CONFIDENCE = 0.9
TYPED_CONFIDENCE = 1.0

_TOKEN = re.compile(r"[^\W_]+(?:['’`][^\W_]+)*\.?")
_NOT_A_PERSON = words(
    """jl jln jalan gang gg gedung stadion bandara rs rsud rsu universitas taman masjid
    aula pelabuhan sman smpn sdn yayasan pesantren monumen"""
)
_BETWEEN_WORDS = re.compile(r"[ \t]*\n?[ \t]*")
_NAME = r"(?P<name>[^\n:;|]{3,120})"
_AUTHOR_CUES = (
    r"\b(?:nama[ \t]+)?(?:pelapor|penyusun(?:[ \t]+laporan)?|pembuat[ \t]+laporan"
    r"|pelaksana|petugas(?:[ \t]+pelapor)?)[ \t]*:\s*",
    r"\b(?:dilaporkan|disusun|dibuat)\s+oleh\s*:?\s*",
    r"\byang\s+(?:melaporkan|membuat\s+laporan)[ \t]*[:,]?\s*",
    r"\byang\s+bertanda\s*tangan\s+di\s*bawah\s+ini\s*[:,]?\s*(?:saya\s*,?\s*)?(?:\d[.)]\s*)?"
    r"nama(?:\s+lengkap)?\s*:?\s*",
    r"\bsaya\b\s*,?\s*",
    r"\b(?:hormat\s+(?:kami|saya)|pelapor|petugas|pembuat\s+laporan)[ \t]*,?[ \t]*"
    r"(?:\n[ \t]*){1,6}\(?",
    r"(?:^|\n)[ \t]*(?:\d[.)][ \t]*)?nama(?:[ \t]+lengkap)?[ \t]*:[ \t]*",
)
"""What stands before the name of who reports, the surest first."""

_AUTHOR = tuple(re.compile(cue + _NAME, re.IGNORECASE) for cue in _AUTHOR_CUES)
_NOT_A_NAME = words(
    """nip nik nrp jabatan pangkat golongan selaku pada tanggal tgl dari di kepala staf camat lurah
    sekretaris bendahara petugas ketua anggota kasi kabid kasubag pelaksana analis penyuluh guru
    dokter perawat bidan dinas badan kantor desa kelurahan kecamatan kabupaten kota telepon
    surat tugas tim pembentukan keputusan tentang kegiatan laporan undangan bupati gubernur"""
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """A stretch of text, [start, end), that names the claimed person, surely or perhaps."""

    outcome: Outcome
    text: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Author:
    """The name that a text gives as its author's, at [start, end)."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Token:
    word: names.Word
    start: int
    end: int
    proper: bool


def find(claimed: str, text: str, *, scanned: bool) -> Mention | None:
    """The best mention of a name in a text; None where it does not occur.

    A name of one word may be anyone's or a street's, and is told as doubtful.
    """
    claim = names.words(claimed)
    tokens = _tokens(text)
    confidence = SCAN_CONFIDENCE if scanned else TYPED_CONFIDENCE
    best: Mention | None = None
    seen = set()
    if not claim:
        return None
    for first, last in _windows(claim, tokens):
        window = tokens[first:last]
        reading = tuple(token.word for token in window)
        named_after = first and tokens[first - 1].word.text in _NOT_A_PERSON
        if reading in seen or named_after or not _runs_on(window, text):
            continue
        seen.add(reading)
        found = _mention(claim, window, text, confidence)
        if found is not None and (best is None or _better(found, best)):
            best = found
    return best


def author(text: str) -> Author | None:
    """Who the text says that it is by; None where it does not say or names several."""
    for pattern in _AUTHOR:
        found = {}
        for match in pattern.finditer(text):
            name = _cut(match["name"])
            if _looks_like_name(name):
                start = text.index(name, match.start("name"))
                found[name] = Author(name=name, start=start, end=start + len(name))
        if found:
            return found.popitem()[1] if len(found) == 1 else None
    return None


def may_be_name(text: str) -> bool:
    """Whether what was read as a name may be one: no number, and no word of an office or paper."""
    found = names.words(text)
    number = sum(c.isdigit() for c in text) > len(text) / 4
    return bool(found) and not number and not any(w.text in _NOT_A_NAME for w in found)


def _tokens(text: str) -> list[_Token]:
    return [
        _Token(
            word=names.word_of(match[0], capitals=match[0].isupper() and len(match[0]) > 2),
            start=match.start(),
            end=match.end(),
            proper=match[0][0].isupper() or match[0][0].isdigit(),
        )
        for match in _TOKEN.finditer(text)
    ]


def _windows(claim: Sequence[names.Word], tokens: Sequence[_Token]) -> Iterator[tuple[int, int]]:
    """Runs of tokens around each word that is like a full word of the claim."""
    full = [w for w in claim if len(w.text) >= 3] or list(claim)
    likeness = {
        token: max(_likeness(w, token) for w in full)
        for token in {(t.word, t.proper) for t in tokens if len(t.word.text) >= 3}
    }
    joined = "".join(w.text for w in claim)
    anchors = [
        position
        for position, token in enumerate(tokens)
        if likeness.get((token.word, token.proper), 0) >= names.Likeness.LOOKALIKE
        or (len(claim) > 1 and len(token.word.text) > 5 and token.word.text in joined)
        or (len(token.word.text) >= len(joined) > 5 and token.word.text.startswith(joined))
    ]
    seen = set()
    for anchor in anchors[:ANCHOR_LIMIT]:
        for first in range(max(0, anchor - len(claim)), anchor + 1):
            for last in range(anchor + 1, min(len(tokens), first + len(claim) + 2) + 1):
                if (first, last) not in seen:
                    seen.add((first, last))
                    yield first, last


def _likeness(claimed: names.Word, token: tuple[names.Word, bool]) -> names.Likeness:
    """Reading mistakes are looked for in words with a capital alone, as names have."""
    word, proper = token
    if proper or spelling.keys(claimed.text) & spelling.keys(word.text):
        return names.likeness(claimed, word)
    return names.Likeness.OTHER


def _mention(
    claim: Sequence[names.Word], window: Sequence[_Token], text: str, confidence: float
) -> Mention | None:
    alignment = names.align(claim, [token.word for token in window])
    if alignment.read_alone or not alignment.pairs:
        return None
    sure = names.agree(alignment, confidence) and len(alignment.pairs) > 1
    sure = sure or _joined_whole(claim, alignment)
    if not sure and alignment.score < _half(claim):
        return None
    return Mention(
        outcome=Outcome.AGREES if sure else Outcome.UNSETTLED,
        text=text[window[0].start : window[-1].end].rstrip("."),
        start=window[0].start,
        end=window[-1].end,
    )


def _joined_whole(claim: Sequence[names.Word], alignment: names.Alignment) -> bool:
    """Two or more claimed words printed as one: BUDISANTOSO."""
    same = alignment.pairs[0].likeness >= names.Likeness.LOOKALIKE
    return len(claim) > 1 and len(alignment.pairs) == 1 and not alignment.claimed_alone and same


def _half(claim: Sequence[names.Word]) -> float:
    return sum(len(w.text) for w in claim) * names.Likeness.SAME


def _runs_on(window: Sequence[_Token], text: str) -> bool:
    """Whether nothing but space lies between the words, and all are written as names are."""
    gaps = (text[a.end : b.start] for a, b in itertools.pairwise(window))
    return all(_BETWEEN_WORDS.fullmatch(gap) or gap == "-" for gap in gaps)


def _better(found: Mention, best: Mention) -> bool:
    rank = {Outcome.AGREES: 1, Outcome.UNSETTLED: 0, Outcome.CONTRADICTS: 0}
    return (rank[found.outcome], found.end - found.start) > (
        rank[best.outcome],
        best.end - best.start,
    )


def _cut(text: str) -> str:
    """The name that a text begins with: words with a capital, before any office or number."""
    end = 0
    for match in re.finditer(r"[^ \t]+", text):
        word = titles.bare(match[0])
        starts_name = match[0][:1].isupper() or word in titles.HONORIFICS
        if not starts_name or word in _NOT_A_NAME:
            break
        end = match.end()
    return text[:end].strip(" .,()-\t")


def _looks_like_name(name: str) -> bool:
    letters = [spelling.letters(word) for word in titles.strip(name).split()]
    return 1 <= len(letters) <= 6 and any(len(word) >= 3 for word in letters)
