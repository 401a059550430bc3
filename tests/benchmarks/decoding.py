"""What it costs to decode a photo in a process that may be killed."""

from __future__ import annotations

import asyncio
import io
import time

import numpy as np
from measuring import Figure, alternate
from PIL import Image

from absah_server.decode.sandbox import ProcessSandbox

WIDTH, HEIGHT = 4000, 3000
PHOTOS = 3
"""Decoded in a round, one after another."""


def decode_sandboxed_vs_inline() -> Figure:
    content = photo()
    with asyncio.Runner() as runner:
        sandbox = ProcessSandbox(workers=2)
        runner.run(sandbox.start())
        rates = alternate(
            lambda: runner.run(_sandboxed_a_second(sandbox, content)),
            lambda: _inline_a_second(content),
        )
        runner.run(sandbox.close())
    return Figure(
        name="decode_sandboxed_vs_inline",
        ours=rates[0],
        theirs=rates[1],
        unit="photos/s",
        at_least=0.8,
        note=f"a JPEG of {WIDTH * HEIGHT / 1e6:.0f} megapixels, {len(content) / 1e6:.1f} MB, to "
        "pixels that were looked at; Pillow in the same process",
    )


def photo() -> bytes:
    """A JPEG with the size and the grain of a telephone's."""
    randomness = np.random.default_rng(0)
    colours = randomness.integers(0, 256, (HEIGHT // 40, WIDTH // 40, 3), np.uint8)
    smooth = Image.fromarray(colours).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    grain = randomness.normal(0, 4, (HEIGHT, WIDTH, 1)).astype(np.int16)
    pixels = (np.asarray(smooth, np.int16) + grain).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return file.getvalue()


async def _sandboxed_a_second(sandbox: ProcessSandbox, content: bytes) -> float:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    for _ in range(PHOTOS):
        decoded = await sandbox.decode(content, "image/jpeg", deadline=loop.time() + 60)
        decoded.pages[0].pixels[::8].sum()
        decoded.release()
    return PHOTOS / (time.perf_counter() - began)


def _inline_a_second(content: bytes) -> float:
    began = time.perf_counter()
    for _ in range(PHOTOS):
        np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))[::8].sum()
    return PHOTOS / (time.perf_counter() - began)
