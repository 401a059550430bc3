"""The sample photos that come with Absah, and how golden sets save pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).parents[2] / "samples" / "photos"

Picture = NDArray[Any]


def load() -> Iterator[tuple[str, Picture]]:
    """Name and pixels, (height, width, 3) BGR, of each, sorted by name."""
    for file in sorted(FOLDER.glob("*.jpg")):
        photo = cv2.imread(str(file), cv2.IMREAD_COLOR)
        assert photo is not None
        yield file.stem, photo


def jpeg(picture: Picture, *, quality: int) -> bytes:
    """The picture as a JPEG file."""
    encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(encoded).tobytes()
