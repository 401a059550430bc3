"""Find parts of a picture that were copied to another place of it.

Dense block matching: every 16×16 block is described by low frequencies of its cosine transform,
equal descriptions vote for a displacement (Fridrich, Soukal and Lukas, "Detection of copy-move
forgery in digital images", 2003), and each displacement with votes enough is verified pixel by
pixel: zero-mean normalised cross-correlation, mean difference, and structure in both directions,
since a straight edge matches itself anywhere along the edge. What repeats at several displacements
is a pattern, not a copy.

Analysed in grey, shrunk by a whole factor to about half a megapixel, so copies smaller than about
a fiftieth of the picture's longer side are not found, nor turned or scaled ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from absah_sdk import Box

Grey = NDArray[Any]
"""uint8, (height, width)."""
Offset = tuple[int, int]
"""(right, down) in pixels."""

MAX_PIXELS = 500_000
BLOCK = 16
MIN_DISTANCE = 24
MIN_VOTES = 30
MIN_DETAIL = 3.0
"""Sum of a block's low frequencies, in steps, under which it looks like any other."""
MAX_CANDIDATES = 16
MAX_EQUAL_BLOCKS = 6
MIN_CORRELATION = 0.975
MAX_MEAN_DIFFERENCE = 2.5
"""Grey levels; in contrasty places `MAX_RELATIVE_DIFFERENCE` of their standard deviation, as there
saving as JPEG alone changes more."""
MAX_RELATIVE_DIFFERENCE = 0.1
MIN_STRUCTURE = 1.2e-4
"""Smaller eigenvalue of the structure tensor; edges in one direction have nearly none."""
MIN_AREA_SHARE = 0.002
MIN_AREA_PIXELS = 350
WINDOW = 15
PATTERN_DISPLACEMENTS = 3
MAX_PAPER_SHARE = 0.5
"""Where more of the picture has one shade, as paper has, nothing is looked for: printed words
repeat honestly. Three in four scanned pages have over 0.7, nineteen in twenty photographs under
0.52."""
_WAVES = (
    (0, 0, 6.0),
    (0, 1, 3.0),
    (1, 0, 3.0),
    (1, 1, 2.5),
    (0, 2, 2.5),
    (2, 0, 2.5),
    (2, 2, 2.0),
)
"""Frequency down and across, and the step in grey levels within which two count as equal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """A part that is there twice: both places, and the share of the picture that each takes."""

    one: Box
    other: Box
    area_share: float
    correlation: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Match:
    offset: Offset
    mask: NDArray[np.bool_]
    """Of the whole analysed picture, where the first copy lies."""
    correlation: float


def find(picture: NDArray[np.uint8]) -> list[Copy]:
    """Find copies in a picture, (height, width, 3) RGB; the largest first."""
    grey = _shrunk(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
    if min(grey.shape) < 4 * BLOCK or _paper_share(grey) > MAX_PAPER_SHARE:
        return []
    structure = cv2.cornerMinEigenVal(grey, WINDOW) > MIN_STRUCTURE
    matches = [
        match
        for offset in _candidates(grey, structure)
        if (match := _verified(grey, structure, offset)) is not None
    ]
    single = [match for match in matches if not _is_pattern(match, matches)]
    copies = [_copy(match, grey.shape) for match in single]
    return sorted(_distinct(copies), key=lambda copy: -copy.area_share)


def _paper_share(grey: Grey) -> float:
    """The largest share of pixels within ten grey levels of any one level."""
    levels = np.bincount(grey.ravel(), minlength=256) / grey.size
    return float(np.convolve(levels, np.ones(21), "same").max())


def _shrunk(grey: Grey) -> Grey:
    factor = int(np.ceil(np.sqrt(grey.size / MAX_PIXELS)))
    if factor <= 1:
        return grey
    size = (grey.shape[1] // factor, grey.shape[0] // factor)
    whole = grey[: size[1] * factor, : size[0] * factor]
    return cv2.resize(whole, size, interpolation=cv2.INTER_AREA)


def _candidates(grey: Grey, structure: NDArray[np.bool_]) -> list[Offset]:
    """Displacements that more equal blocks share than share those around, the clearest first."""
    planes = _descriptions(grey)
    told = np.abs(planes[1:]).sum(axis=0) > MIN_DETAIL
    rows, columns = np.nonzero(told & structure[: told.shape[0], : told.shape[1]])
    values = planes[:, rows, columns]
    height, width = grey.shape
    votes = np.zeros((height, 2 * width), np.float32)
    for shift in (0.0, 0.5):
        _vote(votes, np.floor(values + shift).astype(np.int64), rows, columns)
    clear = votes - cv2.blur(votes, (9, 9))
    peaks = (clear >= MIN_VOTES) & (clear == cv2.dilate(clear, np.ones((5, 5), np.uint8)))
    down, right = np.nonzero(peaks)
    ranked = np.argsort(-clear[down, right], kind="stable")[:MAX_CANDIDATES]
    return [(int(right[at]) - width, int(down[at])) for at in ranked]


def _descriptions(grey: Grey) -> NDArray[np.float32]:
    """Quantisable features of the block whose top left corner is each pixel: (7, rows, columns)."""
    pixels = grey.astype(np.float32)
    places = (np.arange(BLOCK) + 0.5) / BLOCK
    waves = [np.cos(np.pi * frequency * places) / BLOCK for frequency in range(4)]
    planes = []
    for down, right, step in _WAVES:
        plane = cv2.sepFilter2D(pixels, cv2.CV_32F, waves[right], waves[down], anchor=(0, 0))
        planes.append(plane[: -BLOCK + 1, : -BLOCK + 1] / step)
    return np.stack(planes)


def _vote(
    votes: NDArray[np.float32],
    values: NDArray[np.int64],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
) -> None:
    """Add to `votes`, (down, right + width), the displacements between blocks of equal values."""
    keys = np.zeros(values.shape[1], np.int64)
    for plane in values:
        keys = keys * 257 + (plane + 128)
    order = np.argsort(keys, kind="stable")
    keys, rows, columns = keys[order], rows[order], columns[order]
    for step in range(1, MAX_EQUAL_BLOCKS):
        same = keys[step:] == keys[:-step]
        right = (columns[step:] - columns[:-step])[same]
        down = (rows[step:] - rows[:-step])[same]
        flip = (down < 0) | ((down == 0) & (right < 0))
        right, down = np.where(flip, -right, right), np.where(flip, -down, down)
        far = np.hypot(right, down) >= MIN_DISTANCE
        places = down[far] * votes.shape[1] + right[far] + votes.shape[1] // 2
        votes += np.bincount(places, minlength=votes.size).reshape(votes.shape)


def _verified(grey: Grey, structure: NDArray[np.bool_], offset: Offset) -> _Match | None:
    """Compare the picture with itself under one displacement; None where no area holds."""
    right, down = offset
    height, width = grey.shape
    rows, columns = slice(0, height - down), slice(max(0, -right), width - max(0, right))
    moved = slice(columns.start + right, columns.stop + right)
    one, other = grey[rows, columns].astype(np.float32), grey[down:, moved].astype(np.float32)
    if min(one.shape) < WINDOW:
        return None
    correlation, spread = _local_correlation(one, other)
    difference = cv2.blur(np.abs(one - other), (WINDOW, WINDOW))
    allowed = np.maximum(MAX_MEAN_DIFFERENCE, MAX_RELATIVE_DIFFERENCE * spread)
    good = (correlation > MIN_CORRELATION) & (difference < allowed)
    good &= structure[rows, columns] & structure[down:, moved]
    area = _largest(good)
    if area is None or area.sum() < max(MIN_AREA_PIXELS, MIN_AREA_SHARE * grey.size):
        return None
    mask = np.zeros(grey.shape, np.bool_)
    mask[rows, columns] = area
    if _overlap(mask, offset) > 0.3:
        return None
    return _Match(offset=offset, mask=mask, correlation=float(correlation[area].mean()))


def _local_correlation(one: NDArray[Any], other: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Correlation and standard deviation in a window around every pixel."""
    window = (WINDOW, WINDOW)
    mean_one, mean_other = cv2.blur(one, window), cv2.blur(other, window)
    together = cv2.blur(one * other, window) - mean_one * mean_other
    spread_one = cv2.blur(one * one, window) - mean_one**2
    spread_other = cv2.blur(other * other, window) - mean_other**2
    spread = np.sqrt(np.maximum(spread_one * spread_other, 1.0))
    return together / spread, np.sqrt(spread)


def _largest(good: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    opened = cv2.morphologyEx(good.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened)
    if count < 2:
        return None
    return np.asarray(labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])), np.bool_)


def _moved(mask: NDArray[np.bool_], offset: Offset) -> NDArray[np.bool_]:
    return np.asarray(np.roll(mask, (offset[1], offset[0]), axis=(0, 1)), np.bool_)


def _overlap(mask: NDArray[np.bool_], offset: Offset) -> float:
    return float((mask & _moved(mask, offset)).sum() / max(mask.sum(), 1))


def _is_pattern(match: _Match, matches: Sequence[_Match]) -> bool:
    """Whether the same part matches at several displacements that are clearly not one."""
    both = match.mask | _moved(match.mask, match.offset)
    offsets = [match.offset]
    for other in matches:
        apart = all(np.hypot(*np.subtract(other.offset, known)) > 8 for known in offsets)
        covered = (both & (other.mask | _moved(other.mask, other.offset))).sum()
        if apart and covered > 0.3 * match.mask.sum():
            offsets.append(other.offset)
    return len(offsets) >= PATTERN_DISPLACEMENTS


def _copy(match: _Match, shape: tuple[int, ...]) -> Copy:
    return Copy(
        one=_box(match.mask),
        other=_box(_moved(match.mask, match.offset)),
        area_share=round(float(match.mask.mean()), 4),
        correlation=round(match.correlation, 4),
    )


def _box(mask: NDArray[np.bool_]) -> Box:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    size = (mask.shape[1], mask.shape[0])
    left, right = int(columns[0]), int(columns[-1]) + 1
    return Box.from_pixels(left, int(rows[0]), right, int(rows[-1]) + 1, page_size=size)


def _distinct(copies: Sequence[Copy]) -> list[Copy]:
    """Leave one of the copies that nearly equal displacements found."""
    kept: list[Copy] = []
    for copy in sorted(copies, key=lambda copy: -copy.area_share):
        if all(_apart(copy.one, known.one) or _apart(copy.other, known.other) for known in kept):
            kept.append(copy)
    return kept


def _apart(one: Box, other: Box) -> bool:
    across = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    down = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    smaller = min(one.width * one.height, other.width * other.height)
    return max(across, 0.0) * max(down, 0.0) < 0.3 * smaller
