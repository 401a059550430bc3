"""Decode in this process, which is right for files that the tests made themselves."""

from __future__ import annotations

import io
import os
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from absah_server.decode import codec, images, memory, pages, pdf
from absah_server.decode.limits import DecodeLimits


@pytest.fixture
def decode() -> Callable[..., pages.MappedPages]:
    """Decode the bytes of a file."""

    def decode(content: bytes, media_type: str, limits: DecodeLimits | None = None):
        limits = limits or DecodeLimits()
        guard = Image.MAX_IMAGE_PIXELS
        with memory.anonymous("in") as source, memory.anonymous("out") as out:
            source.write(content)
            source.seek(0)
            with os.fdopen(os.dup(out.fileno()), "r+b", buffering=0) as raw:
                try:
                    if media_type == "application/pdf":
                        value = pdf.decode(source, limits, raw)
                    else:
                        value = images.decode(source, media_type, limits, raw)
                finally:
                    Image.MAX_IMAGE_PIXELS = guard
                offset, length = codec.write(value, raw)
            return pages.from_value(codec.read(memory.frozen_view(out), offset, length), limits)

    return decode


@pytest.fixture
def saved() -> Callable[..., bytes]:
    """Save a picture to bytes."""

    def saved(image: Image.Image, form: str, **options: object) -> bytes:
        file = io.BytesIO()
        image.save(file, form, **options)
        return file.getvalue()

    return saved


@pytest.fixture
def scene() -> Image.Image:
    """A picture with a different colour in each corner, 40 wide and 30 high."""
    pixels = np.zeros((30, 40, 3), np.uint8)
    pixels[:15, :20] = (250, 10, 10)
    pixels[:15, 20:] = (10, 250, 10)
    pixels[15:, :20] = (10, 10, 250)
    pixels[15:, 20:] = (250, 250, 10)
    return Image.fromarray(pixels)
