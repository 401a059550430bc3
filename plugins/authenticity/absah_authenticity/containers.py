"""Find the metadata blocks of an image file: EXIF, XMP and, in a JPEG, its segments.

Only lengths and markers are followed; nothing is decoded. Every walk is bounded, stops at the
first thing that makes no sense and returns what it had found until then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

EXIF_HEADER = b"Exif\x00\x00"
XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\x00"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
TIFF_SIGNATURES = (b"II*\x00", b"MM\x00*")
MAX_SEGMENTS = 2000
MAX_XMP_BYTES = 200_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One JPEG marker segment: its marker byte (0xE1 for APP1) and its payload."""

    marker: int
    payload: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Metadata:
    """The raw blocks of a file; empty where there is none."""

    tiff: bytes = b""
    """EXIF as a TIFF stream, from its byte order mark on."""
    xmp: bytes = b""


def metadata(content: bytes) -> Metadata:
    """Find EXIF and XMP in a JPEG, PNG, WebP, TIFF or HEIF file."""
    if content[:2] == b"\xff\xd8":
        return _from_jpeg(content)
    if content[:8] == PNG_SIGNATURE:
        return _from_chunks(_png_chunks(content))
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _from_chunks(_riff_chunks(content))
    if content[:4] in TIFF_SIGNATURES:
        return Metadata(tiff=content)
    if content[4:8] == b"ftyp":
        return _from_heif(content)
    return Metadata()


def jpeg_segments(content: bytes) -> Iterator[Segment]:
    """Yield the segments of a JPEG up to its first scan; that SOS segment is the last one."""
    position = 2
    for _ in range(MAX_SEGMENTS):
        while content[position : position + 2] == b"\xff\xff":
            position += 1
        if position + 4 > len(content) or content[position] != 0xFF:
            return
        marker = content[position + 1]
        length = int.from_bytes(content[position + 2 : position + 4], "big")
        if length < 2:
            return
        yield Segment(marker=marker, payload=content[position + 4 : position + 2 + length])
        if marker == 0xDA:
            return
        position += 2 + length


def _from_jpeg(content: bytes) -> Metadata:
    tiff = xmp = b""
    for segment in jpeg_segments(content):
        if segment.marker != 0xE1:
            continue
        if segment.payload.startswith(EXIF_HEADER) and not tiff:
            tiff = segment.payload[len(EXIF_HEADER) :]
        elif segment.payload.startswith(XMP_HEADER) and not xmp:
            xmp = segment.payload[len(XMP_HEADER) :][:MAX_XMP_BYTES]
    return Metadata(tiff=tiff, xmp=xmp)


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 8
    for _ in range(MAX_SEGMENTS):
        length = int.from_bytes(content[position : position + 4], "big")
        name = content[position + 4 : position + 8]
        if len(name) < 4 or name == b"IEND":
            return
        if name != b"IDAT":
            yield name, content[position + 8 : position + 8 + length]
        position += 12 + length


def _riff_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 12
    for _ in range(MAX_SEGMENTS):
        name = content[position : position + 4]
        if len(name) < 4:
            return
        length = int.from_bytes(content[position + 4 : position + 8], "little")
        yield name, content[position + 8 : position + 8 + length]
        position += 8 + length + length % 2


def _from_chunks(chunks: Iterator[tuple[bytes, bytes]]) -> Metadata:
    tiff = xmp = b""
    for name, payload in chunks:
        if name in (b"eXIf", b"EXIF"):
            tiff = payload.removeprefix(EXIF_HEADER)
        elif name == b"XMP " or (name == b"iTXt" and payload.startswith(b"XML:com.adobe.xmp\x00")):
            xmp = payload[:MAX_XMP_BYTES]
    return Metadata(tiff=tiff, xmp=xmp)


def _from_heif(content: bytes) -> Metadata:
    # The item that holds EXIF starts with the offset of the TIFF header, then usually "Exif\0\0".
    # Its place is told by the item location box; looking for the header itself needs no parser.
    start = content.find(EXIF_HEADER)
    if start < 0 or content[start + 6 : start + 10] not in TIFF_SIGNATURES:
        return Metadata()
    return Metadata(tiff=content[start + len(EXIF_HEADER) :])
