"""Bring the lines of pages that lie on a side or stand on their head into upright places.

OCR gives boxes on the page as it came, and lines in the order in which they are read: so the way
down the page is the way in which that order advances.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

from absah_letter.lines import Line
from absah_sdk import Box

_LONG = 8
"""Characters from which a line is surely longer than it is high."""


def upright(lines: Sequence[Line]) -> list[Line]:
    """The lines with places on their pages turned upright; regions stay as they are."""
    turned: list[Line] = []
    for _, page in itertools.groupby(lines, key=_page):
        turned.extend(_upright_page(list(page)))
    return turned


def _page(line: Line) -> int:
    return line.region.page if line.region else 1


def _upright_page(lines: Sequence[Line]) -> Sequence[Line]:
    boxes = [line.region.box for line in lines if line.region]
    if len(boxes) < len(lines) or len(lines) < 3:
        return lines
    long = [box for box, line in zip(boxes, lines, strict=True) if len(line.text) >= _LONG]
    lying = sum(box.height > box.width for box in long) > len(long) / 2
    turns = (_from_left, _from_right) if lying else (_as_is, _half)
    turn = max(turns, key=lambda turn: _downward([turn(box) for box in boxes]))
    return lines if turn is _as_is else [_placed(line, turn) for line in lines]


def _downward(boxes: Sequence[Box]) -> int:
    """How many more lines go down than up from the one before."""
    middles = [box.top + box.height / 2 for box in boxes]
    return sum(1 if b > a else -1 for a, b in itertools.pairwise(middles))


def _placed(line: Line, turn: Callable[[Box], Box]) -> Line:
    if line.region is None:
        return line
    box = turn(line.region.box)
    y = line.region.page - 1 + box.top + box.height / 2
    return replace(line, left=box.left, right=box.left + box.width, y=y, height=box.height)


def _as_is(box: Box) -> Box:
    return box


def _half(box: Box) -> Box:
    left, top = 1 - box.left - box.width, 1 - box.top - box.height
    return Box(left=left, top=top, width=box.width, height=box.height)


def _from_left(box: Box) -> Box:
    """Undo a page lying on its left side, whose rows run upward."""
    left = 1 - box.top - box.height
    return Box(left=left, top=box.left, width=box.height, height=box.width)


def _from_right(box: Box) -> Box:
    """Undo a page lying on its right side, whose rows run downward."""
    top = 1 - box.left - box.width
    return Box(left=box.top, top=top, width=box.height, height=box.width)
