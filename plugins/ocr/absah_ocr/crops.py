"""Cut lines of text out of a page and straighten them to one height."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from absah_ocr import geometry
from absah_ocr.geometry import Quads

HEIGHT = 48
"""Height in pixels of a straightened line; the recogniser was trained on it."""
MAX_WIDTH = 3200
"""A longer line is squeezed to this."""

_SQUEEZE = 0.875
"""Widths are this part of what the line's proportions ask for. The recogniser reads such lines as
well and takes as much less time."""
_STRETCH = 1.6
_AREA_FROM = 1.5
"""Lines this many times higher than `HEIGHT` are averaged down, lest thin strokes get lost."""


def straighten(pixels: NDArray[np.uint8], quad: Quads) -> NDArray[np.uint8]:
    """Cut out a line, uint8 (48, width, 3)."""
    width = float(geometry.widths(quad[None])[0])
    height = max(float(geometry.heights(quad[None])[0]), 1.0)
    size = (min(max(math.ceil(HEIGHT * _SQUEEZE * width / height), 8), MAX_WIDTH), HEIGHT)
    if height > HEIGHT * _AREA_FROM:
        natural = _warp(pixels, quad, (max(round(width), 1), max(round(height), 1)))
        return np.asarray(cv2.resize(natural, size, interpolation=cv2.INTER_AREA), np.uint8)
    return _warp(pixels, quad, size)


def stretched(line: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Widen a straightened line, so that each of its letters gets more steps."""
    width = min(math.ceil(line.shape[1] * _STRETCH), MAX_WIDTH)
    return np.asarray(cv2.resize(line, (width, HEIGHT)), np.uint8)


def turned(line: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn a straightened line by 180 degrees."""
    return np.ascontiguousarray(line[::-1, ::-1])


def _warp(pixels: NDArray[np.uint8], quad: Quads, size: tuple[int, int]) -> NDArray[np.uint8]:
    # Corners lie on the edges between pixels, OpenCV's coordinates on their centres.
    width, height = size
    target = np.array([[0, 0], [width, 0], [width, height]], np.float32) - 0.5
    matrix = cv2.getAffineTransform((quad[:3] - 0.5).astype(np.float32), target)
    return np.asarray(
        cv2.warpAffine(
            pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ),
        np.uint8,
    )
