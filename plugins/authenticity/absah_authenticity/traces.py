"""Measure the traces that saving and sampling leave, cell by cell.

Three families, each a plane with one value for every 4×4 pixels:
error levels (Krawetz, "A picture's worth", 2007: how much a picture changes when it is saved again
at four qualities; what was saved more coarsely before changes less), noise residuals of small
high-pass filters (Fridrich and Kodovsky, "Rich models for steganalysis", 2012), and steps across
the 8×8 grid of JPEG. The last three planes tell brightness and colour, on which honest noise
depends.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[Any]
"""float32; OpenCV does not tell types of elements, so they are said here alone."""
Picture = NDArray[Any]
"""uint8."""

CELL = 4
ALIGNMENT = 16
"""Pictures are extended to a multiple of this many pixels, to the right and downwards."""
QUALITIES = (75, 85, 90, 95)
PLANES = 3 * len(QUALITIES) + 11
MIN_PIXELS = 32
_COLOUR_LEVELS = tuple(3 * QUALITIES.index(quality) + 2 for quality in (85, 95))
"""The planes of colour's error levels. Most pictures keep colour at half resolution, so colour that
came from elsewhere changes most when saved again."""
_SMOOTHING_CELLS = 2.2

_ACROSS = np.array([[-1, 2, -1]], np.float32) / 2
_SQUARE = np.array([[-1, 2, -1], [2, -4, 2], [-1, 2, -1]], np.float32) / 4


def bounded(picture: Picture, *, max_native_pixels: int, shrunk_pixels: int) -> Picture:
    """Keep a picture, (height, width, 3), of up to so many pixels; shrink a larger one.

    Shrinking blurs the finest traces, so a size that messengers send is worth keeping; what must be
    shrunk anyway loses little more by being shrunk further.
    """
    height, width = picture.shape[:2]
    if height * width <= max_native_pixels:
        return picture
    scale = (shrunk_pixels / (height * width)) ** 0.5
    size = (max(1, int(width * scale)), max(1, int(height * scale)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def measure(picture: Picture) -> Plane:
    """Measure a picture, uint8 (height, width, 3) RGB in its stored orientation.

    Returns float32 (PLANES, rows, columns), one value for each cell of the extended picture.
    """
    bgr = _extended(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    colours = cv2.cvtColor(bgr, cv2.COLOR_BGR2YCrCb)
    floats = colours.astype(np.float32)
    planes = [plane for quality in QUALITIES for plane in _error_levels(bgr, colours, quality)]
    planes += _residuals(colours[..., 0], floats)
    planes += _grid_steps(floats[..., 0])
    planes += [_cells(floats[..., channel]) / 64 - 2 for channel in range(3)]
    return np.stack(planes).astype(np.float32)


def colour_levels(planes: Plane) -> Plane:
    """How much colour changes when saved again, (rows, columns), smoothed over about five cells.

    In units of the picture's own spread, around its mean.
    """
    levels = [_standardised(np.expm1(planes[place])) for place in _COLOUR_LEVELS]
    return np.asarray(sum(levels) / len(levels), np.float32)


def _standardised(plane: Plane) -> Plane:
    smooth = cv2.GaussianBlur(plane, (0, 0), _SMOOTHING_CELLS)
    return np.asarray((smooth - smooth.mean()) / (smooth.std() + 1e-3), np.float32)


def _extended(bgr: Picture) -> Picture:
    height, width = bgr.shape[:2]
    below, right = -height % ALIGNMENT, -width % ALIGNMENT
    return cv2.copyMakeBorder(bgr, 0, below, 0, right, cv2.BORDER_REPLICATE)


def _cells(plane: Plane) -> Plane:
    size = (plane.shape[1] // CELL, plane.shape[0] // CELL)
    return cv2.resize(plane, size, interpolation=cv2.INTER_AREA)


def _strength(plane: Plane, most: float) -> Plane:
    return np.log1p(_cells(np.minimum(np.abs(plane), most)))


def saved_again(bgr: Picture, quality: int) -> Picture:
    """The picture after saving it as JPEG at this quality."""
    saved = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    again = cv2.imdecode(saved, cv2.IMREAD_COLOR)
    assert again is not None, "what was just encoded can be decoded"
    return again


def _error_levels(bgr: Picture, colours: Picture, quality: int) -> list[Plane]:
    again = saved_again(bgr, quality)
    most = cv2.absdiff(bgr, again).max(axis=2).astype(np.float32)
    change = cv2.absdiff(colours, cv2.cvtColor(again, cv2.COLOR_BGR2YCrCb)).astype(np.float32)
    light, colour = change[..., 0], change[..., 1] + change[..., 2]
    return [np.log1p(_cells(most)), np.log1p(2 * _cells(light)), np.log1p(2 * _cells(colour))]


def _residuals(light: Picture, floats: Plane) -> list[Plane]:
    y, cr, cb = (floats[..., channel] for channel in range(3))
    return [
        _strength(cv2.filter2D(y, -1, _ACROSS), 20),
        _strength(cv2.filter2D(y, -1, _ACROSS.T), 20),
        _strength(cv2.filter2D(y, -1, _SQUARE), 20),
        _strength(y - cv2.medianBlur(light, 3), 20),
        _strength(cv2.filter2D(cr, -1, _SQUARE), 10),
        _strength(cv2.filter2D(cb, -1, _SQUARE), 10),
    ]


def _grid_steps(y: Plane) -> list[Plane]:
    # Moved by half a cell, so that a step between two 8×8 blocks falls inside one cell.
    planes = []
    for axis in (0, 1):
        steps = np.zeros_like(y)
        between = np.minimum(np.abs(np.diff(y, axis=axis)), 20)
        steps[: between.shape[0], : between.shape[1]] = between
        planes.append(np.log1p(_cells(np.roll(steps, (2, 2), axis=(0, 1)))))
    return planes
