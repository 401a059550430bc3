"""What the detector would answer, drawn by hand, and lines as they are placed on pages."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from absah_ocr import geometry
from absah_ocr.geometry import Quads


def probability_map(
    size: tuple[int, int], *cores: tuple[float, float, float, float, float]
) -> NDArray[np.float32]:
    """A map of (width, height) with the core (x, y, width, height, degrees) of each line."""
    drawn = np.zeros((size[1], size[0]), np.float32)
    for x, y, width, height, degrees in cores:
        corners = cv2.boxPoints(((x, y), (width, height), degrees))
        cv2.fillPoly(drawn, [np.round(corners).astype(np.int32)], 0.9)
    return drawn


def line(left: float, top: float, width: float, height: float = 20, *, degrees: float = 0) -> Quads:
    """A quad (4, 2) whose upright box is given, turned around the page's origin."""
    centre = np.array([left + width / 2, top + height / 2])
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    x, y = centre @ turn
    return geometry.from_rotated_rectangle((x, y), (width, height), degrees)


def quads(lines: Sequence[Quads]) -> Quads:
    return np.stack(lines)
