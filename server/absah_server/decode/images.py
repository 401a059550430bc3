"""Decode pictures to upright RGB pixels through Pillow; runs in the sandbox alone.

Sizes and counts are read from headers and checked before a pixel is decoded.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from PIL import (  # decoders register themselves; Pillow would import dozens of others
    Image,
    ImageFile,
    MpoImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from absah_sdk import DocumentUnreadable
from absah_server.decode import codec, colour, headers
from absah_server.decode.limits import DecodeLimits
from absah_server.decode.media_types import IMAGE_FORMATS

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture upright, by EXIF orientation (CIPA DC-008, 4.6.4 A)."""


_MORE_DECODERS = (MpoImagePlugin, TiffImagePlugin, WebPImagePlugin)


def prepare() -> None:
    """Load the decoders, so that processes forked from this one have them."""
    Image.preinit()
    missing = set(IMAGE_FORMATS.values()) - set(Image.OPEN)
    if missing:
        raise RuntimeError(f"this build of Pillow cannot decode {', '.join(sorted(missing))}")


def decode(source: BinaryIO, media_type: str, limits: DecodeLimits, out: BinaryIO) -> Any:
    """Decode a picture from a file, writing pixels to `out`; return its pages and frame count.

    A TIFF gives all of its pages, an animation its first frame. Raises `DocumentUnreadable`.
    """
    kind = IMAGE_FORMATS[media_type]
    name = "WebP" if kind == "WEBP" else kind
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    if kind == "WEBP":
        headers.check_webp(source, limits)
    try:
        # Opening reads the header alone; our own check follows, whose message says what to do.
        Image.MAX_IMAGE_PIXELS = None
        with warnings.catch_warnings(), Image.open(source, formats=(kind,)) as image:
            headers.check_size(image.size, limits)
            # Pillow's stands behind it, for sizes that only appear while decoding.
            Image.MAX_IMAGE_PIXELS = limits.max_pixels
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            frames = headers.count_frames(image, source, limits)
            if kind == "TIFF":
                pages = [_page(image, out) for _ in _tiff_pages(image, frames, limits)]
            else:
                pages = [_page(image, out)]
            return {"frames": frames, "pages": pages}
    except (DocumentUnreadable, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise headers.too_large(limits) from exc
    except UnidentifiedImageError as exc:
        raise DocumentUnreadable(f"The {name} is damaged: its header cannot be read.") from exc
    except Exception as exc:
        raise DocumentUnreadable(_why(name, exc)) from exc


def _page(image: Image.Image, out: BinaryIO) -> dict[str, Any]:
    orientation = _orientation(image)
    image.load()
    remaining = _orientation(image)  # Pillow turns some formats while loading them
    pixels = colour.to_rgb(image)
    if remaining in _UPRIGHT:
        pixels = pixels.transpose(_UPRIGHT[remaining])
    return {"pixels": _store(pixels, out), "orientation": orientation, "dpi": None, "runs": []}


def _store(pixels: Image.Image, out: BinaryIO) -> codec.StoredArray:
    """Write RGB pixels without a copy in between: a PPM file is a short header and the pixels."""
    width, height = pixels.size
    pixels.save(out, format="PPM")
    return codec.StoredArray(
        dtype=np.dtype(np.uint8).str,
        shape=(height, width, 3),
        offset=out.tell() - width * height * 3,
    )


def _tiff_pages(image: Image.Image, frames: int, limits: DecodeLimits) -> Iterator[int]:
    """Step through the pages of a TIFF, passing over thumbnails of the page before."""
    total = 0
    for number in range(frames):
        image.seek(number)
        if number and headers.is_reduced(image):
            continue
        total += headers.check_size(image.size, limits)
        if total > limits.max_pixels:
            raise headers.too_large(limits)
        yield number


def _orientation(image: Image.Image) -> int:
    """Read the EXIF orientation, 1 where there is none or it is nonsense."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # a broken EXIF block is no reason to refuse the picture
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _why(name: str, exc: Exception) -> str:
    """Say in plain words what a decoder's error means for the person who sent the file."""
    text = str(exc).lower()
    if "truncated" in text:
        part = "its last scan line" if name == "JPEG" else "its pixels are complete"
        return f"The {name} ends before {part}; send it again."
    if "too large" in text or "max_text" in text:
        return f"A compressed text or colour profile in the {name} unpacks to more than is safe."
    if isinstance(exc, RecursionError):
        return f"The {name} is nested too deeply."
    return f"The {name} is damaged and cannot be decoded."
