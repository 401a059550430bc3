"""Bring the lines of a turned or skewed card into the card's own axes.

Boxes are fractions of a page whose proportions are not known here, so nothing is measured as an
angle. The way down the card is the direction in which the labels advance; the slope of its rows is
read from values whose form tells which label they belong to.
"""

from __future__ import annotations

import enum
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from absah_identity import kinds, labels
from absah_identity.labels import Label
from absah_identity.lines import Line
from absah_sdk import Box

COLUMN_SLACK = 0.06
"""How far apart lines of one column may begin, as a fraction of the page's width."""
_ROW_REACH = 0.62
"""How far below or above its label a value may stand, in row pitches."""


class Arrangement(enum.Enum):
    """Where a card prints a value."""

    BESIDE = "beside its label"
    BELOW = "below its label"


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """A card's lines in its own axes: `x` along a row, `row` down, in fractions."""

    arrangement: Arrangement
    slope: float
    """How much `y` grows along a row, for each unit of `x`."""
    pitch: float
    """Distance of two rows."""

    def row(self, line: Line) -> float:
        return line.y - self.slope * line.x

    def reach(self) -> float:
        return self.pitch * _ROW_REACH


def upright(lines: Sequence[Line]) -> tuple[Sequence[Line], list[Label]]:
    """The lines with boxes turned by quarter turns so that labels advance downward, and the labels.

    The lines' boxes are in the turned page's fractions; fewer than four labels leave them as is.
    """
    found = labels.find(lines)
    if len(found) < 4:
        return lines, found
    order = [labels.ORDER.index(label.field) for label in found]
    turns = (_from_left, _from_right) if _lie_on_side(lines) else (_as_is, _half)
    turn = max(turns, key=lambda t: _advance(order, [t(label.line.box) for label in found]))
    if turn is _as_is:
        return lines, found
    turned = [replace(line, box=turn(line.box)) for line in lines]
    return turned, labels.find(turned)


def measure(lines: Sequence[Line], found: Sequence[Label]) -> Layout:
    """Find arrangement, slope and pitch of an upright card."""
    known = {id(label.line) for label in found}
    pairs = list(_sure_pairs([line for line in lines if id(line) not in known], found))
    below = [pair for pair in pairs if _stands_below(*pair)]
    beside = [pair for pair in pairs if not _stands_below(*pair)]
    arrangement = Arrangement.BELOW if len(below) > len(beside) else Arrangement.BESIDE
    slope = 0.0
    if arrangement is Arrangement.BESIDE and beside:
        slope = statistics.median((v.y - k.line.y) / (v.x - k.line.x) for k, v in beside)
    return Layout(arrangement=arrangement, slope=slope, pitch=_pitch(found, slope))


def _pitch(found: Sequence[Label], slope: float) -> float:
    """The usual distance from a label to the next one below it in the same column."""
    steps: list[float] = []
    for label in found:
        row = label.line.y - slope * label.line.x
        below = [
            other.line.y - slope * other.line.x - row
            for other in found
            if abs(other.line.left - label.line.left) < COLUMN_SLACK
        ]
        steps.extend(sorted(step for step in below if step > 0.004)[:1])
    return statistics.median(steps) if steps else 0.05


def _sure_pairs(values: Iterable[Line], found: Sequence[Label]) -> Iterable[tuple[Label, Line]]:
    """Labels with the one value whose form says that it is theirs."""
    by_field = {label.field: label for label in found if not label.rest}
    seen: dict[str, Line] = {}
    for line in values:
        kind = kinds.kind_of(line.text)
        if kind in by_field:
            seen.setdefault(kind, line)
    return [(by_field[field], line) for field, line in seen.items()]


def _stands_below(label: Label, value: Line) -> bool:
    return value.left < label.line.x and value.y > label.line.y


def _lie_on_side(lines: Sequence[Line]) -> bool:
    """Whether lines of some length are mostly taller than wide."""
    long = [line for line in lines if len(line.text) >= 8]
    return sum(line.box.height > line.box.width for line in long) > len(long) / 2


def _advance(order: Sequence[int], boxes: Sequence[Box]) -> float:
    """How steadily the labels, in the order cards print them, go down: Kendall's tau."""
    middles = [box.top + box.height / 2 for box in boxes]
    agreeing = 0
    for i, place in enumerate(order):
        for j in range(i):
            agreeing += 1 if (place - order[j]) * (middles[i] - middles[j]) > 0 else -1
    return agreeing / max(len(order) * (len(order) - 1) / 2, 1)


def _as_is(box: Box) -> Box:
    return box


def _half(box: Box) -> Box:
    return Box(
        left=1 - box.left - box.width,
        top=1 - box.top - box.height,
        width=box.width,
        height=box.height,
    )


def _from_left(box: Box) -> Box:
    """Undo a card lying on its left side, whose rows run upward."""
    return Box(left=1 - box.top - box.height, top=box.left, width=box.height, height=box.width)


def _from_right(box: Box) -> Box:
    """Undo a card lying on its right side, whose rows run downward."""
    return Box(left=box.top, top=1 - box.left - box.width, width=box.height, height=box.width)
