"""Draw pictures for the tests of the authenticity checker, and save them."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]


def draw_photo(width: int = 480, height: int = 360, *, seed: int = 0) -> Picture:
    """Something like a photograph: soft light, textured things behind one lens, grain."""
    rng = np.random.default_rng(seed)
    light = rng.uniform(40, 200, (4, 5, 3)).astype(np.float32)
    scene = cv2.resize(light, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(25):
        middle = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(rng.integers(4, width // 5 + 5)), int(rng.integers(4, height // 5 + 5)))
        colour = rng.uniform(20, 235, 3).tolist()
        cv2.ellipse(scene, middle, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1)
    texture = cv2.GaussianBlur(rng.normal(0, 60, (height, width, 1)).astype(np.float32), (0, 0), 2)
    scene = cv2.GaussianBlur(scene + texture[..., None], (0, 0), 0.8)
    grain = cv2.GaussianBlur(rng.normal(0, 5, scene.shape).astype(np.float32), (0, 0), 0.6)
    return np.clip(scene + grain, 0, 255).astype(np.uint8)


def save_picture(picture: Picture, form: str = "JPEG", **options: Any) -> bytes:
    """The bytes of a file with this picture."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, form, **options)
    return buffer.getvalue()
