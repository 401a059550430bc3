"""Fonts that are there on any machine: one inside Pillow, one from a wheel, or files of the caller.

`SANS` is Aileron, which Pillow carries; it has no bold cut, so bold is drawn with a stroke.
`SERIF` is Caladea (Apache-2.0), from the wheel `font-caladea`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import font_caladea
from PIL import ImageFont


@dataclass(frozen=True, kw_only=True, slots=True)
class Typeface:
    """A family of two cuts; a path of None means the font inside Pillow."""

    name: str
    regular: str | None = None
    bold: str | None = None

    def at(self, size: float, *, bold: bool = False) -> ImageFont.FreeTypeFont:
        """The font at this size in pixels."""
        return _load(self.bold if bold and self.bold else self.regular, size)

    def stroke(self, size: float, *, bold: bool = False) -> float:
        """Width in pixels of the stroke that stands in for a bold cut."""
        return size / 45 if bold and self.bold is None else 0.0


SANS = Typeface(name="sans")
SERIF = Typeface(
    name="serif",
    regular=font_caladea.font_files["Caladea"],
    bold=font_caladea.font_files["CaladeaBold"],
)
TYPEFACES = (SANS, SERIF)


def typefaces_in(folder: Path) -> tuple[Typeface, ...]:
    """The typefaces of a folder of TrueType files, one for each file without "Bold" in its name."""
    regular = sorted(p for p in folder.glob("*.ttf") if "Bold" not in p.name)
    return tuple(
        Typeface(name=path.stem, regular=str(path), bold=_bold_beside(path)) for path in regular
    )


def _bold_beside(path: Path) -> str | None:
    stem = path.stem.removesuffix("-Regular")
    bold = path.with_name(f"{stem}-Bold.ttf")
    return str(bold) if bold.exists() else None


@functools.lru_cache(maxsize=256)
def _load(path: str | None, size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(path, size) if path else ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType")
    return font
