"""Reading: drawn letters whose text is known, or a folder of pages with their texts.

A folder holds pictures (`*.png`, `*.jpg`) with the text of each beside it, `NAME.txt`. The figure
is the character error rate: edits (Levenshtein) by characters of the truth.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from absah_ops.models.golden import measures
from absah_ops.models.golden.task import (
    NO_SETTINGS,
    Case,
    GoldenSetInvalid,
    Judged,
    answered,
    read_text,
)
from absah_ops.specimens import degrading, layouts, letters, sheets
from absah_ops.specimens.degrading import Level
from absah_sdk import Result

DRAWN = (
    (11, letters.Form.LETTER, Level.CLEAN, 0),
    (12, letters.Form.DECREE, Level.SCAN, 0),
    (13, letters.Form.STATEMENT, Level.PHONE, 0),
    (14, letters.Form.ASSIGNMENT, Level.CLEAN, 180),
    (15, letters.Form.CIRCULAR, Level.SCAN, 180),
)
"""Seed, form, wear, and degrees by which the page lies turned."""


class Reading:
    """The checker `ocr`."""

    checker = "ocr"
    metric = "character error rate"
    higher_is_better = False
    tolerance = 0.003
    settings = NO_SETTINGS

    def cases(self, folder: Path | None) -> list[Case]:
        """Pages; see `Task.cases`."""
        if folder is None:
            return [_drawn(*each) for each in DRAWN]
        files = sorted(f for f in folder.iterdir() if f.suffix in (".png", ".jpg", ".jpeg"))
        cases = [
            Case(
                name=file.name,
                content=file.read_bytes(),
                filename=file.name,
                truth=read_text(file.with_suffix(".txt")),
            )
            for file in files
            if file.with_suffix(".txt").is_file()
        ]
        if cases and not any(case.truth.split() for case in cases):
            raise GoldenSetInvalid(folder, "its texts hold no character to be read")
        return cases

    def truth(self, result: Result, labels: Sequence[str]) -> str:
        """The text that was read."""
        return str(result.facts.get("text", ""))

    def judge(self, case: Case, result: Result, labels: Sequence[str]) -> Judged:
        """Count edits."""
        read = str(result.facts.get("text", "")) if answered(result) else ""
        wrong, length = measures.paragraph_errors(case.truth, read)
        return Judged(
            case=case.name,
            answered=answered(result),
            counted=(wrong, length),
            loss=wrong / max(length, 1),
            detail=f"{wrong} of {length} characters wrong",
        )

    def figure(self, judged: Sequence[Judged]) -> float:
        """Edits by characters, over all pages."""
        wrong, length = (sum(int(j.counted[i]) for j in judged) for i in (0, 1))
        return wrong / max(length, 1)


def _drawn(seed: int, form: letters.Form, level: Level, turned: int) -> Case:
    sheet = layouts.lay_out(letters.make_letter(seed, form=form))
    page = degrading.degrade(sheets.to_image(sheet, dpi=130), level=level, seed=seed)
    if turned:
        page = page.transpose(Image.Transpose.ROTATE_180)
    buffer = io.BytesIO()
    page.convert("RGB").save(buffer, "PNG")
    return Case(
        name=f"{form.value}, {level.value}" + (f", turned by {turned}°" if turned else ""),
        content=buffer.getvalue(),
        filename="letter.png",
        truth=sheets.to_text(sheet),
    )
