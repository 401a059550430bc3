"""Make a clean drawing look scanned, photographed or poor, repeatably."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]


class Level(enum.StrEnum):
    """How much a document has suffered before it was sent."""

    CLEAN = "clean"
    """As drawn."""
    SCAN = "scan"
    """A flatbed scan: a slight turn, grain, JPEG."""
    PHONE = "phone"
    """A phone photo on a table: perspective, shadow, some blur, JPEG."""
    POOR = "poor"
    """A hurried photo, sent through a messenger: small, turned, blurred, dark, hard JPEG."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wear:
    turn_degrees: float
    perspective: float
    """How far corners move, as a fraction of the size."""
    table: float
    """Width of the table seen around, as a fraction of the size."""
    blur: float
    """Standard deviation in pixels of the final image."""
    grain: float
    """Standard deviation in grey levels."""
    shadow: float
    """How much of the light is lost on the dark side."""
    scale: tuple[float, float]
    quality: tuple[int, int]


_WEAR = {
    Level.SCAN: _Wear(
        turn_degrees=1.0, perspective=0.0, table=0.0, blur=0.4, grain=4.0, shadow=0.05,
        scale=(0.9, 1.1), quality=(75, 92),
    ),
    Level.PHONE: _Wear(
        turn_degrees=4.0, perspective=0.03, table=0.10, blur=0.7, grain=6.0, shadow=0.35,
        scale=(0.85, 1.2), quality=(65, 90),
    ),
    Level.POOR: _Wear(
        turn_degrees=8.0, perspective=0.05, table=0.15, blur=0.9, grain=9.0, shadow=0.5,
        scale=(0.6, 0.8), quality=(35, 60),
    ),
}  # fmt: skip


def degrade(image: Image.Image, *, level: Level, seed: int) -> Image.Image:
    """Wear an RGB image at this level; the same seed gives the same pixels."""
    if level is Level.CLEAN:
        return image.copy()
    wear = _WEAR[level]
    rng = np.random.default_rng(seed)
    pixels = np.asarray(image.convert("RGB"))
    pixels = _on_a_table(pixels, wear, rng)
    pixels = _turned(pixels, wear, rng)
    pixels = _shaded(pixels, wear, rng)
    pixels = _shrunk(pixels, wear, rng)
    pixels = _compressed(pixels, wear, rng)
    return Image.fromarray(pixels)


def _on_a_table(pixels: Pixels, wear: _Wear, rng: np.random.Generator) -> Pixels:
    if not wear.table:
        return pixels
    height, width = pixels.shape[:2]
    margin = int(wear.table * max(height, width))
    grey = int(rng.integers(60, 150))
    tint = rng.integers(-25, 25, size=3)
    table = np.clip(grey + tint, 0, 255)
    grain = rng.normal(0, 6, (height + 2 * margin, width + 2 * margin, 1)) + table
    grain[margin : margin + height, margin : margin + width] = pixels
    return np.asarray(np.clip(grain, 0, 255), np.uint8)


def _turned(pixels: Pixels, wear: _Wear, rng: np.random.Generator) -> Pixels:
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D(
        (width / 2, height / 2), float(rng.uniform(-1, 1)) * wear.turn_degrees, 1.0
    )
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners @ turn[:, :2].T + turn[:, 2]
    moved += rng.uniform(-1, 1, (4, 2)) * wear.perspective * np.array([width, height])
    moved -= moved.min(axis=0)
    size = np.ceil(moved.max(axis=0)).astype(int)
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    border = [float(c) for c in np.median(pixels[:4].reshape(-1, 3), axis=0)]
    warped = cv2.warpPerspective(
        pixels,
        matrix,
        (int(size[0]), int(size[1])),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=border,
    )
    return np.asarray(warped, np.uint8)


def _shaded(pixels: Pixels, wear: _Wear, rng: np.random.Generator) -> Pixels:
    height, width = pixels.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    across = np.linspace(-1, 1, width)[None, :] * np.cos(angle)
    down = np.linspace(-1, 1, height)[:, None] * np.sin(angle)
    edge = 1 / (1 + np.exp(-(across + down + rng.uniform(-0.4, 0.4)) * 4))
    light = 1 - wear.shadow * edge
    return np.asarray(np.clip(pixels * light[..., None], 0, 255), np.uint8)


def _shrunk(pixels: Pixels, wear: _Wear, rng: np.random.Generator) -> Pixels:
    scale = float(rng.uniform(*wear.scale))
    resized = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(resized, (0, 0), wear.blur)
    noise = rng.normal(0, wear.grain, blurred.shape)
    return np.asarray(np.clip(blurred + noise, 0, 255), np.uint8)


def _compressed(pixels: Pixels, wear: _Wear, rng: np.random.Generator) -> Pixels:
    quality = int(rng.integers(wear.quality[0], wear.quality[1] + 1))
    bgr = np.ascontiguousarray(pixels[..., ::-1])
    _, stored = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])
