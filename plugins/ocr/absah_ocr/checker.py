"""Read the text of pictures and PDF pages, in reading order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from absah_ocr import reading
from absah_ocr.reading import Line, PageReader, PageReading
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
    Severity,
)


class OcrSettings(Settings):
    """Settings of the checker."""

    least_confidence: float = 0.5
    """Lines read with less mean confidence are left out."""
    doubtful_confidence: float = 0.6
    """A document read with less than this, on average, is INCONCLUSIVE."""


class OcrChecker(Checker):
    """PP-OCRv6 through the model repository; pages and lines of many requests share batches."""

    name: ClassVar[str] = "ocr"
    version: ClassVar[str] = "1.0"
    title: ClassVar[str] = "Text of pictures and PDFs, in reading order"
    capabilities: ClassVar[Capabilities] = Capabilities(
        media_types=("image/*", "application/pdf"),
        reads=frozenset({Form.PAGES}),
        models=(reading.DETECTION, reading.ANGLE, reading.RECOGNITION),
        timeout_seconds=120.0,
        weight=8.0,
    )
    settings_type = OcrSettings

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        assert isinstance(settings, OcrSettings)
        self._options = settings

    def start(self, models: Mapping[str, Model]) -> None:
        self._reader = PageReader(
            models[reading.RECOGNITION].labels, least_confidence=self._options.least_confidence
        )

    async def check(self, document: Document, context: CheckContext) -> Result:
        pages = await asyncio.gather(
            *(self._reader.read(page.pixels, context) for page in document.pages)
        )
        lines = [
            _shown(line, page)
            for page, read in zip(document.pages, pages, strict=True)
            for line in read.lines
        ]
        score = _mean_confidence(pages)
        return Result(
            outcome=self._outcome(lines, score),
            score=score,
            findings=self._findings(lines, score, pages),
            facts={
                "text": "\n".join(line["text"] for line in lines),
                "lines": lines,
                "pages": len(pages),
            },
        )

    def _outcome(self, lines: Sequence[object], score: float) -> Outcome:
        doubtful = bool(lines) and score < self._options.doubtful_confidence
        return Outcome.INCONCLUSIVE if doubtful else Outcome.PASS

    def _findings(
        self, lines: Sequence[object], score: float, pages: Sequence[PageReading]
    ) -> list[Finding]:
        illegible = sum(page.illegible for page in pages)
        findings = []
        if not lines:
            findings.append(Finding(code="no_text", message="No text was found."))
        elif score < self._options.doubtful_confidence:
            findings.append(
                Finding(
                    code="low_confidence",
                    message="The text could only be read with doubt.",
                    severity=Severity.WARNING,
                    confidence=score,
                )
            )
        if illegible:
            findings.append(
                Finding(
                    code="illegible_lines",
                    message="Some lines could not be read.",
                    attributes={"lines": illegible},
                )
            )
        return findings


def _shown(line: Line, page: Page) -> dict[str, Any]:
    box = Box.from_pixels(*line.box, page_size=page.size)
    return {
        "text": line.text,
        "confidence": line.confidence,
        "page": page.number,
        "box": {"left": box.left, "top": box.top, "width": box.width, "height": box.height},
    }


def _mean_confidence(pages: Sequence[PageReading]) -> float:
    """Over all lines, weighted by their lengths; 0 where nothing was read."""
    lines = [line for page in pages for line in page.lines]
    characters = sum(len(line.text) for line in lines)
    return sum(line.confidence * len(line.text) for line in lines) / max(characters, 1)
