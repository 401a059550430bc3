"""Find lines of text on a page with a differentiable binarisation (DB) network.

The network gives a map of how probable it is that a pixel lies in the shrunken core of a line;
cores are cut out at a threshold and grown again. Liao et al., "Real-time Scene Text Detection with
Differentiable Binarization", AAAI 2020.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from absah_ocr import geometry
from absah_ocr.geometry import Quads

STRIDE = 32
"""The network halves its input five times; sides are multiples of this."""

_CORE_THRESHOLD = 0.3
_LEAST_SCORE = 0.5
_GROWTH = 1.6
_LEAST_CORE = 3.0
_MAX_LINES = 1000
_KERNEL = np.ones((2, 2), np.uint8)


def resize(pixels: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Scale a page for the network, both sides to the nearest multiple of its stride."""
    height, width = (max(round(side * scale / STRIDE), 1) * STRIDE for side in pixels.shape[:2])
    if (height, width) == pixels.shape[:2]:
        return np.ascontiguousarray(pixels)
    shrinks = width * height < pixels.shape[0] * pixels.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), np.uint8)


def lines(probability: NDArray[np.float32], page_size: tuple[int, int]) -> Quads:
    """Read lines off a probability map (height, width) for a page of (width, height).

    At most 1000, the surest; quads (n, 4, 2) in pixels of the page.
    """
    cores = cv2.dilate((probability > _CORE_THRESHOLD).view(np.uint8), _KERNEL)
    contours, hierarchy = cv2.findContours(cores, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour, links in zip(contours, [] if hierarchy is None else hierarchy[0], strict=True):
        is_hole = links[3] >= 0
        line = None if is_hole else _line(probability, contour)
        if line is not None:
            found.append(line)
    if not found:
        return geometry.no_quads()
    surest = np.argsort([-score for _, score in found], kind="stable")[:_MAX_LINES]
    stretch = np.array(page_size, np.float32) / np.array(probability.shape[::-1], np.float32)
    return np.asarray(np.stack([found[index][0] for index in surest]) * stretch, np.float32)


def _line(probability: NDArray[np.float32], contour: NDArray[Any]) -> tuple[Quads, float] | None:
    centre, (width, height), angle = cv2.minAreaRect(contour)
    if min(width, height) < _LEAST_CORE:
        return None
    core = geometry.from_rotated_rectangle(centre, (width, height), angle)
    score = _mean_inside(probability, core)
    if score < _LEAST_SCORE:
        return None
    # Offsetting a polygon by area * growth / perimeter is, for a rectangle, a longer rectangle.
    margin = width * height * _GROWTH / (2 * (width + height))
    grown = (width + 2 * margin, height + 2 * margin)
    # A contour runs through pixel centres.
    middle = (centre[0] + 0.5, centre[1] + 0.5)
    return geometry.from_rotated_rectangle(middle, grown, angle), score


def _mean_inside(probability: NDArray[np.float32], quad: Quads) -> float:
    height, width = probability.shape
    left, top = np.floor(quad.min(axis=0)).astype(int).clip(0, (width - 1, height - 1))
    right, bottom = np.ceil(quad.max(axis=0)).astype(int).clip(0, (width - 1, height - 1))
    mask = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(mask, [(quad - (left, top)).astype(np.int32)], 1)
    return cv2.mean(probability[top : bottom + 1, left : right + 1], mask)[0]
