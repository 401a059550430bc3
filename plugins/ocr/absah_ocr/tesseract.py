"""Read pages a second time with Tesseract, in a process of its own, to see where two agree.

Tesseract gets pixels as a PPM that is made here, never a client's file.
"""

from __future__ import annotations

import asyncio
import csv
import io
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from absah_ocr import agreement, geometry
from absah_ocr.reading import Box, Line, PageReading
from absah_sdk import AbsahError

LANGUAGE = "ind"
_PACKAGES = "install the Debian packages tesseract-ocr and tesseract-ocr-ind"
_AGREES = 0.9
_DISAGREES = 0.5
_LEAST_WORD_CONFIDENCE = 30.0


class SecondEngineFailed(AbsahError):
    """Tesseract did not answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A word that Tesseract read; `box` is in pixels of the page as it came."""

    text: str
    box: Box


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """Lines with confidences raised or lowered, and those on which the engines disagree."""

    lines: Sequence[Line]
    disputed: Sequence[Line]


class Tesseract:
    """The program `tesseract` with its Indonesian model."""

    def __init__(self) -> None:
        """Find the program; raises `AbsahError` saying what to install."""
        program = shutil.which("tesseract")
        if program is None:
            raise AbsahError(f"ocr: second_engine is tesseract, which is missing; {_PACKAGES}")
        command = [program, "--list-langs"]
        found = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
        if LANGUAGE not in found.stdout.split():
            raise AbsahError(f"ocr: tesseract has no model for {LANGUAGE!r}; {_PACKAGES}")
        self._program = program

    async def read(self, pixels: NDArray[np.uint8], quarter_turns: int) -> list[Word]:
        """Read a page after turning it clockwise; raises `SecondEngineFailed`."""
        upright = await asyncio.to_thread(geometry.turn_page, pixels, quarter_turns)
        output = await self._run(await asyncio.to_thread(_ppm, upright))
        height, width = pixels.shape[:2]
        return [
            Word(text=text, box=_box_before_turning(box, quarter_turns, (width, height)))
            for text, box in _words(output)
        ]

    async def _run(self, image: bytes) -> str:
        process = await asyncio.create_subprocess_exec(
            *(self._program, "stdin", "stdout", "-l", LANGUAGE, "--dpi", "200", "tsv"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )
        try:
            output, _ = await process.communicate(image)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise SecondEngineFailed(f"tesseract ended with status {process.returncode}")
        return output.decode("utf-8", "replace")


def compare(reading: PageReading, words: Sequence[Word]) -> Compared:
    """Raise the confidence of lines that both engines read alike, lower that of others."""
    boxes = agreement.boxes([word.box for word in words])
    lines, disputed = [], []
    for line in reading.lines:
        inside = sorted(agreement.mostly_inside(line.box, boxes), key=lambda i: words[i].box[0])
        likeness = agreement.similarity(line.text, " ".join(words[i].text for i in inside))
        if inside and likeness < _DISAGREES:
            disputed.append(line)
        lines.append(_reweighed(line, likeness) if inside else line)
    return Compared(lines=lines, disputed=disputed)


def _reweighed(line: Line, likeness: float) -> Line:
    """The line with the confidence, its own and its parts', that a second reading leaves it."""

    def weigh(confidence: float) -> float:
        if likeness >= _AGREES:
            return confidence + (1 - confidence) * likeness / 2
        return confidence * 0.8 if likeness < _DISAGREES else confidence

    return replace(
        line,
        confidence=weigh(line.confidence),
        parts=[replace(part, confidence=weigh(part.confidence)) for part in line.parts],
    )


def _ppm(pixels: NDArray[np.uint8]) -> bytes:
    height, width = pixels.shape[:2]
    return b"P6 %d %d 255\n" % (width, height) + np.ascontiguousarray(pixels).tobytes()


def _words(output: str) -> list[tuple[str, Box]]:
    words = []
    for row in csv.DictReader(io.StringIO(output), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["level"] == "5" and float(row["conf"]) >= _LEAST_WORD_CONFIDENCE and row["text"]:
            left, top, width, height = (
                float(row[name]) for name in ("left", "top", "width", "height")
            )
            words.append((row["text"], (left, top, left + width, top + height)))
    return words


def _box_before_turning(box: Box, quarter_turns: int, page_size: tuple[int, int]) -> Box:
    corners = np.array([[box[:2], box[2:]]], np.float32)
    (one, other) = geometry.turn_back(corners, quarter_turns, page_size)[0].tolist()
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[0], other[0]),
        max(one[1], other[1]),
    )
