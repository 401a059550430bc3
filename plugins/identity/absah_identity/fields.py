"""Turn what was read on a card into values: dates, sexes, regions, names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from absah_identity import kinds, lines, nik, occupations, regions
from absah_identity.pairing import Reading
from absah_sdk import Region

_FREE_TEXT = frozenset({"name", "birth_place", "address", "village", "district", "occupation"})
_MOST_OFF_SEX = 0.4
"""Share of letters that may be off: there are but two sexes, and their words differ in most."""
_WRONG_LETTERS = str.maketrans({"0": "O", "1": "I", "5": "S", "8": "B", "|": "I", "!": "I"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One field of a card. `confidence` is 0 to 1: how surely `value` is what the card prints."""

    name: str
    value: str
    raw: str
    confidence: float
    region: Region


def interpret(readings: Sequence[Reading]) -> dict[str, Field]:
    """Fields by name; a reading that makes no sense for its field is left out."""
    made: dict[str, Field] = {}
    for reading in readings:
        for name, value, sure in _VALUES.get(reading.field, _plain)(reading.raw, reading.field):
            if value and name not in made:
                made[name] = _field(name, value, sure, reading)
    return _with_regions(made)


def _field(name: str, value: str, sure: float, reading: Reading) -> Field:
    return Field(
        name=name,
        value=value,
        raw=reading.raw,
        confidence=round(reading.confidence * sure * _trust(name, reading), 4),
        region=Region(page=reading.lines[0].page, box=lines.around(reading.lines)),
    )


def _trust(name: str, reading: Reading) -> float:
    """Less than 1 where the field was told without its label, or may hold words of another."""
    if reading.joined and name in _FREE_TEXT:
        return 0.5
    return 1.0 if reading.labelled else 0.9


Values = list[tuple[str, str, float]]
"""(field, value, how surely the raw text means this value)."""


def _plain(raw: str, field: str) -> Values:
    value = raw.upper().strip(" :;=.,-")
    return [(field, value, 1.0)] if re.search(r"\w", value) else []


def _nik(raw: str, field: str) -> Values:
    number = nik.read([raw])
    if number is None:
        return []
    return [(field, number.digits, 0.93**number.repairs)]


def _name(raw: str, field: str) -> Values:
    """Names have no digits: numbers are not theirs, and single ones are letters misread."""
    value = re.sub(r"\b\d{3,}\b", "", raw).upper().strip(" :;=-,").translate(_WRONG_LETTERS)
    return [(field, value, 1.0)] if sum(c.isalpha() for c in value) >= 2 else []


def _address(raw: str, field: str) -> Values:
    """Strokes alone in a word are a Roman number ("DUSUN II"), whatever they were read as."""
    value = re.sub(
        r"(?<![^\s/])(?=1*[Iil|])[Iil1|]{2,3}(?![^\s/,])", lambda m: "I" * len(m[0]), raw
    )
    return _plain(value, field)


def _birth(raw: str, field: str) -> Values:
    found = kinds.find_date(raw)
    if found is None:
        return _name(raw, "birth_place") if field != "birth_date" else []
    date, start, sure = found
    place = _name(raw[:start].strip(" ,.;:-/"), "birth_place") if field != "birth_date" else []
    return [("birth_date", date.isoformat(), sure), *place]


def _word(raw: str, field: str) -> Values:
    """A word of the field's fixed set; what follows it in the row is not its own."""
    for beginning in _beginnings(raw):
        found = kinds.one_of(beginning, field)
        if found:
            return [(field, *found)]
    return []


def _beginnings(raw: str) -> Iterator[str]:
    """The text, then without its last word, and so on."""
    words = raw.split()
    for end in range(len(words), 0, -1):
        yield " ".join(words[:end]).strip(" :;.,")


def _sex(raw: str, field: str) -> Values:
    if raw.strip(" :.").upper() in ("L", "P"):
        return [(field, raw.strip(" :.").upper(), 0.9)]
    text = re.split(r"\bG[o0][l1I]", raw, flags=re.IGNORECASE)[0].strip(" :;.")
    found = kinds.one_of(text, field, most=_MOST_OFF_SEX)
    return [(field, *found)] if found else _word(text, field)


def _rt_rw(raw: str, field: str) -> Values:
    value = kinds.rt_rw(raw)
    return [(field, value, 1.0)] if value else []


def _valid_until(raw: str, field: str) -> Values:
    for_life = _word(raw, field)
    if for_life:
        return for_life
    found = kinds.find_date(raw)
    return [(field, found[0].isoformat(), found[2])] if found else []


def _occupation(raw: str, field: str) -> Values:
    """An occupation of the official list, else what is read up to the date under the photo."""
    known = next((o for text in _beginnings(raw) if (o := occupations.find(text))), None)
    date = kinds.find_date(raw)
    return [(field, known, 1.0)] if known else _plain(raw[: date[1]] if date else raw, field)


def _nothing(raw: str, field: str) -> Values:
    return []


_VALUES: dict[str, Callable[[str, str], Values]] = {
    "nik": _nik,
    "name": _name,
    "address": _address,
    "birth": _birth,
    "birth_place": _birth,
    "birth_date": _birth,
    "sex": _sex,
    "blood_type": _nothing,
    "rt_rw": _rt_rw,
    "religion": _word,
    "marital_status": _word,
    "nationality": _word,
    "valid_until": _valid_until,
    "occupation": _occupation,
}
_LEVELS = ("province", "regency", "district", "village")


def _before_photo(value: str, made: Mapping[str, Field]) -> str:
    """A region's name without that of the issuing city, which is printed under the photo."""
    issuer = made["regency"].value.split(" ", 1)[-1] if "regency" in made else ""
    return value.removesuffix(f" {issuer}") if issuer else value


def _with_regions(made: dict[str, Field]) -> dict[str, Field]:
    """Spell regions as the register does, level by level, while each is found in the one above."""
    code = ""
    for level in _LEVELS:
        field = made.get(level)
        found = regions.find(field.value, code) if field else None
        if field and not found and level in ("district", "village"):
            found = regions.find(_before_photo(field.value, made), code)
        if field is None or found is None:
            break
        made[level] = replace(field, value=found[0])
        code = found[1]
    return made
