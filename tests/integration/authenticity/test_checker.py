"""The authenticity checker with its network and its sandbox, as a server runs it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from integration.authenticity.alone import open_alone
from PIL import Image
from unit.authenticity import signing
from unit.authenticity.pictures import draw_photo, save_picture

from absah_sdk import Outcome, Result
from absah_server.harness import Harness

PHOTO = save_picture(draw_photo(480, 360), quality=92)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Harness]:
    anchors = tmp_path_factory.mktemp("trust") / "anchors.pem"
    anchors.write_text(signing.authority().anchor)
    async with open_alone(anchors) as opened:
        yield opened


async def check(harness: Harness, content: bytes) -> Result:
    return (await harness.check(content)).result


def codes(result: Result) -> set[str]:
    return {finding.code for finding in result.findings}


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_plain_photo_without_metadata_passes(harness) -> None:
    result = await check(harness, PHOTO)
    assert result.outcome is Outcome.PASS
    assert result.score < 0.3
    assert result.facts["jpeg_quality"] == 92
    assert result.facts["c2pa"] == {"state": "none"}


async def test_a_photo_signed_by_a_trusted_camera_passes(harness) -> None:
    result = await check(harness, signing.sign(PHOTO))
    assert result.outcome is Outcome.PASS
    assert "c2pa_trusted" in codes(result)


async def test_a_signed_photo_that_was_changed_fails(harness) -> None:
    changed = bytearray(signing.sign(PHOTO))
    changed[-150] ^= 0x10
    result = await check(harness, bytes(changed))
    assert result.outcome is Outcome.FAIL
    assert result.score >= 0.95
    assert "c2pa_broken_binding" in codes(result)


async def test_a_photo_with_a_large_copied_part_fails_and_shows_both_places(harness) -> None:
    photo = draw_photo(640, 480, seed=4)
    photo[300:440, 420:600] = photo[60:200, 50:230]
    result = await check(harness, save_picture(photo, quality=93))
    assert result.outcome is Outcome.FAIL
    places = [f.region.box for f in result.findings if f.code == "copy_move"]
    assert len(places) >= 2
    assert min(box.left for box in places) < 0.25
    assert max(box.left for box in places) > 0.5


@pytest.mark.parametrize("size", [(1, 1), (300, 1), (1, 300), (9, 7)])
async def test_pictures_of_few_pixels_are_inconclusive(harness, size) -> None:
    result = await check(harness, save_picture(np.zeros((size[1], size[0], 3), np.uint8), "PNG"))
    assert result.outcome is Outcome.INCONCLUSIVE
    assert "too_small" in codes(result)


async def test_a_drawing_is_inconclusive(harness) -> None:
    drawing = np.full((300, 400, 3), 255, np.uint8)
    drawing[40:90, 50:200] = (200, 30, 30)
    result = await check(harness, save_picture(drawing, "PNG"))
    assert result.outcome is Outcome.INCONCLUSIVE
    assert "too_flat" in codes(result)


async def test_an_editor_s_name_is_inconclusive(harness) -> None:
    tags = Image.Exif()
    tags[0x0131] = "Adobe Photoshop 25.0"
    result = await check(harness, save_picture(draw_photo(), quality=92, exif=tags))
    assert result.outcome is Outcome.INCONCLUSIVE
    assert "exif_editor" in codes(result)


@pytest.mark.parametrize("turned", [1, 6, 8])
async def test_the_heatmap_has_the_size_and_orientation_of_the_file(harness, turned) -> None:
    tags = Image.Exif()
    tags[0x0112] = turned
    content = save_picture(draw_photo(320, 240), quality=92, exif=tags)
    (artifact,) = (await check(harness, content)).artifacts
    heatmap = Image.open(io.BytesIO(artifact.content))
    assert (heatmap.size, heatmap.mode) == ((320, 240), "L")
    assert heatmap.getexif().get(0x0112, 1) == turned


async def test_time_and_place_are_told_as_facts(harness) -> None:
    tags = Image.Exif()
    tags.get_ifd(0x8769)[0x9003] = "2025:03:14 08:30:00"
    tags.get_ifd(0x8825).update({1: "S", 2: (7.0, 47.0, 30.0), 3: "E", 4: (110.0, 22.0, 12.0)})
    result = await check(harness, save_picture(draw_photo(), quality=92, exif=tags))
    assert result.facts["capture_time"] == "2025-03-14T08:30:00"
    assert result.facts["gps"] == {"latitude": -7.791667, "longitude": 110.37}


async def test_a_trust_list_without_certificates_is_refused_at_start(tmp_path: Path) -> None:
    empty = tmp_path / "anchors.pem"
    empty.write_text("nothing\n")
    with pytest.raises(Exception, match="no certificate"):
        async with open_alone(empty):
            pass
