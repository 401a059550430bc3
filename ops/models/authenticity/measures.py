"""Measure how well a map finds a mask."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Map = NDArray[Any]
Mask = NDArray[np.bool_]


def best_f1(map_: Map, mask: Mask) -> float:
    """F1 of the spliced pixels at the threshold that suits this picture best."""
    values, places, counts = np.unique(map_.ravel(), return_inverse=True, return_counts=True)
    spliced = np.bincount(places, weights=mask.ravel(), minlength=len(values))[::-1]
    hits, flagged = np.cumsum(spliced), np.cumsum(counts[::-1])
    return float((2 * hits / (flagged + mask.sum())).max())


def f1(map_: Map, mask: Mask, threshold: float) -> float:
    """F1 of the spliced pixels at one threshold for all pictures."""
    flagged = map_ > threshold
    return float(2 * (flagged & mask).sum() / max(flagged.sum() + mask.sum(), 1))
