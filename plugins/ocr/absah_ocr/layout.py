"""Put lines into reading order: rows from top to bottom, columns one after another.

The page is first levelled by the usual slant of its lines. Then it is cut from top to bottom into
bands that no line bridges. Neighbouring bands through which a gutter runs, with running text on
both sides of it, are columns and are read side after side; labels with values beside them, price
lists and signatures are not running text and are read across, row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from absah_ocr import geometry
from absah_ocr.geometry import Quads

_SHRINK = 0.6
"""The part of a line's height that counts when lines are tested for standing side by side."""
_ROW_OVERLAP = 0.5
_FEWEST_COLUMN_LINES = 3
_RUNNING_TEXT = 18
"""A column's usual line has this many characters or more."""
_FULLNESS = 0.6
"""A column's usual line fills this part of the column's width or more."""
_GUTTER = 0.4
"""Least width of a gutter in line heights."""
_FAR = 8.0
"""Things on one row further apart than this many line heights belong to different blocks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A line as the detector found it, on the levelled page."""

    index: int
    left: float
    right: float
    middle: float
    height: float
    slope: float
    """What is left of its slant after levelling, pixels down for each pixel to the right."""
    text: str

    @property
    def top(self) -> float:
        """Upper edge, without the margin that neighbours may share."""
        return self.middle - self.height * _SHRINK / 2

    @property
    def bottom(self) -> float:
        """Lower edge, without the margin that neighbours may share."""
        return self.middle + self.height * _SHRINK / 2

    def middle_at(self, x: float) -> float:
        """Where its middle would be if the line went on to `x`."""
        return self.middle + self.slope * (x - (self.left + self.right) / 2)


def rows(quads: Quads, texts: Sequence[str]) -> list[list[int]]:
    """Indices of lines in reading order, those on one row together from left to right."""
    return [[piece.index for piece in row] for row in _ordered(_pieces(quads, texts))]


def slant(quads: Quads) -> float:
    """The usual direction of lines in radians, clockwise; long lines count for more."""
    if not len(quads):
        return 0.0
    widths = geometry.widths(quads)
    long = widths >= 2 * geometry.heights(quads)
    if not long.any():
        return 0.0
    angles, weights = geometry.angles(quads)[long], widths[long]
    order = np.argsort(angles)
    total = np.cumsum(weights[order])
    return float(angles[order][np.searchsorted(total, total[-1] / 2)])


def _pieces(quads: Quads, texts: Sequence[str]) -> list[Piece]:
    angle = slant(quads)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centres = quads.mean(axis=1) @ turn
    widths, heights = geometry.widths(quads), geometry.heights(quads)
    # A short line's own slant is noise.
    slopes = np.where(widths >= 4 * heights, np.tan(geometry.angles(quads) - angle), 0.0)
    columns = (centres[:, 0], centres[:, 1], widths, heights, slopes)
    return [
        Piece(
            index=index,
            left=x - width / 2,
            right=x + width / 2,
            middle=y,
            height=height,
            slope=slope,
            text=texts[index],
        )
        for index, (x, y, width, height, slope) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True)
        )
    ]


def _ordered(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    bands = list(_bands(pieces))
    start = 0
    while start < len(bands):
        end = _stretch_end(bands, start)
        stretch = [piece for band in bands[start:end] for piece in band]
        sides = _columns(stretch)
        if sides:
            for side in sides:
                yield from _ordered(side)
        else:
            for band in bands[start:end]:
                yield from _rows(band)
        start = end


def _bands(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Group pieces that overlap in height, directly or through others, from top to bottom."""
    band: list[Piece] = []
    bottom = -np.inf
    for piece in sorted(pieces, key=lambda piece: piece.top):
        if band and piece.top >= bottom:
            yield band
            band = []
            bottom = -np.inf
        band.append(piece)
        bottom = max(bottom, piece.bottom)
    if band:
        yield band


def _stretch_end(bands: Sequence[list[Piece]], start: int) -> int:
    """Where the bands from `start` on stop having a gutter in common; at least one band on."""
    covered: list[tuple[float, float]] = []
    for end in range(start, len(bands)):
        covered = _union([*covered, *((piece.left, piece.right) for piece in bands[end])])
        bridged = len(covered) < 2 and end > start
        if bridged:
            return end
    return len(bands)


def _union(intervals: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for left, right in sorted(intervals):
        if merged and left <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], right))
        else:
            merged.append((left, right))
    return merged


def _columns(pieces: Sequence[Piece]) -> tuple[list[Piece], list[Piece]] | None:
    """Two sides of a gutter with running text on either, if there is one."""
    least = _GUTTER * float(np.median([piece.height for piece in pieces]))
    covered = _union([(piece.left, piece.right) for piece in pieces])
    for (_, left), (right, _) in pairwise(covered):
        if right - left >= least:
            sides = _split(pieces, (left + right) / 2)
            if all(_is_running_text(side) for side in sides):
                return sides
    return None


def _split(pieces: Sequence[Piece], gutter: float) -> tuple[list[Piece], list[Piece]]:
    left = [piece for piece in pieces if piece.right <= gutter]
    return left, [piece for piece in pieces if piece.right > gutter]


def _is_running_text(pieces: Sequence[Piece]) -> bool:
    lines = list(_rows(pieces))
    if len(lines) < _FEWEST_COLUMN_LINES:
        return False
    width = max(piece.right for piece in pieces) - min(piece.left for piece in pieces)
    lengths = [sum(len(piece.text) for piece in line) for line in lines]
    filled = [sum(piece.right - piece.left for piece in line) / width for line in lines]
    return bool(np.median(lengths) >= _RUNNING_TEXT and np.median(filled) >= _FULLNESS)


def _rows(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Cut a block into rows, top to bottom, and rows into what belongs together."""
    found: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: piece.left):
        fitting = [row for row in found if _continues(row[-1], piece)]
        if fitting:
            min(fitting, key=lambda row: abs(_drop(row[-1], piece))).append(piece)
        else:
            found.append([piece])
    for row in sorted(found, key=lambda row: sum(piece.middle for piece in row) / len(row)):
        yield from _blocks(row)


def _continues(last: Piece, piece: Piece) -> bool:
    """Whether a piece stands on the row that `last` ends, at its right."""
    height = min(last.height, piece.height)
    if piece.left < last.right - height:
        return False
    overlap = (last.height + piece.height) / 2 - abs(_drop(last, piece))
    return overlap >= _ROW_OVERLAP * height + abs(last.height - piece.height) / 2


def _drop(last: Piece, piece: Piece) -> float:
    x = (last.right + piece.left) / 2
    return piece.middle_at(x) - last.middle_at(x)


def _blocks(row: Sequence[Piece]) -> Iterator[list[Piece]]:
    block = [row[0]]
    for piece in row[1:]:
        gap = piece.left - block[-1].right
        if gap > _FAR * max(block[-1].height, piece.height) and not piece.text.startswith(":"):
            yield block
            block = []
        block.append(piece)
    yield block
