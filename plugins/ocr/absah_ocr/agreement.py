"""Compare two readings of the same line by what a person would call the same."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from absah_ocr.reading import Box


def similarity(one: str, other: str) -> float:
    """How much two readings have in common, 0 to 1; case, spaces and punctuation do not count."""
    first, second = _folded(one), _folded(other)
    longer = max(len(first), len(second))
    if longer > 2 * min(len(first), len(second)):
        return 0.0  # also spares the comparison of a line with a book
    if not longer:
        return 1.0
    return difflib.SequenceMatcher(None, first, second, autojunk=False).ratio()


def differ_in_digits(one: str, other: str) -> bool:
    """Whether a digit of one stands where the other has another digit."""
    first, second = _folded(one), _folded(other)
    matcher = difflib.SequenceMatcher(None, first, second, autojunk=False)
    return any(
        operation == "replace" and first[a:b].isdigit() and second[c:d].isdigit()
        for operation, a, b, c, d in matcher.get_opcodes()
    )


def _folded(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def mostly_inside(box: Box, others: NDArray[np.float64]) -> list[int]:
    """Indices of boxes (n, 4) that lie within `box`, or it within them, by more than half."""
    left, top, right, bottom = others.T
    width = np.minimum(right, box[2]) - np.maximum(left, box[0])
    height = np.minimum(bottom, box[3]) - np.maximum(top, box[1])
    shared = width.clip(0) * height.clip(0)
    smaller = np.minimum((right - left) * (bottom - top), (box[2] - box[0]) * (box[3] - box[1]))
    return [int(index) for index in np.flatnonzero(shared > smaller / 2)]


def boxes(of: Sequence[Box]) -> NDArray[np.float64]:
    """Boxes as an array (n, 4)."""
    return np.array(of, np.float64).reshape(-1, 4)
