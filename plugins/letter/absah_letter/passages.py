"""Passages: the raw text of a field with the lines it stands in, and values behind labels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from absah_letter import dates
from absah_letter.lines import Line
from absah_letter.sheet import Label, Sheet, label_of

PLACED = re.compile(r"^[^\w:;]*([A-Z][A-Za-z .'’/-]{2,40}?)\s*[,.;]\s*(?:tanggal\s+)?(?=[\dOIl])")
_MOST_CONTINUATION = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A field's raw text with its lines; `sure` is less than 1 where it was guessed."""

    raw: str
    lines: tuple[Line, ...]
    sure: float = 1.0


def value(sheet: Sheet, line: Line, label: Label, *, flows: bool = False) -> Passage | None:
    """A label's value; where it `flows`, with the lines under it up to the next label."""
    pieces = sheet.value(line, label)
    if not pieces:
        return None
    raw = label.rest if label.rest else pieces[0].text.lstrip(" :;.=").strip()
    placed = placed_at(raw)
    if placed and not flows:
        raw = raw[:placed].strip(" ,;")
    if not flows:
        return Passage(raw=raw, lines=tuple(pieces)) if raw else None
    for more in _continuation(sheet, line, pieces[0]):
        raw, pieces = f"{raw} {more.text.strip()}", [*pieces, more]
    return Passage(raw=raw.strip(), lines=tuple(pieces)) if raw else None


def placed_at(raw: str) -> int | None:
    """Where a place and date begin that OCR ran together with what stood left of them."""
    match = re.search(r"\s[A-Z][A-Za-z .'-]{2,30},\s*\d{1,2}\s+[A-Za-z]{3,10}\s+\d{4}", raw)
    return match.start() if match else None


def joined_text(lines: Sequence[Line]) -> str:
    """The text of lines, with spaces between."""
    return " ".join(line.text.strip() for line in lines)


def _continuation(sheet: Sheet, label_line: Line, value: Line) -> Iterator[Line]:
    """Lines that go on a value: in its column, right of the label's edge, without a gap."""
    last = value
    column = value.left if value is not label_line else label_line.left + 5 * value.letter_width
    for more in sheet.below(value, within=(_MOST_CONTINUATION + 1) * 1.7):
        gap = sheet.row(more) - sheet.row(last)
        if gap > 1.9 * sheet.height or sheet.owned(more):
            return
        outdented = more.left < column - 2 * value.letter_width
        if outdented or label_of(more.text) or _is_dated(more.text):
            return
        if more.left <= column + 0.15:
            yield more
            last = more


def _is_dated(text: str) -> bool:
    return bool(PLACED.match(text)) and dates.find(text) is not None
