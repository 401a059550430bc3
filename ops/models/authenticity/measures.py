"""Measure how well a map finds a mask."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Map = NDArray[Any]
Mask = NDArray[np.bool_]


def area_under_curve(map_: Map, mask: Mask) -> float:
    """Probability that a spliced pixel ranks above an honest one, ties counting half.

    Mann-Whitney's U; the mask must hold both kinds.
    """
    values, places, counts = np.unique(map_.ravel(), return_inverse=True, return_counts=True)
    spliced = np.bincount(places, weights=mask.ravel(), minlength=len(values))
    honest = counts - spliced
    below = np.cumsum(honest) - honest
    return float((spliced * (below + honest / 2)).sum() / (spliced.sum() * honest.sum()))


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
