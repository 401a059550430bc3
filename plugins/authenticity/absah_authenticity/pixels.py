"""Examine the decoded pixels of one page: everything but the network, in one go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from absah_authenticity import copymove, jpeg, judgeable, orientation, thumbnails, traces
from absah_authenticity.copymove import Copy
from absah_authenticity.reading import FileSignals
from absah_authenticity.settings import AuthenticitySettings
from absah_sdk import Box, Finding, Page, Region, Severity

MIN_PROVEN_CORRELATION = 0.985
MAX_REPORTED_COPIES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class PixelSignals:
    """What the pixels tell, all in the stored orientation."""

    stored_size: tuple[int, int]
    analysed_size: tuple[int, int]
    traces: NDArray[np.float32] | None
    """Planes for the network; None where the picture is too small for it."""
    flat_share: float
    copies: list[Copy]
    double_compression: float | None
    thumbnail: thumbnails.Comparison | None


def examine(page: Page, file: FileSignals, settings: AuthenticitySettings) -> PixelSignals:
    """Measure one page; takes most of a second for a large photo, so run it in a thread."""
    stored = np.ascontiguousarray(orientation.to_stored(page.pixels, page.orientation))
    analysed = traces.bounded(
        stored,
        max_native_pixels=settings.max_native_pixels,
        shrunk_pixels=settings.shrunk_pixels,
    )
    size = (analysed.shape[1], analysed.shape[0])
    return PixelSignals(
        stored_size=(stored.shape[1], stored.shape[0]),
        analysed_size=size,
        traces=traces.measure(analysed) if min(size) >= traces.MIN_PIXELS else None,
        flat_share=judgeable.flat_share(stored),
        copies=copymove.find(stored)[:MAX_REPORTED_COPIES],
        double_compression=jpeg.double_compression(stored, file.structure.table)
        if file.structure
        else None,
        thumbnail=thumbnails.compare(file.thumbnail, stored)
        if file.thumbnail is not None
        else None,
    )


def copy_findings(
    signals: PixelSignals, turned: int, settings: AuthenticitySettings
) -> Iterator[Finding]:
    """Two findings a copy, one for each place; `turned` is the EXIF orientation."""
    for copy in signals.copies:
        proven = (
            copy.area_share >= settings.reject_copy_share
            and copy.correlation >= MIN_PROVEN_CORRELATION
            and signals.flat_share <= settings.max_flat_share
        )
        for place, twin in ((copy.one, copy.other), (copy.other, copy.one)):
            yield _copy_finding(copy, place, twin, turned, proven=proven)


def _copy_finding(copy: Copy, place: Box, twin: Box, turned: int, *, proven: bool) -> Finding:
    other = orientation.to_upright(twin, turned)
    return Finding(
        code="copy_move" if proven else "copy_move_possible",
        severity=Severity.CRITICAL if proven else Severity.WARNING,
        message="This part of the picture appears a second time, pixel for pixel.",
        confidence=round(copy.correlation, 3),
        region=Region(box=orientation.to_upright(place, turned)),
        attributes={
            "area_share": copy.area_share,
            "twin": {side: getattr(other, side) for side in ("left", "top", "width", "height")},
        },
    )
