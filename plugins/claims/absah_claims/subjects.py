"""Compare what a letter is about with what was claimed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from absah_claims import texts
from absah_claims.comparison import Comparison, agrees, combine, contradicts, doubts, unsettled
from absah_claims.evidence import Kind, Reading, Source, of_kind
from absah_indonesian.wordlists import words

HEAD_SHARE = 0.35
"""The share of a letter's text that its head and opening lines take."""
HEAD_LEAST = 400
APART_SHARE = 0.4
"""A subject sharing less than this of its words is another."""

_NO_LETTER = ("tidak ada surat", "there is no letter")
_UNREAD_CLAIM = ("perihal yang diklaim tidak terbaca", "the claimed subject cannot be read")
_UNREAD = ("perihal tidak terbaca", "the subject could not be read")
_SAME = ("perihal sama", "the subject is the same")
_PARTLY = ("perihal hanya sebagian sama", "the subject agrees only in part")
_OTHER = ("perihal berbeda", "the subject is another")

_KINDS = words(
    """undangan permohonan penyampaian pemberitahuan surat laporan usulan permintaan pengantar
    pengiriman pelaksanaan melaksanakan kegiatan rencana tugas"""
)
"""Words that many subjects begin with: they count half, and a claim may leave them out."""
_LABEL = re.compile(r"\b(?:peri)?hal\b|\btentang\b", re.IGNORECASE)


def match_subject(claim: str, sources: Sequence[Source]) -> Comparison:
    """Compare a subject by its words, in whatever form; the text may hold the rest of one."""
    claimed = texts.tokens(claim, limit=texts.CLAIM_WORDS)
    if not claimed:
        return unsettled("", _UNREAD_CLAIM)
    letters = [_letter(claim, claimed, source) for source in of_kind(sources, Kind.LETTER)]
    return combine(letters, nothing=_NO_LETTER)


def _letter(claim: str, claimed: Sequence[texts.Token], source: Source) -> Comparison:
    in_text = _stands_behind_label(claimed, source.text)
    reading = source.fields.get("subject")
    if reading is None:
        return agrees(claim, _SAME) if in_text else unsettled("", _UNREAD)
    return _read(claimed, reading, in_text=in_text)


def _read(claimed: Sequence[texts.Token], reading: Reading, *, in_text: bool) -> Comparison:
    found, findings = reading.value, reading.findings
    read = texts.tokens(found, limit=texts.CLAIM_WORDS)
    overlap = texts.overlap(claimed, read)
    share = _weight(overlap.matched) / _weight(claimed)
    telling = _weight(overlap.matched) > 1 or len(overlap.read_alone) <= 1
    whole = not overlap.claimed_alone and telling and not _led_otherwise(read, overlap)
    if whole or (in_text and share >= 0.5):
        return agrees(found, _SAME, findings)
    if overlap.read_alone and share < APART_SHARE and reading.sure and not in_text:
        return contradicts(found, _OTHER, findings)
    told = doubts if overlap.read_alone else unsettled
    return told(found, _PARTLY, findings)


def _led_otherwise(read: Sequence[texts.Token], overlap: texts.Overlap) -> bool:
    """Whether words that change the meaning stand before those that agree: "Pembentukan Tim …"."""
    agreeing = [token.start for token in read if token not in overlap.read_alone]
    first = min(agreeing, default=0)
    return any(t.start < first and t.text not in _KINDS for t in overlap.read_alone)


def _stands_behind_label(claimed: Sequence[texts.Token], text: str) -> bool:
    """Whether the opening of a letter has three words and more of the claim behind Hal."""
    head = text[: max(HEAD_LEAST, int(len(text) * HEAD_SHARE))]
    found = texts.nearest(claimed, texts.tokens(head))
    if len(found) < 3 or len(found) < len({c.text for c in claimed}):
        return False
    start = min(token.start for token in found)
    labels = list(_LABEL.finditer(head, max(0, start - 60), start))
    between = head[labels[-1].end() : start] if labels else ""
    return bool(labels) and all(t.text in _KINDS for t in texts.tokens(between))


def _weight(tokens: Sequence[texts.Token]) -> float:
    return sum(0.5 if token.text in _KINDS else 1.0 for token in tokens)
