"""How a JPEG was made is read from its bytes and its pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from absah_authenticity import jpeg


def decoded(content: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(content)).convert("RGB"))


@pytest.mark.parametrize("quality", [5, 30, 50, 75, 84, 90, 95, 100])
def test_the_quality_it_was_saved_at_is_found(quality, make_photo, save) -> None:
    structure = jpeg.read(save(make_photo(64, 48), quality=quality))
    assert (structure.quality, structure.standard_tables) == (quality, True)


@pytest.mark.parametrize(("setting", "name"), [(0, "4:4:4"), (1, "4:2:2"), (2, "4:2:0")])
def test_the_subsampling_of_chroma_is_told(setting, name, make_photo, save) -> None:
    assert jpeg.read(save(make_photo(64, 48), subsampling=setting)).subsampling == name


def test_scans_of_a_progressive_file_are_counted(make_photo, save) -> None:
    plain = jpeg.read(save(make_photo(64, 48)))
    progressive = jpeg.read(save(make_photo(64, 48), progressive=True))
    assert (plain.progressive, plain.scans) == (False, 1)
    assert progressive.progressive
    assert progressive.scans > 3


def test_a_coarser_earlier_compression_shows_in_the_histograms(make_photo, save) -> None:
    photo = make_photo(800, 600)
    once = save(photo, quality=90, subsampling=0)
    twice = save(decoded(save(photo, quality=60, subsampling=0)), quality=90, subsampling=0)
    single, double = (
        jpeg.double_compression(decoded(content), jpeg.read(content).table)
        for content in (once, twice)
    )
    assert single < jpeg.DOUBLE_COMPRESSION <= double


def test_a_plain_area_has_no_histograms_to_tell_from(save) -> None:
    content = save(np.full((64, 64, 3), 90, np.uint8))
    assert jpeg.double_compression(decoded(content), jpeg.read(content).table) is None


def with_segment(content: bytes, marker: int, payload: bytes) -> bytes:
    size = (len(payload) + 2).to_bytes(2, "big")
    return content[:2] + bytes([0xFF, marker]) + size + payload + content[2:]


def codes(content: bytes) -> set[str]:
    structure = jpeg.read(content)
    return {finding.code for finding in jpeg.findings(structure, None)}


def test_photoshop_is_known_by_its_own_resources_and_not_by_captions(make_photo, save) -> None:
    content = save(make_photo(64, 48))
    own = with_segment(content, 0xED, b"Photoshop 3.0\x008BIM\x04\x06\x00\x00\x00\x00\x00\x07")
    caption = with_segment(content, 0xED, b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x07")
    assert codes(own) == {"jpeg_editor"}
    assert codes(caption) == codes(content) == set()


def test_a_file_without_camera_headers_is_called_bare(make_photo, save) -> None:
    content = save(make_photo(64, 48))
    header = int.from_bytes(content[4:6], "big")
    assert codes(content[:2] + content[4 + header :]) == {"jpeg_bare"}


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 20, 100, 200, 330])
def test_a_cut_off_file_never_raises(length, make_photo, save) -> None:
    structure = jpeg.read(save(make_photo(64, 48))[:length])
    assert structure is None or 1 <= structure.quality <= 100


def test_other_formats_have_no_jpeg_structure(make_photo, save) -> None:
    assert jpeg.read(save(make_photo(64, 48), "PNG")) is None
