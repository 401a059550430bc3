"""Read the regions that a text names: "Desa Sukamaju, Kec. Cibinong, Kab. Bogor" is one place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace

from absah_claims.gazetteer import Gazetteer, Level, gazetteer, is_city, key, level, within
from absah_indonesian import confusions, datewords, spelling
from absah_indonesian.wordlists import words

TOKEN_LIMIT = 6_000
LONGEST_NAME = 4

_TOKEN = re.compile(r"[^\W_]+(?:['’`][^\W_]+)*")
_GAP_IN_NAME = re.compile(r"[ \t]?-?[ \t]?|\.[ \t]?")
_GAP_IN_PLACE = re.compile(r"[\s.,;:/(\-–]{1,6}(?:(?:di|wilayah|pada)\s+)?")
_FILLERS = frozenset(["administrasi", "adm", "daerah", "tingkat"])
_LEVELS = {
    word: (region, city)
    for words, region, city in (
        ("desa ds kelurahan kel gampong nagari pekon", Level.VILLAGE, None),
        ("kecamatan kec distrik kapanewon kemantren camat", Level.DISTRICT, None),
        ("kabupaten kab pemkab bupati", Level.REGENCY, False),
        ("kota kotamadya kodya pemkot", Level.REGENCY, True),
        ("provinsi prov propinsi prop pemprov", Level.PROVINCE, None),
    )
    for word in words.split()
}
_NO_NAMES = words(
    """desa kelurahan kecamatan kabupaten kota provinsi kepala camat lurah bupati gubernur kantor
    balai aula gedung dinas badan laporan kegiatan tempat waktu tanggal hari nama nomor pelapor
    peserta surat pada dengan untuk yang telah bahwa jalan jl rt rw baru lama timur barat utara
    selatan tengah pasar rumah ketua warga ibu bapak sumber harapan jaya makmur maju mulya sari
    bantuan dana hasil sejahtera mekar karya bakti tani pelaksanaan"""
) | {*datewords.MONTHS, *datewords.WEEKDAYS}


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One region name, at [start, end) with the word that tells its level; else `level` is None.

    `codes` are those of the regions that it may be; none where the gazetteer does not know it.
    """

    name: str
    level: Level | None
    codes: frozenset[int]
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Names that together tell of one place, and the codes of the finest region they agree on."""

    parts: tuple[Part, ...]
    codes: frozenset[int]

    @property
    def start(self) -> int:
        return self.parts[0].start

    @property
    def end(self) -> int:
        return self.parts[-1].end

    @property
    def finest(self) -> Part:
        """The name of the smallest region, as the words before the names tell."""
        return max(self.parts, key=lambda part: part.level or 0)

    @property
    def resolved(self) -> bool:
        """Whether the gazetteer knows the finest name within the others."""
        finest = self.finest
        return bool(self.codes) and (finest.level is None or self.codes <= finest.codes)

    @property
    def labelled(self) -> bool:
        """Whether a word such as Desa or Kab. stands before one of the names, or names chain up."""
        return any(part.level is not None for part in self.parts) or len(self.parts) > 1


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int
    proper: bool


def read(text: str, *, wanted: Set[str] = frozenset(), claim: bool = False) -> tuple[Place, ...]:
    """The places that a text names, in order.

    `wanted` are keys of names to be taken for a place wherever they stand, even as a village that
    nothing else tells; in a `claim` every name may be one, in small letters too.
    """
    parts = _parts(text, wanted, claim=claim)
    places: list[Place] = []
    for part in parts:
        joined = _extended(places[-1], part, text) if places else None
        if joined is not None:
            places[-1] = joined
        else:
            places.append(Place(parts=(part,), codes=part.codes))
    if claim:
        return tuple(places)
    return tuple(p for p in (_plausible(place, wanted) for place in places) if p.parts)


def preferred(place: Place) -> frozenset[int]:
    """The codes that are meant most likely: of a bare name, the largest regions of that name."""
    if place.labelled or not place.codes:
        return place.codes
    largest = min(level(code) for code in place.codes)
    if largest is Level.PROVINCE:
        # Yogyakarta and Jakarta are province and city alike.
        return frozenset(c for c in place.codes if level(c) <= Level.REGENCY)
    return frozenset(c for c in place.codes if level(c) is largest)


def _parts(text: str, wanted: Set[str], *, claim: bool) -> list[Part]:
    tokens = [
        _Token(m[0], m.start(), m.end(), m[0][0].isupper() or m[0][0].isdigit() or claim)
        for m in _TOKEN.finditer(text)
    ][:TOKEN_LIMIT]
    known = gazetteer()
    parts: list[Part] = []
    position = 0
    while position < len(tokens):
        labelled = _labelled(tokens, position, text, known)
        bare = None
        if labelled is None or not labelled[0].codes:
            bare = _bare(tokens, position, text, known, wanted, claim=claim)
        found = bare or labelled
        if found is None:
            position += 1
            continue
        part, position = found
        parts.append(part)
    return parts


def _labelled(
    tokens: Sequence[_Token], position: int, text: str, known: Gazetteer
) -> tuple[Part, int] | None:
    """A name behind Desa, Kec., Kab. and the like, known or not."""
    label = _LEVELS.get(tokens[position].text.casefold())
    if label is None:
        return None
    region, city = label
    first = position + 1
    while first < len(tokens) and tokens[first].text.casefold() in _FILLERS:
        first += 1

    def fits(code: int) -> bool:
        return level(code) is region and (city is None or is_city(code) is city)

    run = _run(tokens, first, text)
    for size in range(len(run), 0, -1):
        part = _part(run[:size], text, region, known, fits)
        if part.codes:
            return replace(part, start=tokens[position].start), first + size
    named = _name_alone(run)
    if not named:
        return None
    part = _part(named, text, region, known, fits)
    return replace(part, start=tokens[position].start), first + len(named)


def _bare(
    tokens: Sequence[_Token],
    position: int,
    text: str,
    known: Gazetteer,
    wanted: Set[str],
    *,
    claim: bool,
) -> tuple[Part, int] | None:
    """A known name by itself."""
    run = _run(tokens, position, text)
    for size in range(len(run), 0, -1):
        words = run[:size]
        name = text[words[0].start : words[-1].end]
        asked = key(name) in wanted
        if not asked and (not all(w.proper for w in words) or _no_name(words)):
            continue
        part = _part(words, text, None, known, lambda code: True)
        if part.codes or asked:
            return part, position + size
    return None


def _no_name(words: Sequence[_Token]) -> bool:
    return len(words) == 1 and (
        words[0].text.casefold() in _NO_NAMES or len(words[0].text) < 3 or words[0].text.isdigit()
    )


def _run(tokens: Sequence[_Token], first: int, text: str) -> list[_Token]:
    """Up to four words that nothing but space or a hyphen parts."""
    run = list(tokens[first : first + 1])
    for token in tokens[first + 1 : first + LONGEST_NAME]:
        gap = text[run[-1].end : token.start]
        dotted = gap.startswith(".") and len(run[-1].text) > 4
        if dotted or not _GAP_IN_NAME.fullmatch(gap):
            break
        run.append(token)
    return run


def _name_alone(run: Sequence[_Token]) -> list[_Token]:
    """The words of a name that the gazetteer does not know, up to the next label."""
    named: list[_Token] = []
    for token in run[:3]:
        if not token.proper or token.text.casefold() in _LEVELS or token.text.isdigit():
            break
        named.append(token)
    return named


def _part(
    words: Sequence[_Token],
    text: str,
    region: Level | None,
    known: Gazetteer,
    fits: Callable[[int], bool],
) -> Part:
    name = text[words[0].start : words[-1].end]
    codes = frozenset(code for code in known.find(name) if fits(code))
    return Part(name=name, level=region, codes=codes, start=words[0].start, end=words[-1].end)


def _extended(place: Place, part: Part, text: str) -> Place | None:
    """The place with one more name, if it stands next to it and lies around or in it."""
    if not _GAP_IN_PLACE.fullmatch(text[place.end : part.start]):
        return None
    finer = frozenset(c for c in place.codes if any(within(c, whole) for whole in part.codes))
    inside = frozenset(c for c in part.codes if any(within(c, whole) for whole in place.codes))
    last = place.parts[-1]
    if last.level is not None and last.level == part.level:
        return None
    if finer and not finer & part.codes:
        return replace(place, parts=(*place.parts, part), codes=finer)
    if inside and not inside & place.codes:
        return replace(place, parts=(*place.parts, part), codes=inside)
    if last.level is not None and part.level is not None and part.level < last.level:
        # A village that the gazetteer does not know there: the larger region still holds.
        return replace(place, parts=(*place.parts, part), codes=part.codes)
    return None


def _plausible(place: Place, wanted: Set[str]) -> Place:
    """A bare name in running text is a place only as a province, regency or district."""
    if place.labelled or key(place.parts[0].name) in wanted:
        return place
    codes = frozenset(c for c in place.codes if level(c) < Level.VILLAGE)
    return Place(parts=place.parts if codes else (), codes=codes)


def near(one: str, other: str) -> bool:
    """Whether two names differ by what may be a slip."""
    first, second = spelling.letters(key(one)), spelling.letters(key(other))
    if min(len(first), len(second)) < 4 or abs(len(first) - len(second)) > 2:
        return first == second
    return confusions.distance(first, second) < 1 or confusions.edits(first, second) <= 1
