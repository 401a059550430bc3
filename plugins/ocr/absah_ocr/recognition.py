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

BLANK = 0
"""The label of a step that holds no new character."""
PADDING = 128
"""Grey that fills a line up to its bucket; the models were trained with it."""

_SPACE_STEPS = 5
_SPACE_GAPS = 2.0
"""Letters this many steps apart, and this many times the usual distance, belong to two words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What was read in one line.

    `confidences` has the probability of each character of `text`.
    """

    text: str
    confidences: tuple[float, ...]

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
) -> Reading:
    """Decode the steps (steps,) of one line."""
    starts = np.ones(len(labels), bool)
    starts[1:] = labels[1:] != labels[:-1]
    steps = np.flatnonzero(starts & (labels != BLANK))
    characters = [alphabet[label] for label in labels[steps]]
    confidences = probabilities[steps].tolist()
    for index in reversed(_lost_spaces(steps, characters)):
        characters.insert(index, " ")
        confidences.insert(index, confidences[index])
    return Reading(text="".join(characters), confidences=tuple(confidences))


def _lost_spaces(steps: NDArray[np.integer[Any]], characters: Sequence[str]) -> list[int]:
    """Where letters stand so far apart, for their line, that a space must have been there."""
    if len(steps) < 2:
        return []
    gaps = np.diff(steps)
    wide = np.flatnonzero(gaps >= max(_SPACE_STEPS, _SPACE_GAPS * float(np.median(gaps)))) + 1
    return [
        index
        for index in wide.tolist()
        if characters[index - 1].isalnum() and characters[index].isalnum()
    ]
