"""Turned rectangles around lines of text, and what is measured on them.

A quad is float32 (4, 2): the corners of a line top-left, top-right, bottom-right, bottom-left as
the line is read, x before y, in pixels of the page. Quads are kept in arrays (n, 4, 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Quads = NDArray[np.float32]
Floats = NDArray[np.floating[Any]]

_TALL = 2.5
"""A line is no higher than this many times its width, unless it runs up or down the page."""


def no_quads() -> Quads:
    """An array of no quads."""
    return np.zeros((0, 4, 2), np.float32)


def from_rotated_rectangle(
    centre: Sequence[float], size: Sequence[float], angle_degrees: float
) -> Quads:
    """The quad of a turned rectangle, its reading direction within 45 degrees of level.

    A line that runs down the page gives a quad that is taller than wide.
    """
    width, height = size
    turns = round(angle_degrees / 90)
    if turns % 2:
        width, height = height, width
    radians = np.deg2rad(angle_degrees - 90 * turns)
    along = np.array([np.cos(radians), np.sin(radians)]) * (width / 2)
    down = np.array([-np.sin(radians), np.cos(radians)]) * (height / 2)
    middle = np.array(centre)
    corners = [middle - along - down, middle + along - down]
    corners += [middle + along + down, middle - along + down]
    return np.array(corners, np.float32)


def widths(quads: Quads) -> Floats:
    """Lengths along the reading direction, (n,)."""
    return _mean_sides(quads, (0, 1), (3, 2))


def heights(quads: Quads) -> Floats:
    """Lengths across the reading direction, (n,)."""
    return _mean_sides(quads, (0, 3), (1, 2))


def _mean_sides(quads: Quads, one: tuple[int, int], other: tuple[int, int]) -> Floats:
    first = np.linalg.norm(quads[:, one[1]] - quads[:, one[0]], axis=1)
    second = np.linalg.norm(quads[:, other[1]] - quads[:, other[0]], axis=1)
    return np.asarray((first + second) / 2)


def angles(quads: Quads) -> Floats:
    """Reading directions in radians, clockwise from level, (n,)."""
    along = quads[:, 1] - quads[:, 0] + quads[:, 2] - quads[:, 3]
    return np.asarray(np.arctan2(along[:, 1], along[:, 0]))


def is_tall(quads: Quads) -> NDArray[np.bool_]:
    """Which lines run up or down the page, (n,)."""
    return np.asarray(heights(quads) >= _TALL * widths(quads))


def laid_down(quads: Quads) -> Quads:
    """The quads with those of tall lines read from the bottom of the page to its top."""
    return np.where(is_tall(quads)[:, None, None], np.roll(quads, 1, axis=1), quads)


def turn_page(pixels: NDArray[np.uint8], quarter_turns: int) -> NDArray[np.uint8]:
    """Turn a page clockwise by quarter turns."""
    codes = {1: cv2.ROTATE_90_CLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_COUNTERCLOCKWISE}
    turns = quarter_turns % 4
    return pixels if turns == 0 else np.asarray(cv2.rotate(pixels, codes[turns]), np.uint8)


def on_their_heads(quads: Quads, page_size: tuple[int, int]) -> Quads:
    """Where lines are, as they are then read, when a page of (width, height) is turned around."""
    return np.roll(np.array(page_size, np.float32) - quads, 2, axis=1)


def turn_back(quads: Quads, quarter_turns: int, page_size: tuple[int, int]) -> Quads:
    """Take quads found on a turned page to the page as it came, of (width, height).

    The corners keep their roles, so the first is still where reading begins.
    """
    width, height = page_size
    x, y = quads[..., 0], quads[..., 1]
    match quarter_turns % 4:
        case 0:
            return quads
        case 1:
            turned = (y, height - x)
        case 2:
            turned = (width - x, height - y)
        case _:
            turned = (width - y, x)
    return np.stack(turned, axis=-1).astype(np.float32)
