"""Decoded pages in memory shared with the process that decoded them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from absah_sdk import Page, TextRun
from absah_server.decode.codec import Malformed
from absah_server.decode.limits import DecodeLimits


class MappedPages:
    """Pages whose pixels lie in a mapped file that has no name and can no longer change.

    Each array keeps the mapping alive through its base. `release` lets go of the pages that this
    object holds; the memory goes back when the last array that someone still holds is gone, so a
    late reader meets no fault.
    """

    def __init__(self, pages: Sequence[Page], frames: int) -> None:
        self._pages = tuple(pages)
        self._frames = frames

    @property
    def pages(self) -> Sequence[Page]:
        """The pages in order; empty once released."""
        return self._pages

    @property
    def frames(self) -> int:
        """How many frames or pages the file holds."""
        return self._frames

    def release(self) -> None:
        """Let go of the pages."""
        self._pages = ()


def from_value(value: Any, limits: DecodeLimits) -> MappedPages:
    """Make pages from what a worker answered, trusting nothing; raises `Malformed`."""
    match value:
        case {"frames": int(frames), "pages": [_, *_] as pages} if len(pages) <= limits.max_pages:
            made = [_page(number, page) for number, page in enumerate(pages, start=1)]
            if _fit(made, frames, limits):
                return MappedPages(made, frames)
    raise Malformed("not pages within the limits")


def _fit(pages: Sequence[Page], frames: int, limits: DecodeLimits) -> bool:
    sizes = [page.size for page in pages]
    return (
        len(pages) <= frames <= max(limits.max_frames, limits.max_pages)
        and sum(width * height for width, height in sizes) <= limits.max_pixels
        and max(max(size) for size in sizes) <= limits.max_side
    )


def _page(number: int, value: Any) -> Page:
    match value:
        case {
            "pixels": np.ndarray(dtype=np.uint8, ndim=3, shape=(_, _, 3)) as pixels,
            "orientation": int(orientation),
            "dpi": None | float() as dpi,
            "runs": list(runs),
        } if pixels.size and 1 <= orientation <= 8 and (dpi is None or math.isfinite(dpi)):
            return Page(
                number=number,
                pixels=pixels,
                orientation=orientation,
                dpi=dpi,
                text_runs=tuple(_run(run) for run in runs),
            )
    raise Malformed("not a page")


def _run(value: Any) -> TextRun:
    match value:
        case [str(text), *edges] if _are_edges(edges):
            left, top, right, bottom = edges
            return TextRun(text=text, left=left, top=top, right=right, bottom=bottom)
    raise Malformed("not a run of text")


def _are_edges(edges: Sequence[Any]) -> bool:
    return len(edges) == 4 and all(type(x) is float and math.isfinite(x) for x in edges)
