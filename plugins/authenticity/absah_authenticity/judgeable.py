"""Tell whether a picture has anything that its pixels could be judged by."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from absah_authenticity.jpeg import Structure
from absah_authenticity.settings import AuthenticitySettings
from absah_sdk import Finding

SAMPLED_PIXELS = 1_000_000


def flat_share(picture: NDArray[np.uint8]) -> float:
    """The share of pixels that equal both their right and their lower neighbour exactly.

    Photographs have grain: even saved at quality 50 hardly any is flat for more than 0.6 of it.
    Of a large picture, rows at equal distances are looked at.
    """
    if min(picture.shape[:2]) < 2:
        return 1.0
    step = max(1, picture.shape[0] * picture.shape[1] // SAMPLED_PIXELS)
    here, below = picture[:-1:step, :-1], picture[1::step, :-1]
    across = cv2.absdiff(here, picture[:-1:step, 1:])
    differs = cv2.max(across, cv2.absdiff(here, below[: len(here)])).any(axis=2)
    return float(1 - differs.mean())


def findings(
    size: tuple[int, int], flat: float, structure: Structure | None, settings: AuthenticitySettings
) -> Iterator[Finding]:
    """Why a picture of this (width, height) cannot be judged; nothing where it can."""
    if min(size) < settings.min_side_pixels:
        yield Finding(
            code="too_small",
            message="The picture is too small to judge its pixels.",
            attributes={"width": size[0], "height": size[1]},
        )
    if structure is not None and structure.quality < settings.min_jpeg_quality:
        yield Finding(
            code="too_compressed",
            message="The picture is compressed so strongly that traces of changes are gone.",
            attributes={"quality": structure.quality},
        )
    if flat > settings.max_flat_share:
        yield Finding(
            code="too_flat",
            message="Most of the picture is evenly coloured, as in drawings, screenshots and"
            " clean scans; pixel statistics cannot judge it.",
            attributes={"flat_share": round(flat, 3)},
        )
