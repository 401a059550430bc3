"""Read the head of a card: the province, and the regency or city, that issued it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

from absah_identity import matching
from absah_identity.labels import Label
from absah_identity.layout import Layout
from absah_identity.lines import Line
from absah_identity.pairing import Reading

_PROVINCE = tuple(matching.fold(word) for word in ("PROVINSI", "PROPINSI"))
_REGENCY = tuple(matching.fold(word) for word in ("KABUPATEN", "KOTA"))
_NOT_REGIONS = tuple(
    matching.fold(word)
    for word in ("REPUBLIK INDONESIA", "KARTU TANDA PENDUDUK", "SPECIMEN", "CONTOH", "KTP")
)
_SECOND = re.compile(r"\s(?=(?:KABUPATEN|KOTA)\b)")


def read(lines: Sequence[Line], found: Sequence[Label], plan: Layout) -> list[Reading]:
    """Province and regency from the lines above the first label.

    A line below the province's that says neither regency nor city is taken for one all the same,
    as cards of Jakarta print it.
    """
    top = min((plan.row(k.line) for k in found if k.field != "blood_type"), default=0.5)
    above = sorted((line for line in lines if plan.row(line) < top), key=plan.row)
    readings: list[Reading] = []
    for line in itertools.chain.from_iterable(map(_parts, above)):
        kind = _kind(line.text)
        known = {reading.field for reading in readings}
        if kind == "province" and "province" not in known:
            readings.append(_reading("province", _after_word(line.text), line))
        elif "regency" in known:
            continue
        elif kind == "regency" or (known and kind is None and _may_be_region(line.text)):
            readings.append(_reading("regency", line.text, line))
    return readings


def _parts(line: Line) -> list[Line]:
    return [replace(line, text=text) for text in _SECOND.split(line.text)]


def _kind(text: str) -> str | None:
    folded = matching.fold(text)
    for kind, words in (("province", _PROVINCE), ("regency", _REGENCY)):
        for word in words:
            edits, length = matching.prefix_distance(word, folded)
            if edits <= (len(word) > 5) * 2 and len(folded) > length:
                return kind
    return None


def _after_word(text: str) -> str:
    bones = matching.skeleton(text)
    _, length = min(matching.prefix_distance(word, bones.letters) for word in _PROVINCE)
    return text[bones.ends[length - 1] :].strip(" :.-")


def _may_be_region(text: str) -> bool:
    folded = matching.fold(text)
    letters = sum(character.isalpha() for character in text)
    if letters < 4 or letters < 0.7 * len(text.replace(" ", "")):
        return False
    return not any(matching.prefix_distance(word, folded)[0] <= 2 for word in _NOT_REGIONS)


def _reading(field: str, raw: str, line: Line) -> Reading:
    return Reading(field=field, raw=raw.strip(" :.-"), lines=(line,))
