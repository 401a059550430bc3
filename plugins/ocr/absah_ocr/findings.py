"""The findings of the checker `ocr`; the plugin's README lists their codes."""

from __future__ import annotations

from absah_ocr import reading
from absah_ocr.text_layer import Reconciled
from absah_sdk import Box, Finding, Page, Region, Severity

SECOND_ENGINE_FAILED = "second_engine_failed"


def no_text() -> Finding:
    """No page holds a line of text."""
    return Finding(code="no_text", message="No text was found.")


def low_confidence(confidence: float | None, illegible: int) -> Finding:
    """What was read is doubtful on the whole."""
    return Finding(
        code="low_confidence",
        message="Text is there but was read with little confidence.",
        severity=Severity.WARNING,
        confidence=confidence,
        attributes={"illegible_lines": illegible},
    )


def pages_unread(read: int, count: int) -> Finding:
    """Time ran out before the last page."""
    return Finding(
        code="pages_unread",
        message=f"Only {read} of {count} pages were read in the time there was.",
        severity=Severity.WARNING,
        attributes={"read": read, "pages": count},
    )


def page_turned(page: Page, quarter_turns: int) -> Finding:
    """A page lay on its side or stood on its head."""
    return Finding(
        code="page_turned",
        message=f"Page {page.number} was turned by {90 * quarter_turns} degrees to be read.",
        region=_whole(page),
        attributes={"degrees_clockwise": 90 * quarter_turns},
    )


def text_layer_disagrees(page: Page, reconciled: Reconciled) -> Finding:
    """A PDF page's own text says something else than the page shows."""
    places = reconciled.contradicted
    return Finding(
        code="text_layer_disagrees",
        message=f"The text layer of page {page.number} is not what the page shows.",
        severity=Severity.WARNING,
        region=_place(page, places[0]) if places else _whole(page),
        attributes={
            "agreeing_share": round(reconciled.agreeing_share, 3),
            "hidden_characters": reconciled.hidden_characters,
            "contradicted_lines": len(places),
        },
    )


def engines_disagree(page: Page, line: reading.Line) -> Finding:
    """Tesseract read a line otherwise."""
    return Finding(
        code="engines_disagree",
        message="The second engine read this line otherwise.",
        confidence=line.confidence,
        region=_place(page, line.box),
    )


def is_by_chance(finding: Finding) -> bool:
    """Whether the page may come out otherwise another time."""
    return finding.code == SECOND_ENGINE_FAILED


def second_engine_failed(page: Page) -> Finding:
    """Tesseract did not answer for a page."""
    return Finding(
        code=SECOND_ENGINE_FAILED,
        message=f"Page {page.number} was not read by the second engine.",
        severity=Severity.WARNING,
        region=_whole(page),
    )


def _place(page: Page, box: reading.Box) -> Region:
    return Region(page=page.number, box=Box.from_pixels(*box, page_size=page.size))


def _whole(page: Page) -> Region:
    return Region(page=page.number, box=Box(left=0.0, top=0.0, width=1.0, height=1.0))
