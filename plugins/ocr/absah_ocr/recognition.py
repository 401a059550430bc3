"""Prepare lines of text for the recogniser and decode what it answers.

The recogniser is trained with connectionist temporal classification (Graves et al., ICML 2006): it
labels each step, 8 pixels wide, with a character or the blank; runs of one label are one character.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from absah_ocr import crops

STEP = 8
"""Width of a step in pixels."""
BLANK = 0
"""The label of a step that holds no new character."""
PADDING = 128
"""Grey that fills a line up to its bucket; the models were trained with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What was read in one line.

    `confidences` and `places` have an item for each character of `text`: its probability, and
    where it stands between the line's start (0) and end (1).
    """

    text: str
    confidences: tuple[float, ...]
    places: tuple[float, ...]

    @property
    def confidence(self) -> float:
        """Mean over the characters, 0 where there are none."""
        return sum(self.confidences) / len(self.confidences) if self.confidences else 0.0


def bucket(width: int) -> int:
    """The width to which a line is padded, so that many lines share a shape.

    Buckets are 32 pixels or an eighth apart, so that little work is done on padding.
    """
    step = max(32, 1 << max(width.bit_length() - 4, 0))
    return -(-width // step) * step


def batch(lines: Sequence[NDArray[np.uint8]], width: int) -> NDArray[np.uint8]:
    """Fill straightened lines up to `width` on the right: uint8 (lines, 48, width, 3)."""
    filled = np.full((len(lines), crops.HEIGHT, width, 3), PADDING, np.uint8)
    for row, line in zip(filled, lines, strict=True):
        row[:, : line.shape[1]] = line
    return filled


def decode(
    labels: NDArray[np.integer[Any]],
    probabilities: NDArray[np.floating[Any]],
    alphabet: Sequence[str],
    *,
    width: int,
) -> Reading:
    """Decode the steps (steps,) of one line that is `width` pixels wide without its padding."""
    starts = np.ones(len(labels), bool)
    starts[1:] = labels[1:] != labels[:-1]
    steps = np.flatnonzero(starts & (labels != BLANK))
    places = np.minimum((steps + 0.5) * STEP / width, 1.0)
    return Reading(
        text="".join(alphabet[label] for label in labels[steps]),
        confidences=tuple(probabilities[steps].tolist()),
        places=tuple(places.tolist()),
    )
