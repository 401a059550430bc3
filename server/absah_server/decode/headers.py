"""Read a picture's size and count from its headers, before any pixel is decoded."""

from __future__ import annotations

import mmap
from typing import BinaryIO

from PIL import Image, TiffImagePlugin

from absah_sdk import DocumentUnreadable
from absah_server.decode.limits import DecodeLimits

_WEBP_HEADER_BYTES = 30
_NEW_SUBFILE_TYPE = 254
_REDUCED = 1


def check_webp(source: BinaryIO, limits: DecodeLimits) -> None:
    """Check the size of a WebP, for which Pillow takes memory as soon as it opens the file."""
    check_size(_webp_size(source.read(_WEBP_HEADER_BYTES)), limits)
    source.seek(0)


def check_size(size: tuple[int, int], limits: DecodeLimits) -> int:
    """Return the pixels of a page of (width, height); raises `DocumentUnreadable`."""
    width, height = size
    pixels = width * height
    if pixels < 1:
        raise DocumentUnreadable("The image has no pixels.")
    if pixels > limits.max_pixels:
        raise DocumentUnreadable(
            f"The image is {width} × {height} = {_megapixels(pixels)} megapixels; at most "
            f"{_megapixels(limits.max_pixels)} are accepted (setting decode.max_pixels)."
        )
    if max(size) > limits.max_side:
        raise DocumentUnreadable(
            f"The image is {width} × {height} pixels; at most {limits.max_side} are accepted in "
            "width and height (setting decode.max_side)."
        )
    return pixels


def too_large(limits: DecodeLimits) -> DocumentUnreadable:
    """Make the error for a file whose pixels together are too many."""
    return DocumentUnreadable(
        f"The file holds more than {_megapixels(limits.max_pixels)} megapixels "
        "(setting decode.max_pixels)."
    )


def count_frames(image: Image.Image, source: BinaryIO, limits: DecodeLimits) -> int:
    """Count animation frames or TIFF pages; raises `DocumentUnreadable` where there are too many.

    A JPEG counts one: what follows the first picture (CIPA DC-007, MPO) is a preview or a gain
    map, which no viewer shows.
    """
    if image.format in ("JPEG", "MPO", "BMP"):
        return 1
    if image.format == "TIFF":
        return _count_tiff_pages(image, limits)
    if image.format == "GIF":
        frames = _count_gif_frames(source, limits.max_frames)
    else:
        frames = int(getattr(image, "n_frames", 1))
    if frames > limits.max_frames:
        raise DocumentUnreadable(
            f"The animation holds more than {limits.max_frames} frames (setting decode.max_frames)."
        )
    return max(frames, 1)


def is_reduced(image: Image.Image) -> bool:
    """Whether a TIFF page is a smaller version of another one (TIFF 6.0, NewSubfileType)."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return False
    kind = image.tag_v2.get(_NEW_SUBFILE_TYPE, 0)
    return isinstance(kind, int) and bool(kind & _REDUCED)


def _count_tiff_pages(image: Image.Image, limits: DecodeLimits) -> int:
    """Walk the chain of directories; Pillow's own count has no end on a hostile chain."""
    for number in range(1, limits.max_pages + 1):
        try:
            image.seek(number)
        except EOFError:
            image.seek(0)
            return number
    raise DocumentUnreadable(
        f"The TIFF holds more than {limits.max_pages} pages (setting decode.max_pages); "
        "send it in parts."
    )


def _count_gif_frames(source: BinaryIO, enough: int) -> int:
    """Count image descriptors (GIF89a, 20) without decoding, up to one more than `enough`."""
    with mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as content:
        end = len(content)
        position = 13 + _colour_table_bytes(content[10]) if end > 13 else end
        frames = 0
        while position < end and frames <= enough:
            match content[position]:
                case 0x2C if position + 9 < end:
                    frames += 1
                    position += 11 + _colour_table_bytes(content[position + 9])
                case 0x21:
                    position += 2
                case 0x3B | 0x2C:
                    break
                case _:
                    position += 1
                    continue
            while position < end and content[position]:
                position += 1 + content[position]
            position += 1
        return frames


def _colour_table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp_size(header: bytes) -> tuple[int, int]:
    """Read the canvas size of a WebP file (RFC 9649, 2.5 to 2.7)."""
    if len(header) < _WEBP_HEADER_BYTES:
        raise DocumentUnreadable("The WebP ends within its header; send it again.")
    match header[12:16]:
        case b"VP8X":
            return (
                int.from_bytes(header[24:27], "little") + 1,
                int.from_bytes(header[27:30], "little") + 1,
            )
        case b"VP8L":
            bits = int.from_bytes(header[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            return (
                int.from_bytes(header[26:28], "little") & 0x3FFF,
                int.from_bytes(header[28:30], "little") & 0x3FFF,
            )
    raise DocumentUnreadable("The WebP is damaged: its header cannot be read.")


def _megapixels(pixels: int) -> str:
    return f"{pixels / 1e6:.1f}".removesuffix(".0")
