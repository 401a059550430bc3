"""The lines of a letter with their places, from what OCR read or from a text document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from absah_sdk import Box, Region

MOST_LINES = 800
"""Lines looked at; a letter of ten full pages has fewer."""
MOST_CHARACTERS = 400
"""Characters looked at in a line."""
_SEGMENT = re.compile(r"\S+(?:[ ]{1,2}\S+)*")
_LETTER_SPACED = re.compile(r"\s*(?:\S\s+){4,}\S\s*")
_WHOLE = re.compile(r"\S.*\S")
_LINES_ON_A_PAGE = 60
_COLUMNS = 90


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A piece of text on one baseline.

    Places are fractions of a page; `y` counts on from page to page: 1.25 is a quarter down page 2.
    `start` and `end` are where it stands in the whole text, in code points.
    """

    text: str
    confidence: float
    left: float
    right: float
    y: float
    height: float
    start: int
    end: int
    region: Region | None = None

    @property
    def middle(self) -> float:
        """The middle, across."""
        return (self.left + self.right) / 2

    @property
    def letter_width(self) -> float:
        """Mean width of a character."""
        return (self.right - self.left) / max(len(self.text), 1)


def from_ocr(facts: Mapping[str, Any]) -> list[Line]:
    """Lines of an OCR result, in its reading order.

    Where OCR tells of the parts that it joined into a line, each part is a line here.
    """
    lines: list[Line] = []
    start = 0
    for entry in facts.get("lines", ())[:MOST_LINES]:
        for part in entry.get("parts") or (entry,):
            text = part["text"][:MOST_CHARACTERS].replace("：", ":")
            if text.strip():
                lines.append(_line(text, part, page=int(entry["page"]), start=start))
            start += len(part["text"]) + 1
    return lines


def _line(text: str, part: Mapping[str, Any], *, page: int, start: int) -> Line:
    box = Box(**part["box"])
    return Line(
        text=text,
        confidence=float(part["confidence"]),
        left=box.left,
        right=box.left + box.width,
        y=page - 1 + box.top + box.height / 2,
        height=box.height,
        start=start,
        end=start + len(text),
        region=Region(page=page, box=box),
    )


def from_text(text: str) -> list[Line]:
    """Pieces of a text document; three spaces or a tab part columns, as in typed letters."""
    lines: list[Line] = []
    start = 0
    for row, content in enumerate(text.splitlines(keepends=True)):
        flat, places = _with_tabs_expanded(content[:MOST_CHARACTERS].rstrip())
        pattern = _WHOLE if _LETTER_SPACED.fullmatch(flat) else _SEGMENT
        for piece in pattern.finditer(flat):
            lines.append(
                Line(
                    text=piece.group(),
                    confidence=1.0,
                    left=piece.start() / _COLUMNS,
                    right=piece.end() / _COLUMNS,
                    y=row / _LINES_ON_A_PAGE,
                    height=1 / _LINES_ON_A_PAGE,
                    start=start + places[piece.start()],
                    end=start + places[piece.end() - 1] + 1,
                )
            )
            if len(lines) >= MOST_LINES:
                return lines
        start += len(content)
    return lines


def _with_tabs_expanded(content: str) -> tuple[str, list[int]]:
    """A row with tabs as spaces, and the place in the row of each of its characters."""
    flat: list[str] = []
    places: list[int] = []
    for place, character in enumerate(content):
        width = 8 - len(flat) % 8 if character == "\t" else 1
        flat.extend(" " * width if character == "\t" else character)
        places.extend([place] * width)
    return "".join(flat), places
