"""Use a PDF page's own text where the page shows the same.

A text layer is exact where it tells the truth, but it is not what a person sees: it may be left
from another document, be a scanner's poor reading, or be false on purpose. So every line is read
from the pixels first; the layer corrects a line that it agrees with, and adds none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from absah_ocr import agreement, typography
from absah_ocr.reading import Box, Line
from absah_sdk import TextRun

_AGREES = 0.8
_LEAST_SHARE = 0.7
_SURE = 0.95
_HIDDEN_CHARACTERS = 20
_HIDDEN_SHARE = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciled:
    """A page's lines after comparison with its text layer, and how that went.

    Where `disagrees` is true the lines are as they were read from the pixels.
    """

    lines: Sequence[Line]
    disagrees: bool = False
    agreeing_share: float = 1.0
    """Characters in agreeing lines, of those in lines for which the layer has text."""
    hidden_characters: int = 0
    """Characters of the layer where no text was seen."""
    contradicted: Sequence[Box] = ()
    """Boxes of lines that clearly show other digits than the layer has."""


def reconcile(lines: Sequence[Line], runs: Sequence[TextRun]) -> Reconciled:
    """Correct lines by the page's text layer, unless the two tell different stories."""
    boxes = agreement.boxes([(run.left, run.top, run.right, run.bottom) for run in runs])
    matches = [agreement.mostly_inside(line.box, boxes) for line in lines]
    corrected: list[Line] = []
    contradicted: list[Box] = []
    agreeing = compared = 0
    for line, indices in zip(lines, matches, strict=True):
        layer = _text([runs[index] for index in indices])
        likeness = agreement.similarity(line.text, layer) if indices else 0.0
        agrees = likeness >= _AGREES
        if agrees and agreement.differ_in_digits(line.text, layer):
            agrees = False
            if line.confidence >= _SURE:
                contradicted.append(line.box)
        compared += len(line.text) if indices else 0
        agreeing += len(line.text) if agrees else 0
        corrected.append(_corrected(line, layer, likeness, runs, boxes) if agrees else line)
    seen = {index for indices in matches for index in indices}
    hidden = sum(len(run.text) for index, run in enumerate(runs) if index not in seen)
    share = agreeing / compared if compared else 1.0
    disagrees = bool(contradicted) or share < _LEAST_SHARE or _hides(hidden, runs)
    return Reconciled(
        lines=lines if disagrees else corrected,
        disagrees=disagrees,
        agreeing_share=share,
        hidden_characters=hidden,
        contradicted=contradicted,
    )


def _corrected(
    line: Line, layer: str, likeness: float, runs: Sequence[TextRun], boxes: NDArray[np.float64]
) -> Line:
    """The line in the layer's words, and so its parts, unless a run goes over from one to another.

    Then where one ends in the layer is not known, and the line is one piece.
    """
    inside = [agreement.mostly_inside(part.box, boxes) for part in line.parts]
    texts = [_text([runs[index] for index in indices]) for indices in inside]
    parts = [
        replace(part, text=text, confidence=max(part.confidence, likeness))
        for part, text in zip(line.parts, texts, strict=True)
        if text
    ]
    return replace(
        line,
        text=layer,
        confidence=max(line.confidence, likeness),
        parts=parts if " ".join(part.text for part in parts) == layer else (),
    )


def _text(runs: Sequence[TextRun]) -> str:
    ordered = sorted(runs, key=lambda run: run.left)
    return typography.latin(" ".join(run.text for run in ordered))


def _hides(hidden: int, runs: Sequence[TextRun]) -> bool:
    return hidden >= _HIDDEN_CHARACTERS and hidden > _HIDDEN_SHARE * sum(
        len(run.text) for run in runs
    )
