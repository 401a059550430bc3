"""The lines of a letter as a person sees them: what stands beside, above and below what."""

from __future__ import annotations

import itertools
import math
import re
import statistics
from collections.abc import Iterator, Sequence

from absah_letter.lines import Line

LABELS = {
    "number": r"n[o0]m[o0e]r(?:\s+surat)?|n[o0]\.?\s*surat|n[o0](?=\s*[.:])",
    "nature": r"s[i1l]fat",
    "attachment": r"[il1|]amp[il1|]ran|lamp(?=\s*[.:])",
    "subject": r"h\s*a\s*[l1i|](?=\s*(?:[.:;]|$)|\s+(?-i:[A-Z]))|per[il1|]?ha[l1i|]|subjek",
    "addressee": r"kepada(?:\s+y[t1]h)?|y[t1]h",
    "from": r"dari",
    "date": r"tangga[l1i|]|tg[l1i|]",
    "about": r"tentang",
    "copies": r"tembusan",
    "purpose": r"untuk|maksud\s+perjalanan\s+dinas",
    "person": r"nama|nik|jabatan|pangkat|pekerjaan|alamat|unit\s+kerja",
    "event": r"har[il1]|waktu|pukul|jam|tempat|acara|agenda",
}
"""What labels of letters look like in what OCR reads, ignoring case."""
_LABEL = re.compile(
    r"[\W_]{0,3}(?:" + "|".join(f"(?P<{k}>{v})" for k, v in LABELS.items()) + r")(?![a-z0-9])",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"\s*[:;.=]+\s*|\s+|$")
_LEAST_HEIGHT = 0.005
_MOST_COMPARED = 200
_CLEARLY = 0.25
_SAME_ROW = 0.15
"""How far apart neighbours of one row stand, in line heights, once a page's turn is undone."""
_ROW = 0.75
"""How far from a row's middle a line may be, in line heights."""


class Label:
    """A label that begins a line: which one, and where the rest of the line begins."""

    __slots__ = ("colon", "field", "rest", "rest_at")

    def __init__(self, field: str, rest: str, rest_at: int, *, colon: bool) -> None:
        self.field = field
        self.rest = rest
        self.rest_at = rest_at
        self.colon = colon


def label_of(text: str) -> Label | None:
    """The label that a text begins with."""
    match = _LABEL.match(text)
    if match is None or match.lastgroup is None:
        return None
    separator = _SEPARATOR.match(text, match.end())
    end = separator.end() if separator else match.end()
    colon = bool(separator and set(separator.group()) & set(":;="))
    return Label(match.lastgroup, text[end:].strip(), end, colon=colon)


class Sheet:
    """All lines of a letter, with their order and neighbours."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = tuple(lines)
        self.slope = _slope(lines)
        heights = [_flat_height(line, self.slope) for line in lines]
        self.height = max(statistics.median(heights), _LEAST_HEIGHT) if heights else _LEAST_HEIGHT
        self._owned = self._values_of_labels()

    def row(self, line: Line) -> float:
        """Height of the line's row, with the page's turn undone."""
        return line.y - self.slope * line.middle

    def beside(self, line: Line) -> list[Line]:
        """What stands to the right in the same row, from the left."""
        right = [
            other
            for other in self.lines
            if other.left > line.left + self.height * 0.5
            and other.left >= line.right - 3 * line.letter_width
            and abs(self.row(other) - self.row(line)) < _ROW * self.height
        ]
        return sorted(right, key=lambda other: other.left)

    def before(self, line: Line) -> list[Line]:
        """What stands to the left in the same row, nearest first."""
        left = [
            other
            for other in self.lines
            if other.right <= line.left + 3 * line.letter_width
            and other.left < line.left - self.height * 0.5
            and abs(self.row(other) - self.row(line)) < _ROW * self.height
        ]
        return sorted(left, key=lambda other: -other.left)

    def above(self, line: Line, *, within: float) -> list[Line]:
        """Lines above that overlap it across, nearest first, up to so many line heights away."""
        near = [
            other
            for other in self.lines
            if 0.5 * self.height < self.row(line) - self.row(other) < within * self.height
            and _overlap(line, other)
        ]
        return sorted(near, key=lambda other: -self.row(other))

    def below(self, line: Line, *, within: float) -> list[Line]:
        """Lines below that overlap it across, nearest first, up to so many line heights away."""
        near = [
            other
            for other in self.lines
            if 0.5 * self.height < self.row(other) - self.row(line) < within * self.height
            and _overlap(line, other)
        ]
        return sorted(near, key=self.row)

    def labelled(self, *fields: str) -> Iterator[tuple[Line, Label]]:
        """Lines that begin with one of these labels, in reading order."""
        for line in self.lines:
            label = label_of(line.text)
            if label and label.field in fields:
                yield line, label

    def value(self, line: Line, label: Label) -> list[Line]:
        """The pieces that hold a label's value in its row: the rest of its line, or what follows.

        The first piece may be the label's own line; callers cut the label off.
        """
        if label.rest:
            return [line]
        first = self.beside(line)[:1]
        return [piece for piece in first if piece.left - line.right < 0.25]

    def owned(self, line: Line) -> bool:
        """Whether a line is the value of a label beside it, and so goes on nothing above it."""
        if line.text.lstrip().startswith(":") or id(line) in self._owned:
            return True
        before = self.before(line)[:1]
        return any(len(o.text) <= 12 and line.left - o.right < 0.1 and o.left < 0.3 for o in before)

    def _values_of_labels(self) -> set[int]:
        owned: set[int] = set()
        for line, label in self.labelled(*LABELS):
            if not label.rest:
                owned.update(id(piece) for piece in self.value(line, label))
        return owned


def _slope(lines: Sequence[Line]) -> float:
    """How much rows fall along the width of a page that was turned.

    A turned line's upright box is taller by its width times this slope, which gives its size; the
    sign is the one that brings more neighbours into common rows.
    """
    flat = [line.height for line in lines if line.right - line.left < 0.12]
    wide = [line for line in lines if line.right - line.left > 0.25]
    if not flat or not wide:
        return 0.0
    usual, width = statistics.median(flat), 0.07
    size = statistics.median(
        (line.height - usual) / (line.right - line.left - width) for line in wide
    )
    if size < 0.006:
        return 0.0
    height = statistics.median(_flat_height(line, size) for line in lines)
    falling, rising = (_in_common_rows(lines, slope, height) for slope in (size, -size))
    if abs(falling - rising) > _CLEARLY * max(falling, rising, 1.0):
        return size if falling > rising else -size
    return size if _margin_drift(lines) <= 0 else -size


def _margin_drift(lines: Sequence[Line]) -> float:
    """How much left edges move to the right on the way down: to the left where rows fall."""
    wide = [line for line in lines if line.right - line.left > 0.25]
    steps = [
        (b.left - a.left) / (b.y - a.y)
        for a, b in itertools.combinations(wide, 2)
        if abs(b.left - a.left) < 0.04 and 0.01 < abs(b.y - a.y) < 0.4
    ]
    return statistics.median(steps) if steps else 0.0


def _flat_height(line: Line, slope: float) -> float:
    return line.height - abs(slope) * (line.right - line.left)


def _in_common_rows(lines: Sequence[Line], slope: float, height: float) -> float:
    """How many pairs of neighbours this slope brings to one height; those nearly so count less."""
    near = lines[:_MOST_COMPARED]
    offsets = [
        (other.y - line.y - slope * (other.middle - line.middle)) / (_SAME_ROW * height)
        for line in near
        for other in near
        if 0 < other.left - line.right < 0.3 and abs(other.y - line.y) < 6 * height
    ]
    return sum(math.exp(-offset * offset) for offset in offsets)


def _overlap(a: Line, b: Line) -> bool:
    return min(a.right, b.right) - max(a.left, b.left) > -0.01
