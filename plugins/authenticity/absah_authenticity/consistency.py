"""Check what EXIF says against itself, the clock and the picture.

Each rule allows for what honest cameras and messengers do: clocks in another time zone, a stale
position, a thumbnail with bars. EXIF is easily forged, so nothing here is more than a hint.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from absah_authenticity import exif, orientation, thumbnails
from absah_authenticity.exif import Exif
from absah_sdk import Finding, Region, Severity

IN_FUTURE = "exif_date_in_future"
CLOCK_TOLERANCE = timedelta(hours=26)
"""Two clocks of the same moment may differ by the width of all time zones."""
MIN_THUMBNAIL_CORRELATION = 0.75
"""Honest thumbnails reach 0.94 and more; of unrelated pairs 99 % stay under 0.73."""
SAME_SHAPE_TOLERANCE = 0.02

EDITORS = (
    "affinity", "beautyplus", "canva", "corel", "facetune", "faceapp", "fireworks", "fotor", "gimp",
    "krita", "lensa", "meitu", "paint.net", "paintshop", "photodirector", "photopea", "photoroom",
    "photoscape", "photoshop", "picsart", "pixelmator", "pixlr", "polarr", "remini", "snapseed",
    "stable diffusion", "midjourney", "dall-e", "firefly", "yourcam",
)  # fmt: skip
"""Programs made to change what a picture shows, lower case."""
PROCESSORS = (
    "acdsee", "aperture", "capture one", "darktable", "digital photo professional", "faststone",
    "imagemagick", "instagram", "irfanview", "lightroom", "photo gallery", "photos", "picasa",
    "pillow", "rawtherapee", "windows photo", "xnview",
)  # fmt: skip
"""Programs that develop, turn, shrink or show pictures."""


def findings(
    tags: Exif,
    *,
    now: datetime,
    stored_size: tuple[int, int],
    thumbnail: thumbnails.Comparison | None,
    turned: int = 1,
) -> Iterator[Finding]:
    """What does not fit.

    `stored_size` is the file's own (width, height), `turned` its EXIF orientation, `now` in UTC.
    """
    yield from _software(tags)
    yield from _dates(tags, now)
    yield from _size(tags, stored_size)
    if thumbnail is not None:
        yield from _thumbnail(thumbnail, turned)


def facts(tags: Exif) -> dict[str, Any]:
    """The facts of the check; a key is absent where the tags do not tell it."""
    found: dict[str, Any] = {}
    if tags.captured is not None:
        zone = exif.zone(tags.captured_offset)
        found["capture_time"] = tags.captured.replace(tzinfo=zone).isoformat()
    if tags.latitude is not None and tags.longitude is not None:
        found["gps"] = {"latitude": tags.latitude, "longitude": tags.longitude}
    if tags.make or tags.model:
        found["camera"] = {"make": tags.make, "model": tags.model}
    if tags.software:
        found["software"] = list(tags.software)
    return found


def _software(tags: Exif) -> Iterator[Finding]:
    editors = [name for name in tags.software if _names(name, EDITORS)]
    processors = [
        name for name in tags.software if name not in editors and _names(name, PROCESSORS)
    ]
    if editors:
        yield Finding(
            code="exif_editor",
            severity=Severity.WARNING,
            message="The metadata name a program made to change pictures.",
            attributes={"software": editors},
        )
    if processors:
        yield Finding(
            code="exif_processed",
            message="The metadata name a program that develops or resizes pictures.",
            attributes={"software": processors},
        )


def _names(software: str, programs: tuple[str, ...]) -> bool:
    return any(re.search(rf"\b{re.escape(name)}", software.lower()) for name in programs)


def _dates(tags: Exif, now: datetime) -> Iterator[Finding]:
    captured = tags.captured
    if captured is None:
        return
    if captured > now.astimezone(UTC).replace(tzinfo=None) + CLOCK_TOLERANCE:
        yield _date_finding(IN_FUTURE, "The capture time lies in the future.", captured)
    if tags.modified is not None and captured > tags.modified + CLOCK_TOLERANCE:
        yield _date_finding(
            "exif_date_order",
            "The picture was changed before it was taken, says its metadata.",
            captured,
            modified=tags.modified.isoformat(),
        )
    if tags.gps_time is not None and abs(captured - tags.gps_time) > CLOCK_TOLERANCE:
        yield _date_finding(
            "exif_gps_date",
            "The satellite date is another than the capture date.",
            captured,
            gps=tags.gps_time.isoformat(),
        )


def _date_finding(code: str, message: str, captured: datetime, **attributes: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.WARNING,
        message=message,
        attributes={"captured": captured.isoformat(), **attributes},
    )


def _size(tags: Exif, stored_size: tuple[int, int]) -> Iterator[Finding]:
    if tags.size is None or sorted(tags.size) == sorted(stored_size):
        return
    shape, noted = (max(size) / min(size) for size in (stored_size, tags.size))
    resized = abs(shape / noted - 1) < SAME_SHAPE_TOLERANCE
    yield Finding(
        code="exif_size_resized" if resized else "exif_size_cropped",
        severity=Severity.INFO if resized else Severity.WARNING,
        message="The picture was resized after the camera wrote its size."
        if resized
        else "The picture has another shape than the camera wrote: it was cropped or extended.",
        attributes={"noted": list(tags.size), "actual": list(stored_size)},
    )


def _thumbnail(comparison: thumbnails.Comparison, turned: int) -> Iterator[Finding]:
    if comparison.correlation is None:
        return
    differs = comparison.correlation < MIN_THUMBNAIL_CORRELATION
    place = comparison.changed and orientation.to_upright(comparison.changed, turned)
    if differs or place is not None:
        yield Finding(
            code="exif_thumbnail_differs",
            severity=Severity.WARNING,
            message="The embedded thumbnail shows another picture."
            if differs
            else "The embedded thumbnail shows something else in one place.",
            region=Region(box=place) if place else None,
            attributes={"correlation": comparison.correlation},
        )
