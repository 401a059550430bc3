"""Choose the size at which lines are looked for, by the height of the page's letters.

The detector sees lines best in a narrow range of heights, whatever the scanner's resolution was.
Looking at the page at that size is both surer than at its own (large letters fall apart, small
ones run together) and cheaper, since time goes with the number of pixels.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

LETTER_HEIGHT = 14.0
"""Height in pixels of letters that the detector sees well."""
LINE_HEIGHTS = (11.0, 90.0)
"""Heights of found lines, in the detector's pixels, that need no second look."""

_LINE_HEIGHT_FOR_LOW = 24.0
_LINE_HEIGHT_FOR_HIGH = 48.0
_FEWEST_PIXELS = 0.3e6
"""A page is not shrunk below this: large letters would hide small ones at no gain."""
_USUAL_PIXELS = 1.25e6
_MOST_PIXELS = 2.5e6
_MOST_SIDE = 2400
_MOST_GROWTH = 4.0
_SHORT_SIDE = 736
"""Where no letters can be measured, the shorter side becomes this long, or stays if shorter."""

_MEASURED_PIXELS = 1.5e6
_BLOCK = 31
_CONTRAST = 12
_FEWEST_LETTERS = 5


def letter_height(pixels: NDArray[np.uint8]) -> float | None:
    """Measure the usual height of letters in pixels; None where there are too few.

    Letters are connected dark spots of a letter's proportions, found by a local threshold. The
    middle is weighted by height, so that specks of dirt count for little.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    shrink = min(1.0, math.sqrt(_MEASURED_PIXELS / grey.size))
    if shrink < 1:
        grey = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    ink = cv2.adaptiveThreshold(
        grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, _BLOCK, _CONTRAST
    )
    _, _, spots, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    width, height, area = (spots[1:, column].astype(np.int64) for column in (2, 3, 4))
    letters = (height >= 5) & (width >= 2) & (height < 0.95 * grey.shape[0])
    letters &= (width <= 5 * height) & (height <= 8 * width) & (area >= 0.12 * width * height)
    heights = np.sort(height[letters])
    if len(heights) < _FEWEST_LETTERS:
        return None
    weights = np.cumsum(heights)
    return float(heights[np.searchsorted(weights, weights[-1] / 2)]) / shrink


def first(pixels: NDArray[np.uint8]) -> float:
    """The scale for a first look at a page."""
    letters = letter_height(pixels)
    if letters is None:
        return _bounded(min(1.0, _SHORT_SIDE / min(pixels.shape[:2])), pixels, _USUAL_PIXELS)
    least = min(1.0, math.sqrt(_FEWEST_PIXELS * 3 / pixels.size))
    return _bounded(max(LETTER_HEIGHT / letters, least), pixels, _USUAL_PIXELS)


def second(pixels: NDArray[np.uint8], scale: float, line_height: float) -> float | None:
    """The scale for another look where lines came out too low or too high, if that differs.

    `line_height` is the usual height of a line found at `scale`, in pixels of the page.
    """
    lowest, highest = LINE_HEIGHTS
    if lowest <= line_height * scale <= highest:
        return None
    wanted = _LINE_HEIGHT_FOR_LOW if line_height * scale < lowest else _LINE_HEIGHT_FOR_HIGH
    better = _bounded(wanted / line_height, pixels, _MOST_PIXELS)
    return better if max(better / scale, scale / better) > 1.25 else None


def _bounded(scale: float, pixels: NDArray[np.uint8], most_pixels: float) -> float:
    height, width = pixels.shape[:2]
    by_area = math.sqrt(most_pixels / (height * width))
    return min(scale, by_area, _MOST_SIDE / int(max(height, width)), _MOST_GROWTH)
