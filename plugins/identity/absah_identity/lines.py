"""The lines that the OCR checker read, as this checker uses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from absah_sdk import Box

MOST_LINES = 300
"""Lines looked at on a page; a card has about forty, a page of dense text more than this."""
MOST_PAGES = 5
MOST_CHARACTERS = 160
"""Characters looked at in a line; more than any line of a card has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line of text with its box in fractions of its page."""

    text: str
    confidence: float
    page: int
    box: Box

    @property
    def left(self) -> float:
        return self.box.left

    @property
    def right(self) -> float:
        return self.box.left + self.box.width

    @property
    def x(self) -> float:
        """The middle, across."""
        return self.box.left + self.box.width / 2

    @property
    def y(self) -> float:
        """The middle, down; of a turned line too, since its upright box has the same middle."""
        return self.box.top + self.box.height / 2


def pages_of(facts: Mapping[str, Any]) -> list[list[Line]]:
    """The non-empty lines of an OCR result, page by page, bounded in number.

    Where OCR tells of the parts that it joined into a line, each part is a line here.
    """
    pages: dict[int, list[Line]] = {}
    for entry in facts.get("lines", ()):
        page = pages.setdefault(entry["page"], [])
        for part in entry.get("parts") or (entry,):
            if part["text"].strip() and len(page) < MOST_LINES:
                page.append(_line(part, entry["page"]))
    return [pages[number] for number in sorted(pages)[:MOST_PAGES]]


def around(lines: Sequence[Line]) -> Box:
    """The smallest box that holds these lines."""
    left, top = min(line.left for line in lines), min(line.box.top for line in lines)
    right = max(line.right for line in lines)
    bottom = max(line.box.top + line.box.height for line in lines)
    return Box(left=left, top=top, width=right - left, height=bottom - top)


def _line(entry: Mapping[str, Any], page: int) -> Line:
    return Line(
        text=" ".join(entry["text"][:MOST_CHARACTERS].replace("：", ":").split()),
        confidence=float(entry["confidence"]),
        page=int(page),
        box=Box(**entry["box"]),
    )
