"""A document as a checker sees it: its bytes, its pages of pixels, its text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class TextRun:
    """A run of text that a PDF page carries, with its box in pixels of the rendered page."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One decoded page: an image, or a PDF page rendered at `dpi`.

    `pixels` is uint8, (height, width, 3), RGB, read-only, turned upright as the EXIF orientation
    says. `orientation` is that EXIF value (1 to 8), 1 where the stored pixels were upright.
    """

    number: int
    pixels: NDArray[np.uint8]
    orientation: int = 1
    dpi: float | None = None
    text_runs: Sequence[TextRun] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One thing to check. `pages` and `text` are there if the checker's `reads` asks for them.

    `name` is unique in its validation ("photo-2"), `role` is what the policy calls it ("photo").
    `media_type` was found by looking at the bytes; what the client said is not trusted.
    `digest` is the SHA-256 of `content` in lower-case hexadecimal.
    `frames` counts what the file holds (animation frames or PDF pages), of which `pages` may hold
    fewer.
    """

    name: str
    role: str
    media_type: str
    content: bytes
    digest: str
    filename: str = ""
    pages: Sequence[Page] = ()
    frames: int = 1
    text: str | None = None
