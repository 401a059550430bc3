"""Read one page: find its lines, turn it upright, recognise the lines, order them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from absah_ocr import (
    angle,
    concurrency,
    crops,
    detection,
    geometry,
    layout,
    recognition,
    scale,
    typography,
)
from absah_ocr.geometry import Quads
from absah_ocr.recognition import Reading
from absah_sdk import CheckContext

Pixels = NDArray[np.uint8]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the page as it came."""

DETECTION = "ocr_detection"
ANGLE = "ocr_angle"
RECOGNITION = "ocr_recognition"

_BATCH = 4
_WAITING_BATCHES = 8
"""Batches of one page that wait at once, so that a long page does not fill the model's queue."""
_ANGLE_SAMPLES = 8
_COMPARED_LINES = 4
_DOUBTED = 0.3
"""From this mean probability of standing upside down on, both ways are read and compared."""
_WEAK = 0.8
"""Lines less sure than this are read again stretched, for they may be set in narrow type, and
turned, for a single line may stand on its head or run down the page and not up."""
_MOST_RETRIES = 8
_CLEARLY = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A piece of a row, as it was found and read."""

    text: str
    confidence: float
    box: Box


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """Text on one row of a page; its parts' texts, with spaces between, are its text."""

    text: str
    confidence: float
    box: Box
    parts: Sequence[Part] = ()
    """From left to right; none where the line was found in one piece."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PageReading:
    """Lines of a page in reading order.

    `quarter_turns` is how the page had to be turned, clockwise, to stand upright. `illegible`
    counts lines that were found but not read.
    """

    lines: Sequence[Line] = ()
    quarter_turns: int = 0
    illegible: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """A page, turned by `quarter_turns`, and where its lines are."""

    pixels: Pixels
    quads: Quads
    quarter_turns: int = 0


class PageReader:
    """Reads pages with the three models; one instance serves all requests."""

    def __init__(self, alphabet: Sequence[str], *, least_confidence: float) -> None:
        self._alphabet = alphabet
        self._least_confidence = least_confidence

    async def read(self, pixels: Pixels, context: CheckContext) -> PageReading:
        """Read a page, uint8 (height, width, 3), RGB; what goes wrong in `infer` passes through."""
        found = _Found(pixels=pixels, quads=await _detect(pixels, context))
        if len(found.quads):
            found = await self._upright(found, context)
        readings = await self._read_lines(found, context)
        return await asyncio.to_thread(self._assemble, found, readings, pixels.shape)

    async def _upright(self, found: _Found, context: CheckContext) -> _Found:
        pixels, quads, turns = found.pixels, found.quads, 0
        tall = geometry.is_tall(quads)
        if geometry.heights(quads)[tall].sum() > geometry.widths(quads)[~tall].sum():
            turns = 3
            pixels = await asyncio.to_thread(geometry.turn_page, pixels, turns)
            quads = await _detect(pixels, context)
        if len(quads) and await self._is_upside_down(pixels, quads, context):
            turns = (turns + 2) % 4
            quads = geometry.on_their_heads(quads, (pixels.shape[1], pixels.shape[0]))
            pixels = await asyncio.to_thread(geometry.turn_page, pixels, 2)
        return _Found(pixels=pixels, quads=quads, quarter_turns=turns)

    async def _is_upside_down(self, pixels: Pixels, quads: Quads, context: CheckContext) -> bool:
        longest = np.argsort(geometry.widths(quads))[::-1][:_ANGLE_SAMPLES]
        lines = await asyncio.to_thread(_straightened, pixels, quads[longest])
        outputs = await context.infer(ANGLE, {"pixels": angle.batch(lines)})
        if float(outputs["probability"][:, angle.UPSIDE_DOWN].mean()) < _DOUBTED:
            return False
        compared = lines[:_COMPARED_LINES]
        turned = [crops.turned(line) for line in compared]
        readings = await self._recognise([*compared, *turned], context)
        upright, upside_down = readings[: len(compared)], readings[len(compared) :]
        return _sureness(upside_down) > _sureness(upright) + _CLEARLY

    async def _read_lines(self, found: _Found, context: CheckContext) -> list[Reading]:
        lines = await asyncio.to_thread(_straightened, found.pixels, found.quads)
        readings = await self._recognise(lines, context)
        weak = [index for index, reading in enumerate(readings) if reading.confidence < _WEAK]
        weak = sorted(weak, key=lambda index: lines[index].shape[1], reverse=True)[:_MOST_RETRIES]
        for change in (crops.stretched, crops.turned):
            others = await self._recognise([change(lines[index]) for index in weak], context)
            for index, reading in zip(weak, others, strict=True):
                if reading.confidence > readings[index].confidence + _CLEARLY:
                    readings[index] = reading
        return readings

    async def _recognise(self, lines: Sequence[Pixels], context: CheckContext) -> list[Reading]:
        readings: dict[int, Reading] = {}
        waiting = asyncio.Semaphore(_WAITING_BATCHES)

        async def recognise(indices: Sequence[int], width: int) -> None:
            batch = recognition.batch([lines[index] for index in indices], width)
            async with waiting:
                outputs = await context.infer(RECOGNITION, {"pixels": batch})
            answers = zip(indices, outputs["label"], outputs["probability"], strict=True)
            for index, labels, probabilities in answers:
                readings[index] = recognition.decode(labels, probabilities, self._alphabet)

        await concurrency.all_of(recognise(*batch) for batch in _batches(lines))
        return [readings[index] for index in range(len(lines))]

    def _assemble(
        self, found: _Found, readings: Sequence[Reading], shape: tuple[int, ...]
    ) -> PageReading:
        legible = [
            index
            for index, reading in enumerate(readings)
            if reading.confidence >= self._least_confidence and reading.text.strip()
        ]
        quads = found.quads[legible]
        kept = [readings[index] for index in legible]
        texts = [typography.latin(reading.text) for reading in kept]
        placed = geometry.turn_back(quads, found.quarter_turns, (shape[1], shape[0]))
        return PageReading(
            lines=[
                _line([texts[i] for i in row], [kept[i] for i in row], placed[row])
                for row in layout.rows(quads, texts)
            ],
            quarter_turns=found.quarter_turns,
            illegible=sum(bool(reading.text.strip()) for reading in readings) - len(kept),
        )


async def _detect(pixels: Pixels, context: CheckContext) -> Quads:
    factor = await asyncio.to_thread(scale.first, pixels)
    quads = await _detect_at(pixels, factor, context)
    if not len(quads):
        return quads
    line_height = float(np.median(geometry.heights(geometry.laid_down(quads))))
    better = scale.second(pixels, factor, line_height)
    return quads if better is None else await _detect_at(pixels, better, context)


async def _detect_at(pixels: Pixels, factor: float, context: CheckContext) -> Quads:
    resized = await asyncio.to_thread(detection.resize, pixels, factor)
    outputs = await context.infer(DETECTION, {"pixels": resized[None]})
    page_size = (pixels.shape[1], pixels.shape[0])
    return await asyncio.to_thread(detection.lines, outputs["probability"][0], page_size)


def _straightened(pixels: Pixels, quads: Quads) -> list[Pixels]:
    return [crops.straighten(pixels, quad) for quad in geometry.laid_down(quads)]


def _batches(lines: Sequence[Pixels]) -> Iterator[tuple[list[int], int]]:
    """Indices of lines that share a width, and that width; wide ones first, to end together."""
    by_width: Mapping[int, list[int]] = defaultdict(list)
    for index, line in enumerate(lines):
        by_width[recognition.bucket(line.shape[1])].append(index)
    for width in sorted(by_width, reverse=True):
        indices = by_width[width]
        for start in range(0, len(indices), _BATCH):
            yield indices[start : start + _BATCH], width


def _sureness(readings: Sequence[Reading]) -> float:
    """Mean confidence over all characters."""
    confidences = [value for reading in readings for value in reading.confidences]
    return sum(confidences) / len(confidences) if confidences else 0.0


def _line(texts: Sequence[str], readings: Sequence[Reading], quads: Quads) -> Line:
    parts = [
        Part(text=text, confidence=_sureness([reading]), box=_box(quad))
        for text, reading, quad in zip(typography.abreast(texts), readings, quads, strict=True)
        if text
    ]
    return Line(
        text=" ".join(part.text for part in parts),
        confidence=_sureness(readings),
        box=_box(quads),
        parts=parts if len(parts) > 1 else (),
    )


def _box(quads: Quads) -> Box:
    left, top = quads.reshape(-1, 2).min(axis=0).tolist()
    right, bottom = quads.reshape(-1, 2).max(axis=0).tolist()
    return left, top, right, bottom
