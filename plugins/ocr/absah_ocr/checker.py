"""The checker `ocr`: reads the text on images and PDF pages."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import pydantic

from absah_ocr import concurrency, findings, reading, tesseract, text_layer
from absah_ocr.reading import Line, PageReader, PageReading, Part
from absah_ocr.tesseract import SecondEngineFailed, Tesseract
from absah_sdk import (
    Box,
    Capabilities,
    CheckContext,
    Checker,
    Document,
    Finding,
    Form,
    Model,
    Outcome,
    Page,
    Result,
    Settings,
)

_PAGES_AT_ONCE = 2
_MOST_DISPUTED = 20
_MANY_ILLEGIBLE = 3
"""So many lines that cannot be read, and no fewer than those that can, make reading doubtful; a
photo may well have one or two patches that look like text."""
_RESERVE = 1.5
"""A page is begun only while this many times the longest page's time is left."""


class SecondEngine(enum.StrEnum):
    """What else reads each page."""

    NONE = "none"
    TESSERACT = "tesseract"


class OcrSettings(Settings):
    """Settings of the checker `ocr`."""

    second_engine: SecondEngine = SecondEngine.NONE
    """Read every page with Tesseract too and weigh confidences by where the two agree."""
    least_line_confidence: float = pydantic.Field(default=0.5, ge=0, le=1)
    """Lines read with less are left out."""
    least_confidence: float = pydantic.Field(default=0.7, ge=0, le=1)
    """A document read with less, on the whole, is INCONCLUSIVE."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _ReadPage:
    """What was read on a page and what there is to tell about it."""

    page: Page
    lines: Sequence[Line]
    illegible: int
    findings: Sequence[Finding]


class OcrChecker(Checker):
    """Reads text with PP-OCRv6; see the plugin's README for its findings and facts."""

    name: ClassVar[str] = "ocr"
    version: ClassVar[str] = "1.0.0"
    title: ClassVar[str] = "Text on images and PDF pages"
    capabilities: ClassVar[Capabilities] = Capabilities(
        media_types=("image/*", "application/pdf"),
        reads=frozenset({Form.PAGES}),
        models=(reading.DETECTION, reading.ANGLE, reading.RECOGNITION),
        timeout_seconds=90.0,
        weight=10.0,
    )
    settings_type: ClassVar[type[Settings]] = OcrSettings

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._settings = cast(OcrSettings, settings)
        self._reader: PageReader | None = None
        self._tesseract: Tesseract | None = None

    def start(self, models: Mapping[str, Model]) -> None:
        """Take the recogniser's alphabet; raises `AbsahError` where Tesseract is missing."""
        self._reader = PageReader(
            models[reading.RECOGNITION].labels,
            least_confidence=self._settings.least_line_confidence,
        )
        if self._settings.second_engine is SecondEngine.TESSERACT:
            self._tesseract = Tesseract()

    async def check(self, document: Document, context: CheckContext) -> Result:
        """Read all pages, or as many as there is time for."""
        places = asyncio.Semaphore(_PAGES_AT_ONCE)
        longest = 0.0

        async def read(page: Page) -> _ReadPage | None:
            nonlocal longest
            async with places:
                if context.remaining_seconds() < _RESERVE * longest:
                    return None
                start = time.monotonic()
                result = await self._read(page, context)
                longest = max(longest, time.monotonic() - start)
                return result

        results = await concurrency.all_of(read(page) for page in document.pages)
        pages = [result for result in results if result is not None]
        return self._result(pages, count=len(results))

    async def _read(self, page: Page, context: CheckContext) -> _ReadPage:
        if self._reader is None:
            raise RuntimeError("the checker was not started")
        found = await self._reader.read(page.pixels, context)
        noted = []
        if found.quarter_turns and found.lines:
            noted.append(findings.page_turned(page, found.quarter_turns))
        if self._tesseract is not None:
            found, more = await _read_again(self._tesseract, page, found)
            noted += more
        lines = found.lines
        if page.text_runs:
            reconciled = await asyncio.to_thread(text_layer.reconcile, lines, page.text_runs)
            lines = reconciled.lines
            if reconciled.disagrees:
                noted.append(findings.text_layer_disagrees(page, reconciled))
        return _ReadPage(page=page, lines=lines, illegible=found.illegible, findings=noted)

    def _result(self, pages: Sequence[_ReadPage], *, count: int) -> Result:
        noted = [finding for page in pages for finding in page.findings]
        lines = [line for page in pages for line in page.lines]
        illegible = sum(page.illegible for page in pages)
        score = _confidence(lines)
        doubtful = score is not None and score < self._settings.least_confidence
        outcome = Outcome.PASS
        if len(pages) < count:
            noted.append(findings.pages_unread(len(pages), count))
            outcome = Outcome.INCONCLUSIVE
        if doubtful or illegible >= max(_MANY_ILLEGIBLE, len(lines)):
            noted.append(findings.low_confidence(score, illegible))
            outcome = Outcome.INCONCLUSIVE
        elif not lines and outcome is Outcome.PASS:
            noted.append(findings.no_text())
        return Result(
            outcome=outcome,
            score=score,
            findings=noted,
            facts=_facts(pages),
            repeatable=len(pages) == count and not any(map(findings.is_by_chance, noted)),
        )


async def _read_again(
    engine: Tesseract, page: Page, found: PageReading
) -> tuple[PageReading, list[Finding]]:
    try:
        words = await engine.read(page.pixels, found.quarter_turns)
    except SecondEngineFailed:
        return found, [findings.second_engine_failed(page)]
    compared = tesseract.compare(found, words)
    disputed = compared.disputed[:_MOST_DISPUTED]
    noted = [findings.engines_disagree(page, line) for line in disputed]
    return dataclasses.replace(found, lines=compared.lines), noted


def _confidence(lines: Sequence[Line]) -> float | None:
    """Mean confidence of lines, long ones counting for more; None where there are none."""
    if not lines:
        return None
    characters = sum(len(line.text) for line in lines)
    return sum(line.confidence * len(line.text) for line in lines) / characters


def _facts(pages: Sequence[_ReadPage]) -> dict[str, Any]:
    return {
        "text": "\n".join(line.text for page in pages for line in page.lines),
        "lines": [_line_fact(page.page, line) for page in pages for line in page.lines],
        "pages": len(pages),
    }


def _line_fact(page: Page, line: Line) -> dict[str, Any]:
    parts = [_piece_fact(page, part) for part in line.parts or (line,)]
    return {**_piece_fact(page, line), "page": page.number, "parts": parts}


def _piece_fact(page: Page, piece: Line | Part) -> dict[str, Any]:
    box = Box.from_pixels(*piece.box, page_size=page.size)
    return {
        "text": piece.text,
        "confidence": round(piece.confidence, 4),
        "box": {name: round(value, 5) for name, value in dataclasses.asdict(box).items()},
    }
