"""Measures that golden sets and the models' own evaluations share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Map = NDArray[Any]
Mask = NDArray[np.bool_]


def paragraph_errors(truth: str, text: str) -> tuple[int, int]:
    """Edits that turn `text` into `truth`, and the length of `truth`; white space is one blank."""
    expected, found = (" ".join(each.split()) for each in (truth, text))
    return edits(expected, found), len(expected)


def edits(one: str, other: str) -> int:
    """Levenshtein's distance."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row = row, [i]
        for j, b in enumerate(other, 1):
            row.append(min(row[-1] + 1, previous[j] + 1, previous[j - 1] + (a != b)))
    return row[-1]


def area_under_curve(map_: Map, mask: Mask) -> float:
    """Probability that a marked pixel ranks above another, ties counting half.

    Mann-Whitney's U; the mask must hold both kinds.
    """
    values, places, counts = np.unique(map_.ravel(), return_inverse=True, return_counts=True)
    marked = np.bincount(places, weights=mask.ravel(), minlength=len(values))
    others = counts - marked
    below = np.cumsum(others) - others
    return float((marked * (below + others / 2)).sum() / (marked.sum() * others.sum()))
