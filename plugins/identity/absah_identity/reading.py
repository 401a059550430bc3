"""Read the card on the page that looks most like one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from absah_identity import consistency, fields, header, layout, matching, nik, pairing
from absah_identity.fields import Field
from absah_identity.lines import Line, pages_of
from absah_identity.nik import Number
from absah_identity.pairing import Reading

_OTHER_DOCUMENTS = tuple(
    matching.fold(title)
    for title in (
        "KARTU KELUARGA",
        "SURAT IZIN MENGEMUDI",
        "KARTU IDENTITAS ANAK",
        "PASPOR",
        "SURAT KETERANGAN",
        "SURAT PERNYATAAN",
        "SURAT TUGAS",
        "SURAT KUASA",
    )
)
_LONG_LINE = 60
"""Characters of a line that no card has, but a page of running text has several of."""
_MOST_LONG_LINES = 2
_TITLE = matching.fold("KARTU TANDA PENDUDUK")
_SPECIMEN = tuple(matching.fold(word) for word in ("SPECIMEN", "SPESIMEN", "CONTOH"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """What one page shows, read as an identity card."""

    page: int
    fields: Mapping[str, Field]
    anchors: int
    """How many labels and other signs of an identity card were seen."""
    is_identity_card: bool
    number: Number | None = None
    several: bool = False
    """Whether two different well-formed numbers are in view."""
    specimen: bool = False


def read_card(facts: Mapping[str, Any], *, least_anchors: int) -> Card:
    """Read the best card in the facts of the checker `ocr`; an empty one where there is none."""
    cards = [_read_page(page, least_anchors) for page in pages_of(facts) if page]
    if not cards:
        return Card(page=1, fields={}, anchors=0, is_identity_card=False)
    return max(cards, key=lambda card: (card.is_identity_card, card.anchors, -card.page))


def _read_page(lines: Sequence[Line], least_anchors: int) -> Card:
    lines, found = layout.upright(lines)
    plan = layout.measure(lines, found)
    readings = pairing.pair(lines, found, plan) + header.read(lines, found, plan)
    made = fields.interpret([*readings, *_stray_number(lines, readings)])
    number = nik.read([made["nik"].raw]) if "nik" in made else None
    made = consistency.doubted(made, number) if number else made
    anchors = len({label.field for label in found} | ({"province"} & made.keys()))
    return Card(
        page=lines[0].page,
        fields=made,
        anchors=anchors + _says(lines, _TITLE),
        is_identity_card=_is_card(lines, made, anchors, least_anchors),
        number=number,
        several=len(_numbers(lines)) > 1,
        specimen=any(_says(lines, word) for word in _SPECIMEN),
    )


def _is_card(
    lines: Sequence[Line], made: Mapping[str, Field], anchors: int, least_anchors: int
) -> bool:
    long = sum(len(line.text) > _LONG_LINE for line in lines)
    if long > _MOST_LONG_LINES or any(_says(lines, title) for title in _OTHER_DOCUMENTS):
        return False
    numbered = "nik" in made or _says(lines, _TITLE)
    return numbered and anchors >= least_anchors


def _stray_number(lines: Sequence[Line], readings: Sequence[Reading]) -> list[Reading]:
    """The line that holds a well-formed number, where its label gave none."""
    for reading in readings:
        number = nik.read([reading.raw]) if reading.field == "nik" else None
        if number and number.has_form:
            return []
    for line in lines:
        number = nik.read([line.text])
        if number and number.has_form:
            return [Reading(field="nik", raw=line.text, lines=(line,), labelled=False)]
    return []


def _numbers(lines: Sequence[Line]) -> set[str]:
    read = (nik.read([line.text]) for line in lines)
    return {number.digits for number in read if number and number.has_form and not number.repairs}


def _says(lines: Sequence[Line], folded: str) -> bool:
    return any(
        matching.prefix_distance(folded, matching.fold(line.text))[0] <= len(folded) // 8
        for line in lines
    )
