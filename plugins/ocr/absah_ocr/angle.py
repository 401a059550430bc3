"""Tell whether lines stand on their heads, by a small classifier."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from absah_ocr import recognition

WIDTH = 192
"""Width in pixels of what the classifier looks at."""
UPSIDE_DOWN = 1
"""The classifier's class of lines turned by 180 degrees."""


def sample(line: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut the middle out of a straightened line: uint8 (48, 192, 3).

    A long line squeezed to this width, as the classifier's makers do it, is told wrong six times
    as often.
    """
    width = line.shape[1]
    if width >= WIDTH:
        start = (width - WIDTH) // 2
        return line[:, start : start + WIDTH]
    right = WIDTH - width
    return np.asarray(
        cv2.copyMakeBorder(
            line, 0, 0, 0, right, cv2.BORDER_CONSTANT, value=(recognition.PADDING,) * 3
        ),
        np.uint8,
    )


def batch(lines: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Samples of straightened lines, uint8 (n, 48, 192, 3)."""
    return np.stack([sample(line) for line in lines])
