"""Files are known by their bytes."""

import io

import pytest
from PIL import Image

from absah_server.decode import media_types


@pytest.mark.parametrize("media_type", media_types.IMAGE_FORMATS)
def test_pictures_that_pillow_writes_are_recognised(media_type):
    file = io.BytesIO()
    Image.new("RGB", (5, 4)).save(file, media_types.IMAGE_FORMATS[media_type])
    assert media_types.sniff(file.getvalue()) == media_type
    assert media_types.refusal(media_type) is None


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"%PDF-1.4\n", "application/pdf"),
        (b"\r\n\r\n" + b" " * 900 + b"%PDF-1.7", "application/pdf"),
        (b"MM\x00+\x00\x08", "image/tiff"),
        (b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1miaf", "image/avif"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", "image/heic"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1xxxx", "image/heif"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp42", "application/octet-stream"),
        (b"\xff\x4f\xff\x51\x00\x2f", "image/jp2"),
        (b"\xff\x0a\x00", "image/jxl"),
        (b"8BPS\x00\x01", "image/vnd.adobe.photoshop"),
        (b"%!PS-Adobe-3.0", "application/postscript"),
        (b"{\\rtf1 Laporan", "application/rtf"),
        (b"PK\x03\x04\x14\x00", "application/zip"),
        (b"RIFF\x00\x00\x00\x00WAVE", "application/octet-stream"),
        (b"\x7fELF\x02\x01\x01\x00", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_signatures(content, media_type):
    assert media_types.sniff(content) == media_type


@pytest.mark.parametrize(
    "content",
    [
        b"Laporan kegiatan\r\n",
        "Kegiatan di Desa Sukamaju – 12 ° C".encode(),
        "\ufeffLaporan".encode(),
        "Laporan".encode("utf-16"),
        "Laporan é".encode("cp1252"),
        b"BM is how this text begins, and it is long enough for a header",
        b"MMXXIV",
    ],
)
def test_texts_are_recognised(content):
    assert media_types.sniff(content) == "text/plain"


@pytest.mark.parametrize(
    "content",
    [
        b"Laporan\0kegiatan",
        "Laporan".encode("utf-16-le"),
        bytes(range(1, 32)) * 10,
        b"\xff\xfe\x00\xd8\x00\xd8",
    ],
)
def test_bytes_that_are_no_text_are_not_called_one(content):
    assert media_types.sniff(content) == "application/octet-stream"


def test_a_text_cut_within_a_character_at_the_end_of_the_sample_is_a_text():
    assert media_types.sniff(b"a" * (64 * 1024 - 1) + "é".encode() * 10) == "text/plain"


def test_every_refusal_says_what_to_send():
    for media_type in ("image/heic", "image/avif", "application/zip", "application/octet-stream"):
        assert "send" in (media_types.refusal(media_type) or "")
