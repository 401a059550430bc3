"""Sheets of paper: text placed in points, drawn as pixels, as a PDF or as plain text."""

from __future__ import annotations

import ctypes
import io
from dataclasses import dataclass, field
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, ImageChops, ImageDraw

from absah_ops.specimens.fonts import SERIF, Typeface

A4 = (595.0, 842.0)
"""Width and height in points."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A piece of text whose baseline begins at (x, y), in points from the top left corner."""

    text: str
    x: float
    y: float
    size: float
    bold: bool = False
    underlined: bool = False


@dataclass(kw_only=True, slots=True)
class Sheet:
    """A page that is written from top to bottom; `y` is the baseline of the last line."""

    typeface: Typeface
    y: float = 40.0
    left: float = 70.0
    right: float = A4[0] - 57.0
    size: float = 11.0
    runs: list[Run] = field(default_factory=list)
    rules: list[tuple[float, float]] = field(default_factory=list)
    """Lines across the page: height and thickness."""
    stamps: list[tuple[float, float]] = field(default_factory=list)
    """Middles of round stamps; drawn with a signature beside them, not in PDFs or text."""

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """Length of a text in points."""
        return float(self.typeface.at(size * 4, bold=bold).getlength(text)) / 4

    def skip(self, lines: float = 1.0) -> None:
        """Go down by this many lines."""
        self.y += lines * self.size * 1.32

    def at(self, text: str, x: float, *, bold: bool = False, underlined: bool = False) -> None:
        """Write on the present line, from x on."""
        self._add(text, x, self.size, bold=bold, underlined=underlined)

    def centred(
        self,
        text: str,
        *,
        size: float | None = None,
        bold: bool = False,
        middle: float | None = None,
    ) -> None:
        """Write on the present line around a middle, by default the page's."""
        size = size or self.size
        middle = (self.left + self.right) / 2 if middle is None else middle
        self._add(text, middle - self.width(text, size, bold=bold) / 2, size, bold=bold)

    def wrapped(self, text: str, x: float, *, right: float | None = None) -> None:
        """Write a paragraph from x on, over as many lines as it takes; ends on its last line."""
        room = (right or self.right) - x
        line = ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if line and self.width(longer, self.size) > room:
                self.at(line, x)
                self.skip()
                longer = word
            line = longer
        self.at(line, x)

    def rule(self, thickness: float = 1.5) -> None:
        """Draw a line across the page just below the present line."""
        self.rules.append((self.y + 5, thickness))

    def _add(
        self, text: str, x: float, size: float, *, bold: bool = False, underlined: bool = False
    ) -> None:
        self.runs.append(Run(text=text, x=x, y=self.y, size=size, bold=bold, underlined=underlined))


def to_image(sheet: Sheet, *, dpi: int = 150) -> Image.Image:
    """Draw a sheet as an RGB image."""
    scale = dpi / 72
    image = Image.new("RGB", (round(A4[0] * scale), round(A4[1] * scale)), (252, 252, 250))
    draw = ImageDraw.Draw(image)
    for height, thickness in sheet.rules:
        y = height * scale
        draw.line(
            (sheet.left * scale, y, sheet.right * scale, y), "black", round(thickness * scale)
        )
    for run in sheet.runs:
        font = sheet.typeface.at(run.size * scale, bold=run.bold)
        stroke = sheet.typeface.stroke(run.size * scale, bold=run.bold)
        at = (run.x * scale, run.y * scale)
        draw.text(at, run.text, font=font, fill=(18, 18, 20), anchor="ls", stroke_width=stroke)
        if run.underlined:
            y = at[1] + run.size * scale * 0.14
            draw.line((at[0], y, at[0] + font.getlength(run.text), y), (18, 18, 20), 2)
    for stamp in sheet.stamps:
        _stamp(image, stamp, scale)
    return image


def _stamp(image: Image.Image, middle: tuple[float, float], scale: float) -> None:
    """Put a blue stamp and a signature over what is written, as ink would lie."""
    ink = Image.new("RGB", image.size, "white")
    draw = ImageDraw.Draw(ink)
    x, y = (part * scale for part in middle)
    for radius in (38, 35, 22):
        box = (x - radius * scale, y - radius * scale, x + radius * scale, y + radius * scale)
        draw.ellipse(box, outline=(96, 96, 205), width=round(scale))
    wave = [(x + (t * 4 - 10) * scale, y + _PEN[t % len(_PEN)] * scale) for t in range(26)]
    draw.line(wave, fill=(40, 44, 120), width=round(1.4 * scale), joint="curve")
    image.paste(ImageChops.multiply(image, ink))


_PEN = (0, -14, 6, -20, 9, -7, 3, -16, 11, -4)
"""Heights of a signature's strokes, in points."""


def to_text(sheet: Sheet) -> str:
    """The sheet as plain text: columns kept apart by spaces, gaps as up to three empty lines."""
    rows: dict[float, list[Run]] = {}
    for run in sheet.runs:
        rows.setdefault(run.y, []).append(run)
    lines: list[str] = []
    last = 0.0
    for y, runs in sorted(rows.items()):
        blank = (y - last) / (sheet.size * 1.32) - 1 if lines else 0
        lines.extend([""] * min(int(blank + 0.3), 3))
        last = y
        line = ""
        for run in sorted(runs, key=lambda r: r.x):
            column = round((run.x - sheet.left) / 5.6)
            line = f"{line}{' ' * max(column - len(line), 1 if line else 0)}{run.text}"
        lines.append(line.rstrip())
    return "\n".join(lines) + "\n"


def to_pdf(sheet: Sheet) -> bytes:
    """The sheet as a PDF whose text can be selected, in the typeface's files or the serif's."""
    face = sheet.typeface if sheet.typeface.regular else SERIF
    document = pypdfium2.PdfDocument.new()
    page = document.new_page(*A4)
    fonts = {bold: _load_font(document, face, bold=bold) for bold in (False, True)}
    for run in sheet.runs:
        text = pdfium.FPDFPageObj_CreateTextObj(document, fonts[run.bold], run.size)
        pdfium.FPDFText_SetText(text, _wide(run.text))
        pdfium.FPDFPageObj_Transform(text, 1, 0, 0, 1, run.x, A4[1] - run.y)
        pdfium.FPDFPage_InsertObject(page, text)
    pdfium.FPDFPage_GenerateContent(page)
    stored = io.BytesIO()
    document.save(stored)
    document.close()
    return stored.getvalue()


def image_to_pdf(image: Image.Image, *, dpi: int = 150) -> bytes:
    """A scan as a PDF of one page, which holds no text."""
    stored = io.BytesIO()
    image.save(stored, "PDF", resolution=dpi)
    return stored.getvalue()


def _load_font(document: pypdfium2.PdfDocument, face: Typeface, *, bold: bool) -> pdfium.FPDF_FONT:
    path = face.bold if bold and face.bold else face.regular
    content = Path(path or "").read_bytes()
    buffer = (ctypes.c_uint8 * len(content)).from_buffer_copy(content)
    return pdfium.FPDFText_LoadFont(document, buffer, len(content), pdfium.FPDF_FONT_TRUETYPE, 1)


def _wide(text: str) -> ctypes.Array[ctypes.c_ushort]:
    units = (text + "\0").encode("utf-16-le")
    return (ctypes.c_ushort * (len(units) // 2)).from_buffer_copy(units)
