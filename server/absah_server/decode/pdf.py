"""Render the pages of a PDF and read its text layer through PDFium; runs in the sandbox alone."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from absah_sdk import DocumentUnreadable
from absah_server.decode import codec
from absah_server.decode.limits import DecodeLimits

_POINTS_PER_INCH = 72.0
_MIN_DPI = 36.0
_MAX_RUNS = 40_000
"""Of a document; a page of the densest print has a few hundred lines."""
_GAP_IN_HEIGHTS = 1.5
"""Characters further apart than this many of their heights belong to different columns."""


def decode(source: BinaryIO, limits: DecodeLimits, out: BinaryIO) -> Any:
    """Render a PDF from a file, writing pixels to `out`; return its pages and their count.

    Raises `DocumentUnreadable`.
    """
    try:
        document = pdfium.PdfDocument(source.read())
    except pdfium.PdfiumError as exc:
        raise DocumentUnreadable(_why(pdfium_c.FPDF_GetLastError())) from exc
    count = len(document)
    if count < 1:
        raise DocumentUnreadable("The PDF has no pages.")
    if count > limits.max_pages:
        raise DocumentUnreadable(
            f"The PDF has {count} pages; at most {limits.max_pages} are accepted "
            "(setting decode.max_pages); send it in parts."
        )
    if document.get_formtype() != pdfium_c.FORMTYPE_NONE:
        document.init_forms()  # what was typed into a form belongs to what a person sees
    dpi = _resolution([_page_size(document, index) for index in range(count)], limits)
    budget = _TextBudget(limits)
    pages = [_page(document, index, dpi, out, budget) for index in range(count)]
    return {"frames": count, "pages": pages}


class _TextBudget:
    """What of a text layer may still be read; raises `DocumentUnreadable` where it is spent."""

    def __init__(self, limits: DecodeLimits) -> None:
        self._limits = limits
        self._bytes = limits.max_text_bytes
        self._runs = _MAX_RUNS

    def spend(self, text: str) -> None:
        """Take a run of text from what is left."""
        self._bytes -= len(text.encode("utf-8", "replace"))
        self._runs -= 1
        if self._bytes < 0 or self._runs < 0:
            raise DocumentUnreadable(
                f"The PDF carries more text than {self._limits.max_text_bytes} bytes "
                f"(setting decode.max_text_bytes) or more than {_MAX_RUNS} pieces of it."
            )


def _page_size(document: pdfium.PdfDocument, index: int) -> tuple[float, float]:
    """Return width and height of a page in points."""
    try:
        width, height = document.get_page_size(index)
    except pdfium.PdfiumError as exc:
        raise _damaged(index) from exc
    return width, height


def _resolution(sizes: list[tuple[float, float]], limits: DecodeLimits) -> float:
    """Choose the highest resolution at which all pages keep within the limits."""
    if not all(math.isfinite(side) and side > 0 for size in sizes for side in size):
        raise DocumentUnreadable("A page of the PDF has no size.")
    square_inches = sum(width * height for width, height in sizes) / _POINTS_PER_INCH**2
    longest_inches = max(max(size) for size in sizes) / _POINTS_PER_INCH
    # Sides are rounded up to whole pixels, hence a margin.
    dpi = min(
        limits.render_dpi,
        math.sqrt(limits.max_pixels / square_inches) * 0.995,
        (limits.max_side - 1) / longest_inches,
    )
    if dpi < _MIN_DPI:
        raise DocumentUnreadable(
            f"The PDF's pages measure {square_inches:.0f} square inches, too many to be rendered "
            f"legibly within {limits.max_pixels / 1e6:.4g} megapixels (setting decode.max_pixels)."
        )
    return dpi


def _page(
    document: pdfium.PdfDocument, index: int, dpi: float, out: BinaryIO, budget: _TextBudget
) -> dict[str, Any]:
    try:
        page = document[index]
    except pdfium.PdfiumError as exc:
        raise _damaged(index) from exc
    bitmap = page.render(scale=dpi / _POINTS_PER_INCH, rev_byteorder=True)
    pixels = np.ascontiguousarray(bitmap.to_numpy())
    height, width = pixels.shape[:2]
    stored = codec.store_array(pixels, out)
    bitmap.close()
    runs = []
    for run in _runs(page, width, height):
        budget.spend(run[0])
        runs.append(run)
    page.close()
    return {"pixels": stored, "orientation": 1, "dpi": dpi, "runs": runs}


def _runs(page: pdfium.PdfPage, width: int, height: int) -> Iterator[tuple[Any, ...]]:
    """Group the characters of the text layer to runs: (text, left, top, right, bottom)."""
    textpage = page.get_textpage()
    text = ""
    box: _Box | None = None
    for index in range(textpage.count_chars()):
        character = chr(pdfium_c.FPDFText_GetUnicode(textpage, index))
        if character in "\r\n":
            yield from _run(text, box)
            text, box = "", None
            continue
        if character.isspace() or not character.isprintable():
            text += " " if text else ""
            continue
        at = _device_box(page, textpage, index, width, height)
        if box and at and _is_apart(box, at):
            yield from _run(text, box)
            text, box = "", None
        text += character
        box = _union(box, at)
    yield from _run(text, box)
    textpage.close()


_Box = tuple[float, float, float, float]


def _run(text: str, box: _Box | None) -> Iterator[tuple[Any, ...]]:
    if box and (text := text.strip()):
        yield (text, *box)


def _is_apart(box: _Box, at: _Box) -> bool:
    """Whether a character stands apart from a run along the line of writing, upright or turned."""
    height = max(box[3] - box[1], at[3] - at[1], 1.0)
    if at[0] - box[2] > height * _GAP_IN_HEIGHTS and box[2] - box[0] >= box[3] - box[1]:
        return True
    return box[0] - at[2] > height * _GAP_IN_HEIGHTS


def _union(box: _Box | None, at: _Box | None) -> _Box | None:
    if box is None or at is None:
        return box or at
    return min(box[0], at[0]), min(box[1], at[1]), max(box[2], at[2]), max(box[3], at[3])


def _device_box(
    page: pdfium.PdfPage, textpage: pdfium.PdfTextPage, index: int, width: int, height: int
) -> _Box | None:
    """Find a character's box in rendered pixels; PDFium minds rotation and crop."""
    left, bottom, right, top = textpage.get_charbox(index)
    x0, y0 = _to_device(page, left, top, width, height)
    x1, y1 = _to_device(page, right, bottom, width, height)
    box = (
        float(max(min(x0, x1), 0)),
        float(max(min(y0, y1), 0)),
        float(min(max(x0, x1), width)),
        float(min(max(y0, y1), height)),
    )
    return box if box[0] < box[2] and box[1] < box[3] else None


def _to_device(
    page: pdfium.PdfPage, x: float, y: float, width: int, height: int
) -> tuple[int, int]:
    device_x, device_y = ctypes.c_int(), ctypes.c_int()
    pdfium_c.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, device_x, device_y)
    return device_x.value, device_y.value


def _damaged(index: int) -> DocumentUnreadable:
    return DocumentUnreadable(f"Page {index + 1} of the PDF is damaged.")


def _why(error: int) -> str:
    match error:
        case pdfium_c.FPDF_ERR_PASSWORD:
            return "The PDF is locked with a password; send it without one."
        case pdfium_c.FPDF_ERR_SECURITY:
            return "The PDF is encrypted in a way that cannot be read; send it without encryption."
    return "The PDF is damaged and cannot be opened."
