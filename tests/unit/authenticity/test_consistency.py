"""EXIF is checked against itself, the clock and the picture."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from absah_authenticity import consistency
from absah_authenticity.exif import Exif
from absah_authenticity.thumbnails import Comparison
from absah_sdk import Box, Finding, Severity

NOW = datetime(2025, 3, 20, 12, 0, tzinfo=UTC)
HONEST = Exif(
    make="Merapi",
    model="M-7",
    software=("Merapi Camera 2.1",),
    captured=datetime(2025, 3, 14, 8, 30),
    modified=datetime(2025, 3, 14, 8, 30),
    gps_time=datetime(2025, 3, 14, 1, 30),
    size=(4000, 3000),
)


def examine(
    tags: Exif,
    *,
    size: tuple[int, int] = (4000, 3000),
    turned: int = 1,
    thumbnail: Comparison | None = None,
) -> list[Finding]:
    return list(
        consistency.findings(tags, now=NOW, stored_size=size, thumbnail=thumbnail, turned=turned)
    )


def codes(tags: Exif, **options: object) -> list[str]:
    return [finding.code for finding in examine(tags, **options)]


def test_an_honest_photo_raises_nothing() -> None:
    assert codes(HONEST, thumbnail=Comparison(correlation=0.97)) == []


def test_a_photo_without_tags_raises_nothing() -> None:
    assert codes(Exif(), size=(1600, 1200)) == []


@pytest.mark.parametrize(
    "software",
    ["Adobe Photoshop 25.0 (Windows)", "GIMP 2.10.34", "PicsArt", "Snapseed 2.0", "paint.net 5.0"],
)
def test_programs_made_to_change_pictures_are_named(software: str) -> None:
    (finding,) = examine(replace(HONEST, software=("Merapi", software)))
    assert (finding.code, finding.severity) == ("exif_editor", Severity.WARNING)
    assert finding.attributes["software"] == [software]


@pytest.mark.parametrize(
    "software",
    ["Timestamp Camera 1.9", "HDR+ 1.0.5", "17.4.1", "MIUI Camera", "Open Camera", "ogimpression"],
)
def test_camera_programs_are_not_taken_for_editors(software: str) -> None:
    assert codes(replace(HONEST, software=(software,))) == []


@pytest.mark.parametrize("software", ["Adobe Lightroom 7.0", "Picasa 3.9", "Photos 9.0"])
def test_programs_that_develop_pictures_are_only_noted(software: str) -> None:
    (finding,) = examine(replace(HONEST, software=(software,)))
    assert (finding.code, finding.severity) == ("exif_processed", Severity.INFO)


def test_a_capture_in_the_future_is_found_and_another_time_zone_is_not() -> None:
    ahead = NOW.replace(tzinfo=None) + timedelta(hours=14)
    assert codes(replace(HONEST, captured=ahead, modified=ahead, gps_time=None)) == []
    later = ahead + timedelta(days=3)
    assert codes(replace(HONEST, captured=later, modified=None, gps_time=None)) == [
        "exif_date_in_future"
    ]


def test_a_picture_changed_days_before_it_was_taken_is_found() -> None:
    before = HONEST.captured - timedelta(days=2)
    assert codes(replace(HONEST, modified=before)) == ["exif_date_order"]
    assert codes(replace(HONEST, modified=HONEST.captured - timedelta(hours=12))) == []


def test_a_satellite_date_of_another_day_is_found() -> None:
    assert codes(replace(HONEST, gps_time=datetime(2025, 3, 10, 1, 0))) == ["exif_gps_date"]


def test_resizing_is_told_from_cropping() -> None:
    assert codes(HONEST, size=(1600, 1200)) == ["exif_size_resized"]
    assert codes(HONEST, size=(1600, 900)) == ["exif_size_cropped"]
    assert codes(HONEST, size=(3000, 4000)) == []


def test_a_thumbnail_of_another_picture_is_found() -> None:
    assert codes(HONEST, thumbnail=Comparison(correlation=0.4)) == ["exif_thumbnail_differs"]
    assert codes(HONEST, thumbnail=Comparison(correlation=None)) == []


def test_a_change_since_the_thumbnail_is_shown_where_it_is_on_the_upright_page() -> None:
    corner = Box(left=0.0, top=0.0, width=0.25, height=0.5)
    (finding,) = examine(
        HONEST, turned=3, thumbnail=Comparison(correlation=0.9, changed=corner, changed_share=0.1)
    )
    assert finding.region.box == Box(left=0.75, top=0.5, width=0.25, height=0.5)


def test_facts_hold_what_the_tags_tell() -> None:
    tags = replace(HONEST, latitude=-7.7948, longitude=110.37, captured_offset="+07:00")
    assert consistency.facts(tags) == {
        "capture_time": "2025-03-14T08:30:00+07:00",
        "gps": {"latitude": -7.7948, "longitude": 110.37},
        "camera": {"make": "Merapi", "model": "M-7"},
        "software": ["Merapi Camera 2.1"],
    }
    assert consistency.facts(Exif()) == {}
