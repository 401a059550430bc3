"""The labels that identity cards print, and where they stand in what was read."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from absah_identity import kinds, matching
from absah_identity.lines import Line

LABELS: dict[str, tuple[str, ...]] = {
    "nik": ("NIK", "No NIK", "Nomor NIK", "Nomor Induk Kependudukan", "No KTP", "Nomor KTP"),
    "name": ("Nama", "Nama Lengkap"),
    "birth": (
        "Tempat/Tgl Lahir",
        "Tempat/Tanggal Lahir",
        "Tempat dan Tanggal Lahir",
        "Tpt/Tgl Lahir",
        "Tmp/Tgl Lahir",
        "Tempat & Tgl Lahir",
        "TTL",
    ),
    "birth_place": ("Tempat Lahir",),
    "birth_date": ("Tanggal Lahir", "Tgl Lahir"),
    "sex": ("Jenis Kelamin", "Jns Kelamin", "Kelamin", "J Kelamin", "JK"),
    "blood_type": ("Gol Darah", "Golongan Darah", "Gol Drh"),
    "address": ("Alamat", "Alamat Lengkap"),
    "rt_rw": ("RT/RW",),
    "village": ("Kel/Desa", "Kelurahan/Desa", "Desa/Kelurahan", "Kelurahan", "Desa", "Desa/Kel"),
    "district": ("Kecamatan", "Kec", "Distrik"),
    "religion": ("Agama",),
    "marital_status": ("Status Perkawinan", "Status", "Status Pernikahan"),
    "occupation": ("Pekerjaan",),
    "nationality": ("Kewarganegaraan", "Warga Negara"),
    "valid_until": ("Berlaku Hingga", "Berlaku s/d", "Berlaku sampai dengan", "Masa Berlaku"),
    "province": ("Provinsi", "Propinsi"),
    "regency": ("Kabupaten/Kota", "Kab/Kota", "Kabupaten", "Kota"),
}
ORDER = tuple(LABELS)
"""Fields as a card shows them from top to bottom; province and regency head the card."""
HEADER = frozenset({"province", "regency"})
"""Fields that cards print at their head, mostly without a colon: read elsewhere unless labelled."""
NEEDS_COLON = frozenset(
    {"Kec", "Desa", "Distrik", "JK", "TTL", "Kelurahan", "Kelamin", "Status"}
    | set(LABELS["province"])
    | set(LABELS["regency"])
)
"""Words that values begin with too: labels before a colon, alone, or before a fitting value."""

_TELLING = 6
"""Characters of a label in small letters that capitals behind it tell from a value."""
_COLON = re.compile(r"\s*[:;：=.]+\s*")
_FOLDED = {
    field: tuple((word, matching.fold(word)) for word in words) for field, words in LABELS.items()
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """A label found in a line, with the rest of that line behind it."""

    field: str
    line: Line
    edits: int
    start: int
    rest_start: int
    rest: str
    """What follows in the line, up to the next label in it; "" where the value stands apart."""


def find(lines: Sequence[Line]) -> list[Label]:
    """All labels in these lines; of several for one field, the best match."""
    best: dict[str, Label] = {}
    for line in lines:
        for label in in_line(line):
            held = best.get(label.field)
            if held is None or (label.edits, label.line.left) < (held.edits, held.line.left):
                best[label.field] = label
    return list(best.values())


def in_line(line: Line) -> list[Label]:
    """The labels of one line from left to right: one at its start, others inside it."""
    found: list[Label] = []
    for start in _word_starts(line.text):
        if found and start < found[-1].rest_start:
            continue
        label = _match_at(line, start)
        if label is None or label.field in {known.field for known in found}:
            continue
        if start > 0 and not _clear_inside(line, label) and not _beside(found, label):
            continue
        found.append(label)
    return [_cut(label, after) for label, after in itertools.zip_longest(found, found[1:])]


def _clear_inside(line: Line, label: Label) -> bool:
    """Whether a word inside a line is surely a label: blood type, or one before a colon."""
    behind = line.text[: label.rest_start].rstrip()
    return label.field == "blood_type" or (label.edits <= 1 and behind.endswith((":", ";")))


def _beside(found: Sequence[Label], label: Label) -> bool:
    """Whether a label follows another at once and ends the line: rows of two columns, joined."""
    if not found or label.rest or label.edits or label.field in HEADER:
        return False
    text, last = label.line.text, found[-1]
    gap = text[last.rest_start : label.start]
    return not gap.strip() and ":" not in text[last.start : label.start]


def _cut(label: Label, after: Label | None) -> Label:
    end = after.start if after else len(label.line.text)
    return Label(
        field=label.field,
        line=label.line,
        edits=label.edits,
        start=label.start,
        rest_start=label.rest_start,
        rest=label.line.text[label.rest_start : end].strip(" :;=-."),
    )


def _word_starts(text: str) -> Iterator[int]:
    yield 0
    for gap in re.finditer(r"[\s:]+(?=\w)", text):
        yield gap.end()


def _match_at(line: Line, start: int) -> Label | None:
    text = line.text[start:]
    bones = matching.skeleton(text)
    ranked = sorted(_candidates(text, bones), key=lambda c: (c[0], -c[1]))
    if not ranked:
        return None
    edits, end, field = ranked[0]
    colon = _COLON.match(text, end)
    rest = colon.end() if colon else end
    return Label(
        field=field, line=line, edits=edits, start=start, rest_start=start + rest, rest=text[rest:]
    )


def _candidates(text: str, bones: matching.Skeleton) -> Iterator[tuple[int, int, str]]:
    """(edits, end in text, field) of each label that the text may begin with."""
    for field, words in _FOLDED.items():
        for word, folded in words:
            if _too_far(folded, bones.letters):
                continue
            edits, length = matching.prefix_distance(folded, bones.letters)
            most = min(_allowed(folded), 1) if field in HEADER else _allowed(folded)
            if edits > most or length == 0:
                continue
            end = _to_word_end(text, bones.ends[length - 1], _allowed(folded) - edits)
            if ":" in text[:end]:
                continue
            sure = word not in NEEDS_COLON and (edits == 0 or len(folded) >= 8)
            if _ends_well(text, end, sure=sure) or kinds.kind_of(text[end:]) == field:
                yield edits, end, field


def _too_far(folded: str, letters: str) -> bool:
    """Whether too many letters of the label are missing for it to be worth a closer look."""
    start = letters[: len(folded) + 3]
    return sum(letter not in start for letter in folded) > _allowed(folded)


def _to_word_end(text: str, end: int, spare: int) -> int:
    """Take in up to `spare` more letters where the label's word goes on."""
    rest = re.match(r"[a-z]*", text[end:])
    return end + (len(rest[0]) if rest and len(rest[0]) <= spare else 0)


def _allowed(folded: str) -> int:
    return 0 if len(folded) <= 3 else 1 if len(folded) <= 5 else 2 if len(folded) <= 9 else 3


def _ends_well(text: str, end: int, *, sure: bool) -> bool:
    """A doubtful or everyday word is no label where other words follow without a colon."""
    rest = text[end:]
    if not rest.strip(" .-") or _COLON.match(rest):
        return True
    glued = text[end - 1].islower() and rest[0].isupper()
    if not text[:end].isupper() and rest[0].isspace() and rest.isupper() and end >= _TELLING:
        return True
    return sure and (rest[0].isspace() or rest[0].isdigit() or glued)
