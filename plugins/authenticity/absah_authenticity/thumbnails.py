"""Compare the embedded thumbnail with the picture it should show.

A camera writes the thumbnail when it takes the picture; many programs that change the picture
leave it as it was (Kee and Farid, "Digital image authentication from thumbnails", 2010).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from absah_sdk import Box, DocumentUnreadable

Grey = NDArray[Any]
"""float32, (height, width)."""

SIDE = 96
"""Both are compared at this many pixels on the longer side."""
MIN_CONTRAST = 8.0
"""Standard deviation in grey levels under which there is nothing to compare."""
MAX_DIFFERENCE = 45.0
"""Grey levels by which blurred pixels may differ after fitting brightness and contrast."""
MIN_CHANGED_SHARE = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """How well thumbnail and picture agree.

    `correlation` is -1 to 1, None where one of them is too flat to tell. `changed` is the part of
    the stored picture where they differ most although they agree elsewhere.
    """

    correlation: float | None
    changed: Box | None = None
    changed_share: float = 0.0


def decode(jpeg: bytes) -> NDArray[Any]:
    """Decode a thumbnail to grey, uint8 (height, width); raises `DocumentUnreadable`.

    For a sandboxed process.
    """
    try:
        pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_2)
        if pixels is not None and max(pixels.shape) < SIDE:
            pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error as exc:
        raise DocumentUnreadable("the thumbnail cannot be decoded") from exc
    if pixels is None:
        raise DocumentUnreadable("the thumbnail cannot be decoded")
    return pixels


def compare(thumbnail: NDArray[Any], picture: NDArray[Any]) -> Comparison:
    """Compare a grey thumbnail with the stored picture, uint8 (height, width, 3) RGB.

    Bars that fill up the thumbnail's shape, crops to it and turns by quarters are allowed for.
    """
    full = _small(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), SIDE)
    little = _small(thumbnail, SIDE)
    if full.std() < MIN_CONTRAST or little.std() < MIN_CONTRAST:
        return Comparison(correlation=None)
    best = max(_alignments(little, full), key=lambda pair: _correlation(*pair))
    correlation = _correlation(*best)
    whole = best[1].shape == full.shape
    changed, share = _difference(*best) if whole and correlation > 0.5 else (None, 0.0)
    return Comparison(correlation=round(correlation, 3), changed=changed, changed_share=share)


def _small(grey: NDArray[Any], side: int) -> Grey:
    scale = side / max(grey.shape)
    size = (max(8, round(grey.shape[1] * scale)), max(8, round(grey.shape[0] * scale)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small.astype(np.float32), (0, 0), 1.2)


def _alignments(little: Grey, full: Grey) -> Iterator[tuple[Grey, Grey]]:
    """Pairs of equal shape that may show the same: (thumbnail, picture or its middle part)."""
    ratio = full.shape[1] / full.shape[0]
    for turns in range(4):
        turned = np.rot90(little, turns)
        for shown in (turned, _middle(turned, ratio)):
            yield cv2.resize(shown, full.shape[::-1], interpolation=cv2.INTER_AREA), full
        part = _middle(full, turned.shape[1] / turned.shape[0])
        yield cv2.resize(turned, part.shape[::-1], interpolation=cv2.INTER_AREA), part


def _middle(grey: Grey, ratio: float) -> Grey:
    """The largest middle part of this width-to-height ratio."""
    height, width = grey.shape
    new_width, new_height = min(width, round(height * ratio)), min(height, round(width / ratio))
    left, top = (width - new_width) // 2, (height - new_height) // 2
    return grey[top : top + max(new_height, 4), left : left + max(new_width, 4)]


def _correlation(one: Grey, other: Grey) -> float:
    first, second = one - one.mean(), other - other.mean()
    norm = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / norm if norm else 0.0


def _difference(little: Grey, full: Grey) -> tuple[Box | None, float]:
    """The largest coherent place where the two differ, after fitting brightness and contrast."""
    slope, offset = np.polyfit(little.ravel(), full.ravel(), 1)
    gap = np.abs(full - (slope * little + offset))
    kernel = np.ones((3, 3), np.uint8)
    found = cv2.dilate((cv2.erode(gap, kernel) > MAX_DIFFERENCE).astype(np.uint8), kernel)
    count, _, stats, _ = cv2.connectedComponentsWithStats(found)
    if count < 2:
        return None, 0.0
    left, top, width, height, area = stats[1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))]
    share = float(area) / gap.size
    if share < MIN_CHANGED_SHARE:
        return None, 0.0
    page_size = (full.shape[1], full.shape[0])
    box = Box.from_pixels(left, top, left + width, top + height, page_size=page_size)
    return box, round(share, 4)
