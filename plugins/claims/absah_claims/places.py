"""Did the event take place where it is claimed, as reports and letters tell?

A place agrees by containment: a report from a village bears out a claim of its district or regency,
and one from a district a claim of a village in it. Names that many villages share agree if one
reading of them does, and speak against a claim only if every reading lies elsewhere.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from absah_claims import regions, texts
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
from absah_claims.gazetteer import Level, key, level, within

_CUE_LENGTH = 70

_NOTHING = ("tidak ada bukti yang memuat tempat", "no evidence states a place")
_UNREAD_CLAIM = ("tempat yang diklaim tidak terbaca", "the claimed place cannot be read")
_SAME = ("tempat kegiatan sesuai", "the place of the event agrees")
_COARSE = ("teks hanya menyebut wilayah yang lebih luas", "the text names only a larger region")
_OTHER = ("tempat kegiatan berbeda", "the place of the event is another")
_AT_ODDS = ("teks menyebut beberapa tempat", "the text names several places")
_CLOSE = ("nama tempat mirip", "the name of the place is close")
_NOT_NAMED = ("teks tidak menyebut tempat ini", "the text does not name this place")


class Relation(enum.Enum):
    """How a place in a text lies to the claimed one."""

    INSIDE = "inside"
    """It is the claimed place, or lies in it."""
    AROUND = "around"
    """It is the next larger region around the claimed place."""
    FAR_AROUND = "far around"
    NEAR = "near"
    """Its name is a slip away, and so may be the place."""
    APART = "apart"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    place: regions.Place
    relation: Relation
    event: bool


_EVENT_CUE = re.compile(
    r"\b(?:bertempat|berlokasi|di|ke|tempat|lokasi|mengunjungi|meninjau|wilayah|sekitar|warga"
    r"|masyarakat|penduduk)\b",
    re.IGNORECASE,
)
_OTHER_CUE = re.compile(
    r"\b(?:dari|asal|berasal|lahir|alamat|beralamat|domisili|berdomisili|dinas|badan|pemerintah"
    r"|bupati|wali\s?kota|walikota|gubernur|camat|lurah|kepala|sekretariat|sekretaris|pemkab"
    r"|pemkot|pemprov|jalan|jl|polres|kodim|dprd|inspektorat|bagian|upt|uptd|nip|kementerian"
    r"|melalui|menuju|lewat|transit|seperti|selanjutnya|berikutnya)\b",
    re.IGNORECASE,
)
_DATE_BEHIND = re.compile(r"[ \t]*,?[ \t]*(?:tanggal[ \t]*)?[0-3]?\d\b")
_CLAUSE_END = re.compile(r"\n[ \t]*\n|[a-z)]{3,}\.\s|;")


def match_place(claim: str, sources: Sequence[Source]) -> Comparison:
    """Compare the claimed place with those that reports give for the event.

    Only a report speaks against a claim; a letter of assignment supports it.
    """
    if not any(c.isalpha() for c in claim[: regions.TOKEN_LIMIT]):
        return unsettled("", _UNREAD_CLAIM)
    told = [
        _compared(claim[:500], source)
        for source in of_kind(sources, Kind.REPORT, Kind.LETTER)
        if source.text
    ]
    return combine(told, nothing=_NOTHING)


def relation(claimed: regions.Place, told: regions.Place) -> Relation:
    """How a place that is told of lies to a claimed one."""
    names = [
        _same(p, q) for p in claimed.parts for q in told.parts if p.level and p.level == q.level
    ]
    if Relation.APART in names:
        return Relation.APART
    if Relation.NEAR in names:
        return Relation.NEAR
    named = any(_same(claimed.finest, part) is Relation.INSIDE for part in told.parts)
    if named and not (claimed.resolved and told.resolved):
        return Relation.INSIDE
    if claimed.codes and told.codes and not _touch(claimed.codes, told.codes):
        return Relation.APART
    return Relation.INSIDE if named else _containment(claimed, told)


def _containment(claimed: regions.Place, told: regions.Place) -> Relation:
    """How the regions lie, the likeliest reading of each name taken."""
    meant, read = regions.preferred(claimed), regions.preferred(told)
    depth = claimed.finest.level or max((level(code) for code in meant), default=Level.PROVINCE)
    # A village that the gazetteer does not know is not agreed with by its district.
    known = [c for c in meant if claimed.finest.level is None or level(c) >= depth]
    if any(within(t, c) for c in known for t in read):
        return Relation.INSIDE
    around = [level(t) for t in read for c in meant if within(c, t)]
    if not around:
        return Relation.UNKNOWN
    close = max(around) >= Level.REGENCY and depth - max(around) <= 1
    return Relation.AROUND if close else Relation.FAR_AROUND


def _compared(claim: str, source: Source) -> Comparison:
    claimed = _claimed(claim)
    if claimed is None:
        return _by_words(claim, source)
    loose = _loose(claimed, claim)
    worded = _by_words(claim, source) if loose else None
    if worded is not None and worded.outcome is Outcome.AGREES:
        return worded
    wanted = frozenset(key(part.name) for part in claimed.parts)
    told = [
        _Told(place=place, relation=relation(claimed, place), event=_of_event(place, source.text))
        for place in regions.read(source.text, wanted=wanted)
        if not _is_person(place, source) and (place.labelled or not loose)
    ]
    apart = [t for t in told if t.relation is Relation.APART and t.event and _certain(t.place)]
    inside = [t for t in told if t.relation is Relation.INSIDE]
    if apart:
        inside = [t for t in inside if not _of_signing(t.place, source.text)]
    near = [t for t in told if t.relation is Relation.NEAR]
    around = [t for t in told if t.relation is Relation.AROUND and t.event]
    if inside and (not apart or any(t.event for t in inside)):
        return _answer(agrees, inside, _SAME, source)
    if apart and (loose or source.kind is not Kind.REPORT):
        return _answer(unsettled, apart, _OTHER, source)
    if apart:
        open_still = inside or near or any(_elsewhere(t.place, apart) for t in around)
        told_as = doubts if open_still else contradicts
        return _answer(told_as, apart, _AT_ODDS if open_still else _OTHER, source)
    if around and not near:
        return _answer(agrees, around, _SAME, source)
    return _open(claim, told, near, source)


def _open(claim: str, told: Sequence[_Told], near: Sequence[_Told], source: Source) -> Comparison:
    if near:
        return _answer(unsettled, near, _CLOSE, source)
    far = [t for t in told if t.relation is Relation.FAR_AROUND]
    if far:
        return _answer(unsettled, far, _COARSE, source)
    return _by_words(claim, source)


def _claimed(claim: str) -> regions.Place | None:
    """The place that a claim names: the one with a label or within the largest region."""
    places = regions.read(claim, claim=True)
    if not places:
        return None
    place = max(places, key=lambda place: (place.labelled, -_size(place), place.start))
    # A village's name by itself may as well be that of a square or a street.
    return place if place.labelled or _size(place) < Level.VILLAGE else None


def _loose(place: regions.Place, claim: str) -> bool:
    """Whether the claim names a venue after a district, or after something of the same name."""
    alone = key(claim) == key(place.finest.name)
    return not place.labelled and not alone and _size(place) >= Level.DISTRICT


def _size(place: regions.Place) -> int:
    return min((level(code) for code in place.codes), default=Level.VILLAGE)


def _same(one: regions.Part, other: regions.Part) -> Relation:
    """Whether two names are of one region: INSIDE, or NEAR or APART."""
    if key(one.name) == key(other.name) or one.codes & other.codes:
        clash = one.codes and other.codes and not one.codes & other.codes
        return Relation.APART if clash and one.level and other.level else Relation.INSIDE
    return Relation.NEAR if regions.near(one.name, other.name) else Relation.APART


def _touch(some: frozenset[int], others: frozenset[int]) -> bool:
    return any(within(a, b) or within(b, a) for a in some for b in others)


def _certain(place: regions.Place) -> bool:
    """Whether the place may speak against a claim: a label, a chain, or a regency's name."""
    return place.labelled or all(level(code) <= Level.REGENCY for code in regions.preferred(place))


def _elsewhere(place: regions.Place, apart: Sequence[_Told]) -> bool:
    """Whether a larger region is not just the one around a place that is told of."""
    return not any(_touch(place.codes, t.place.codes) for t in apart)


def _of_event(place: regions.Place, text: str) -> bool:
    """Whether the nearest cue before a place says that something took place there."""
    before = text[max(0, place.start - _CUE_LENGTH) : place.start]
    ends = list(_CLAUSE_END.finditer(before))
    clause = before[ends[-1].end() :] if ends else before
    event = max((m.end() for m in _EVENT_CUE.finditer(clause)), default=-1)
    other = max((m.end() for m in _OTHER_CUE.finditer(clause)), default=-1)
    return event > other


def _of_signing(place: regions.Place, text: str) -> bool:
    """Whether the place opens a line "Bogor, 12 Maret 2026", which tells where it was signed."""
    line = text[text.rfind("\n", 0, place.start) + 1 : place.start]
    return not line.strip() and bool(_DATE_BEHIND.match(text, place.end))


def _is_person(place: regions.Place, source: Source) -> bool:
    return not place.labelled and any(
        e.code == "PER" and e.start < place.end and place.start < e.end for e in source.entities
    )


def _by_words(claim: str, source: Source) -> Comparison:
    """A hall or a field that no gazetteer knows agrees where the text has its words together."""
    claimed = texts.tokens(claim, limit=texts.CLAIM_WORDS)
    words = {token.text for token in claimed}
    found = texts.nearest(claimed, texts.tokens(source.text))
    if words and len(found) == len(words):
        stretch = source.text[min(t.start for t in found) : max(t.end for t in found)]
        return agrees(stretch, _SAME)
    return unsettled("", _NOT_NAMED)


def _answer(
    told_as: Callable[[str, tuple[str, str], Sequence[Reference]], Comparison],
    told: Sequence[_Told],
    why: tuple[str, str],
    source: Source,
) -> Comparison:
    places = [source.text[t.place.start : t.place.end] for t in told[:3]]
    return told_as("; ".join(dict.fromkeys(places)), why, _references(source, told[:3]))


def _references(source: Source, told: Sequence[_Told]) -> list[Reference]:
    return [
        entity.reference
        for entity in source.entities
        if any(entity.start < t.place.end and t.place.start < entity.end for t in told)
    ]
