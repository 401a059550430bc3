"""Draw a localisation map as a grey PNG of the file's own size."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

from absah_sdk import Artifact

MAX_SMOOTH_PIXELS = 2_000_000


def draw(map_: NDArray[np.float32], size: tuple[int, int], orientation: int) -> Artifact:
    """Draw a map in [0, 1] of any resolution at (width, height) of the stored picture.

    Where the picture has an EXIF orientation, the PNG carries the same, so that viewers turn both
    alike.
    """
    grey = np.rint(np.clip(map_, 0, 1) * 255).astype(np.uint8)
    # Smooth steps would make the file of a large photo ten times as big, and tell nothing more.
    how = cv2.INTER_LINEAR if size[0] * size[1] <= MAX_SMOOTH_PIXELS else cv2.INTER_NEAREST
    full = cv2.resize(grey, size, interpolation=how)
    png = bytes(cv2.imencode(".png", full, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1])
    content = png if orientation == 1 else _with_orientation(png, orientation)
    return Artifact(name="heatmap", media_type="image/png", content=content)


def _with_orientation(png: bytes, orientation: int) -> bytes:
    """Add an eXIf chunk (PNG 1.5 extensions) with the Orientation tag after the header."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"MM\x00*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    body = b"eXIf" + tiff
    chunk = struct.pack(">I", len(tiff)) + body + struct.pack(">I", zlib.crc32(body))
    header_end = 8 + 12 + 13
    return png[:header_end] + chunk + png[header_end:]
