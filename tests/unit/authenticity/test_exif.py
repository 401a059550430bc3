"""EXIF is read from files of every form and condition."""

from __future__ import annotations

import io
import random
from datetime import datetime

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from absah_authenticity import exif

JPEG_THUMBNAIL = b"\xff\xd8\xff\xdb\x00\x02\xff\xd9"


def make_tags(**gps: object) -> Image.Exif:
    tags = Image.Exif()
    tags[0x010F], tags[0x0110], tags[0x0131] = "Merapi", "M-7", "Merapi Camera 2.1"
    tags[0x0132] = "2025:03:14 08:30:05"
    tags.get_ifd(0x8769).update(
        {0x9003: "2025:03:14 08:30:00", 0x9011: "+07:00", 0xA002: 480, 0xA003: 360}
    )
    tags.get_ifd(0x8825).update(
        {
            1: "S",
            2: (IFDRational(7), IFDRational(47), IFDRational(4128, 100)),
            3: "E",
            4: (IFDRational(110), IFDRational(22), IFDRational(12)),
            7: (IFDRational(1), IFDRational(30), IFDRational(0)),
            29: "2025:03:14",
            **{int(tag): value for tag, value in gps.items()},
        }
    )
    return tags


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_time_place_and_camera_are_read_from(form, make_photo, save) -> None:
    found = exif.read(save(make_photo(48, 36), form, exif=make_tags()))
    assert (found.make, found.model, found.software) == ("Merapi", "M-7", ("Merapi Camera 2.1",))
    assert found.captured == datetime(2025, 3, 14, 8, 30)
    assert found.modified == datetime(2025, 3, 14, 8, 30, 5)
    assert found.gps_time == datetime(2025, 3, 14, 1, 30)
    assert found.captured_offset == "+07:00"
    assert (found.latitude, found.longitude) == (-7.7948, 110.37)
    assert found.size == (480, 360)


def test_a_tiff_file_is_its_own_tags(make_photo, save) -> None:
    assert exif.read(save(make_photo(48, 36), "TIFF", exif=make_tags())).model == "M-7"


def test_a_heif_file_is_searched_for_its_tags(make_photo, save) -> None:
    tags = make_tags().tobytes()
    content = b"\x00\x00\x00\x18ftypheic" + bytes(40) + b"mdat" + b"\x00\x00\x00\x06" + tags
    assert exif.read(content).model == "M-7"


def test_a_file_without_tags_has_none(make_photo, save) -> None:
    assert not exif.read(save(make_photo(48, 36))).present
    assert not exif.read(b"").present
    assert not exif.read(b"BM" + bytes(100)).present


def test_programs_named_in_xmp_are_read_too(make_photo, save) -> None:
    xmp = b'<rdf:Description xmp:CreatorTool="Adobe Photoshop 25.0"/>'
    found = exif.read(save(make_photo(48, 36), xmp=xmp))
    assert found.software == ("Adobe Photoshop 25.0",)


def test_nonsense_places_and_times_are_ignored(make_photo, save) -> None:
    tags = make_tags(**{"2": (IFDRational(95), IFDRational(0), IFDRational(0)), "29": "soon"})
    tags.get_ifd(0x8769)[0x9003] = "0000:00:00 00:00:00"
    found = exif.read(save(make_photo(48, 36), exif=tags))
    assert (found.latitude, found.longitude) == (None, 110.37)
    assert found.captured is None
    assert found.gps_time is None


def test_a_rational_over_zero_is_no_place(make_photo, save) -> None:
    tags = make_tags(**{"2": (IFDRational(7), IFDRational(1, 0), IFDRational(0))})
    assert exif.read(save(make_photo(48, 36), exif=tags)).latitude is None


def with_thumbnail(thumbnail: bytes) -> bytes:
    """A TIFF stream whose second directory points to a thumbnail."""
    second = 8 + 2 + 4
    offset = second + 2 + 24 + 4
    entry = (0x0201).to_bytes(2, "big") + b"\x00\x04\x00\x00\x00\x01" + offset.to_bytes(4, "big")
    size = len(thumbnail).to_bytes(4, "big")
    entry += (0x0202).to_bytes(2, "big") + b"\x00\x04\x00\x00\x00\x01" + size
    first = b"MM\x00*\x00\x00\x00\x08" + b"\x00\x00" + second.to_bytes(4, "big")
    return first + b"\x00\x02" + entry + bytes(4) + thumbnail


def test_an_embedded_thumbnail_is_handed_over_undecoded() -> None:
    assert exif.read(with_thumbnail(JPEG_THUMBNAIL)).thumbnail == JPEG_THUMBNAIL
    assert exif.read(with_thumbnail(b"no JPEG")).thumbnail == b""


def test_a_directory_that_points_to_itself_ends() -> None:
    loop = (
        b"MM\x00*\x00\x00\x00\x08\x00\x01\x87\x69\x00\x04\x00\x00\x00\x01\x00\x00\x00\x08"
        + bytes(4)
    )
    assert not exif.read(loop).present


def test_damaged_tags_never_raise(make_photo, save) -> None:
    source = random.Random(7)
    files = [save(make_photo(48, 36), form, exif=make_tags()) for form in ("JPEG", "PNG", "TIFF")]
    for turn in range(600):
        damaged = bytearray(files[turn % 3])
        for _ in range(source.randrange(1, 25)):
            damaged[source.randrange(min(len(damaged), 700))] = source.randrange(256)
        exif.read(bytes(damaged[: source.randrange(1, len(damaged))]))


@pytest.mark.parametrize(
    ("offset", "hours"), [("+07:00", 7), ("-03:30", -3.5), ("", None), ("+99:00", None)]
)
def test_an_offset_becomes_a_zone(offset: str, hours: float | None) -> None:
    zone = exif.zone(offset)
    shift = zone and zone.utcoffset(None)
    assert (shift and shift.total_seconds() / 3600) == hours


def test_pillow_reads_the_picture_that_carries_these_tags(make_photo, save) -> None:
    content = save(make_photo(48, 36), exif=make_tags())
    assert Image.open(io.BytesIO(content)).getexif()[0x010F] == "Merapi"
