"""Does the evidence name the claimed person: on a card, in a text, under a letter?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from absah_claims import cards, mentions, names
from absah_claims.comparison import (
    Comparison,
    Outcome,
    Reference,
    agrees,
    combine,
    contradicts,
    doubts,
    unsettled,
)
from absah_claims.evidence import Kind, Source, of_kind

_NIP = re.compile(r"[^0-9]{0,120}?(?:\bN\s?[I1l]\s?P\b|\b\d{18}\b)", re.IGNORECASE)
_LISTED = re.compile(r"\bnama(?:\s+lengkap)?\s*[:.]?\s*(?:\w+\.\s*)*$", re.IGNORECASE)
_SIGNED_FROM = 0.6
"""The share of a letter's text behind which names are those of its signing."""

_NOTHING = ("tidak ada bukti yang memuat nama", "no evidence states a name")
_UNREAD = ("nama pada KTP tidak terbaca", "the name on the card could not be read")
_SAME = ("nama pada KTP sama", "the name on the card is the same")
_OTHER = ("nama pada KTP berbeda", "the name on the card is another")
_DOUBTFUL = ("nama pada KTP meragukan", "the name on the card is close, or was read doubtfully")
_ELSEWHERE = (
    "nama tertulis pada dokumen, tetapi bukan pada kolomnya",
    "the name is in the document, but not where it was looked for",
)
_MENTIONED = ("nama disebut dalam teks", "the text names the person")
_PARTLY = ("nama hanya disebut sebagian", "the text names the person only in part")
_UNMENTIONED = ("nama tidak disebut dalam teks", "the text does not name the person")
_BY_ANOTHER = ("laporan dibuat atas nama lain", "the report is in another person's name")
_CARD_AGAINST_REPORT = (
    "KTP sesuai, tetapi laporan dibuat atas nama lain",
    "the card agrees, but the report is in another person's name",
)
_SIGNED = ("penanda tangan sama", "the signatory is the same")
_SIGNED_BY_ANOTHER = ("penanda tangan berbeda", "the signatory is another")
_SIGNATORY_DOUBTFUL = ("penanda tangan meragukan", "the signatory is close, or doubtfully read")
_SIGNATORY_UNREAD = ("penanda tangan tidak terbaca", "the signatory could not be read")
_NO_LETTER = ("tidak ada surat", "there is no letter")


def match_name(claim: str, sources: Sequence[Source]) -> Comparison:
    """Compare a person's name with an identity card, and with what texts say.

    A card decides where there is one, since a text is the word of who claims; a report that says
    it is by another opens the case again. Other people in a text speak against nobody.
    """
    cards = [_card(claim, source) for source in of_kind(sources, Kind.IDENTITY)]
    texts = [_text(claim, s) for s in of_kind(sources, Kind.REPORT, Kind.LETTER) if s.text]
    if not cards:
        return _supported(texts)
    card = combine(cards, nothing=_UNREAD)
    against = [text for text in texts if text.outcome is Outcome.CONTRADICTS]
    if card.outcome is Outcome.AGREES and against:
        found = f"{card.found}; {against[0].found}"
        return doubts(found, _CARD_AGAINST_REPORT, card.findings + against[0].findings)
    return card


def match_signatory(claim: str, sources: Sequence[Source]) -> Comparison:
    """Compare the claimed signatory with a letter's."""
    letters = [_signatory(claim, source) for source in of_kind(sources, Kind.LETTER)]
    return combine(letters, nothing=_NO_LETTER)


def _card(claim: str, source: Source) -> Comparison:
    reading = source.fields.get("name")
    mention = mentions.find(claim, source.text, scanned=True)
    whole = mention is not None and mention.outcome is Outcome.AGREES
    if reading is None:
        if whole and mention is not None:
            return agrees(mention.text, _SAME, _references(source, mention))
        return unsettled("", _UNREAD)
    outcome = names.compare(claim, reading.value, reading.confidence)
    if outcome is not Outcome.AGREES:
        alone = cards.without_neighbours(reading.value, source)
        outcome = names.compare(claim, alone, reading.confidence)
    if outcome is Outcome.AGREES or (outcome is Outcome.UNSETTLED and whole):
        return agrees(reading.value, _SAME, reading.findings)
    if outcome is Outcome.CONTRADICTS and not whole:
        return contradicts(reading.value, _OTHER, reading.findings)
    return unsettled(reading.value, _ELSEWHERE if whole else _DOUBTFUL, reading.findings)


def _text(claim: str, source: Source) -> Comparison:
    mention = mentions.find(claim, source.text, scanned=source.scanned)
    if mention is not None and mention.outcome is Outcome.AGREES:
        return agrees(mention.text, _MENTIONED, _references(source, mention))
    author = mentions.author(source.text) if source.kind is Kind.REPORT else None
    if author is not None:
        confidence = mentions.SCAN_CONFIDENCE if source.scanned else mentions.TYPED_CONFIDENCE
        outcome = names.compare(claim, author.name, confidence)
        if outcome is Outcome.AGREES:
            return agrees(author.name, _MENTIONED, _references(source, author))
        elsewhere = mention is not None and not author.start <= mention.start < author.end
        if outcome is Outcome.CONTRADICTS and not elsewhere and _is_person(source, author):
            return contradicts(author.name, _BY_ANOTHER, _references(source, author))
    if mention is not None:
        return unsettled(mention.text, _PARTLY, _references(source, mention))
    people = [entity for entity in source.entities if entity.code == "PER"][:3]
    found = ", ".join(dict.fromkeys(entity.text for entity in people))
    return unsettled(found, _UNMENTIONED, [entity.reference for entity in people])


def _supported(texts: Sequence[Comparison]) -> Comparison:
    """Texts alone: one that names the person bears the claim out, unless one is by another."""
    outcome = combine(texts, nothing=_NOTHING)
    agreeing = [text for text in texts if text.outcome is Outcome.AGREES]
    if outcome.outcome is Outcome.CONTRADICTS and agreeing:
        return doubts(outcome.found, (outcome.why_id, outcome.why_en), outcome.findings)
    return outcome


def _signatory(claim: str, source: Source) -> Comparison:
    reading = source.fields.get("signatory")
    mention = mentions.find(claim, source.text, scanned=source.scanned)
    signs = mention is not None and _stands_under(mention, source.text)
    if reading is None:
        if mention is None:
            return unsettled("", _SIGNATORY_UNREAD)
        references = _references(source, mention)
        found = agrees if signs else unsettled
        return found(mention.text, _SIGNED if signs else _ELSEWHERE, references)
    outcome = names.compare(claim, reading.value, reading.confidence)
    beside = [
        name
        for name in source.signatories
        if names.compare(claim, name, reading.confidence) is Outcome.AGREES
    ]
    if outcome is not Outcome.AGREES and beside:
        return agrees(beside[0], _SIGNED)
    if outcome is Outcome.AGREES:
        return agrees(reading.value, _SIGNED, reading.findings)
    # Part of another's name is no sign that the reader took the wrong line.
    perhaps = (
        mention is not None
        and _in_signing(mention, source.text)
        and mention.text.casefold() not in reading.value.casefold()
    )
    if outcome is Outcome.CONTRADICTS and not perhaps and mentions.may_be_name(reading.value):
        return contradicts(reading.value, _SIGNED_BY_ANOTHER, reading.findings)
    return unsettled(reading.value, _ELSEWHERE if signs else _SIGNATORY_DOUBTFUL, reading.findings)


def _stands_under(mention: mentions.Mention, text: str) -> bool:
    """Whether the name surely stands where letters are signed."""
    return mention.outcome is Outcome.AGREES and _in_signing(mention, text)


def _in_signing(mention: mentions.Mention, text: str) -> bool:
    """Near the end of a letter, or late with a NIP behind it.

    A name on a line "Nama: …" is that of someone whom the letter is about.
    """
    if _LISTED.search(text[: mention.start][-40:]):
        return False
    share = mention.start / len(text)
    return share >= _SIGNED_FROM or (share >= 0.4 and bool(_NIP.match(text, mention.end)))


def _is_person(source: Source, author: mentions.Author) -> bool:
    """Whether entities bear out that the author's name is a person's, where there are any."""
    return not source.entities or any(
        entity.code == "PER" and entity.start < author.end and author.start < entity.end
        for entity in source.entities
    )


def _references(
    source: Source, mention: mentions.Mention | mentions.Author
) -> tuple[Reference, ...]:
    return tuple(
        entity.reference
        for entity in source.entities
        if entity.start < mention.end and mention.start < entity.end
    )
