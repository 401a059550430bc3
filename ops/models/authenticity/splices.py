"""Make spliced pictures with their masks out of honest photographs.

A splice is told from its surroundings by its history: how it was sampled, compressed and sharpened
before it was pasted. So each part here gets a history of its own, and the whole is then saved as
a person or a messenger would save it. One picture in eight stays untouched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Mask = NDArray[np.uint8]

SUBSAMPLINGS = (
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A picture as decoded, (height, width, 3) BGR, and its mask: 255 where it was pasted."""

    picture: Picture
    mask: Mask


def load_photos(folder: Path, *, longest_side: int = 1800) -> list[Picture]:
    """Read every picture of a folder, at most `longest_side` pixels long; sorted by name."""
    photos = []
    for path in sorted(folder.iterdir()):
        photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if photo is None:
            raise ValueError(f"{path} is not a picture")
        scale = longest_side / max(photo.shape[:2])
        if scale < 1:
            photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        photos.append(photo)
    return photos


def save(rng: np.random.Generator, picture: Picture, quality: int) -> Picture:
    """Save as JPEG at this quality, with a random chroma subsampling, and read it again."""
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        int(rng.choice(SUBSAMPLINGS)),
    ]
    return cv2.imdecode(cv2.imencode(".jpg", picture, options)[1], cv2.IMREAD_COLOR)


def scene(rng: np.random.Generator, photo: Picture, size: tuple[int, int]) -> Picture:
    """Cut a random view of (width, height) out of a photo, as if another camera took it."""
    width, height = size
    most = min(photo.shape[1] / width, photo.shape[0] / height)
    zoom = float(np.exp(rng.uniform(np.log(min(1.0, most)), np.log(most))))
    cut_width, cut_height = int(width * zoom), int(height * zoom)
    left = int(rng.integers(0, photo.shape[1] - cut_width + 1))
    top = int(rng.integers(0, photo.shape[0] - cut_height + 1))
    view = photo[top : top + cut_height, left : left + cut_width]
    view = cv2.resize(view, size, interpolation=cv2.INTER_AREA if zoom > 1 else cv2.INTER_CUBIC)
    if rng.random() < 0.5:
        view = view[:, ::-1]
    return _develop(rng, np.ascontiguousarray(view))


def _develop(rng: np.random.Generator, picture: Picture) -> Picture:
    curve = 255 * (np.arange(256) / 255) ** rng.uniform(0.7, 1.4)
    view = cv2.LUT(picture, curve.astype(np.float32))
    view = view * rng.uniform(0.8, 1.15, size=3) if rng.random() < 0.5 else view
    if rng.random() < 0.3:
        view = view + (view - cv2.GaussianBlur(view, (0, 0), 1.0)) * rng.uniform(0.3, 1.2)
    if rng.random() < 0.35:
        grain = rng.standard_normal(view.shape, np.float32) * np.float32(rng.uniform(0.5, 3.0))
        if rng.random() < 0.6:
            grain = cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.4, 0.9))
        view = view + grain * np.sqrt(0.25 + np.maximum(view, 0) / 255)
    if rng.random() < 0.1:
        view = cv2.GaussianBlur(view, (0, 0), rng.uniform(0.5, 1.0))
    return np.clip(view, 0, 255).astype(np.uint8)


def history(rng: np.random.Generator, picture: Picture, *, moved: bool) -> Picture:
    """Compress as cameras and the web do; where `moved`, the result may leave the 8×8 grid."""
    if rng.random() < 0.04:
        return picture
    picture = save(rng, picture, int(rng.integers(60, 98)))
    if moved:
        picture = _resized(rng, picture)
    if rng.random() < 0.15:
        picture = save(rng, picture, int(rng.integers(60, 99)))
    return picture


def _resized(rng: np.random.Generator, picture: Picture) -> Picture:
    """Scale, mostly down, about the middle and cut or mirror back to the same size."""
    height, width = picture.shape[:2]
    scale = float(np.exp(rng.uniform(np.log(0.45), np.log(1.15))))
    turn = rng.uniform(-20, 20) if rng.random() < 0.3 else 0.0
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, scale)
    matrix[:, 2] += rng.uniform(-8, 8, size=2)
    how = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4]))
    return cv2.warpAffine(
        picture, matrix, (width, height), flags=how, borderMode=cv2.BORDER_REFLECT_101
    )


def shape(rng: np.random.Generator, picture: Picture) -> Mask:
    """Draw a region of 0.5 to 45 % of the picture: blob, polygon, box or object."""
    for _ in range(8):
        draw = rng.choice([_blob, _polygon, _box, _object], p=[0.25, 0.2, 0.1, 0.45])
        mask = draw(rng, picture)
        if 0.005 < (mask > 0).mean() < 0.45:
            return mask
    return _box(rng, picture)


def _blob(rng: np.random.Generator, picture: Picture) -> Mask:
    height, width = picture.shape[:2]
    noise = rng.normal(size=(height // 4, width // 4)).astype(np.float32)
    field = cv2.GaussianBlur(noise, (0, 0), rng.uniform(4, 14))
    field = cv2.resize(field, (width, height))
    found = (field > np.quantile(field, rng.uniform(0.6, 0.95))).astype(np.uint8)
    return _largest(found)


def _largest(found: Mask) -> Mask:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(found)
    if count < 2:
        return np.zeros_like(found)
    biggest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.where(labels == biggest, 255, 0).astype(np.uint8)


def _polygon(rng: np.random.Generator, picture: Picture) -> Mask:
    height, width = picture.shape[:2]
    corners = int(rng.integers(5, 14))
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radii = rng.uniform(0.4, 1.0, corners) * rng.uniform(0.08, 0.38) * width
    middle = rng.uniform(0.15, 0.85, size=2) * (width, height)
    stretch = rng.uniform(0.5, 1.0)
    points = np.stack([np.cos(angles) * radii, np.sin(angles) * radii * stretch], axis=1) + middle
    mask = np.zeros((height, width), np.uint8)
    return cv2.fillPoly(mask, [points.astype(np.int32)], 255)


def _box(rng: np.random.Generator, picture: Picture) -> Mask:
    height, width = picture.shape[:2]
    box_width, box_height = (int(side * rng.uniform(0.12, 0.5)) for side in (width, height))
    left, top = rng.integers(0, width - box_width), rng.integers(0, height - box_height)
    mask = np.zeros((height, width), np.uint8)
    mask[top : top + box_height, left : left + box_width] = 255
    return mask


def _object(rng: np.random.Generator, picture: Picture) -> Mask:
    height, width = picture.shape[:2]
    smooth = cv2.medianBlur(picture, 5)
    flood = np.zeros((height + 2, width + 2), np.uint8)
    seed = (int(rng.integers(width)), int(rng.integers(height)))
    spread = (int(rng.integers(3, 12)),) * 3
    cv2.floodFill(smooth, flood, seed, 0, spread, spread, 4 | (255 << 8) | cv2.FLOODFILL_MASK_ONLY)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    return _largest(cv2.morphologyEx(flood[1:-1, 1:-1], cv2.MORPH_CLOSE, kernel) // 255)


def sample(rng: np.random.Generator, photos: Sequence[Picture], size: tuple[int, int]) -> Sample:
    """Make one picture of (width, height), spliced seven times in eight."""
    base = scene(rng, photos[rng.integers(len(photos))], size)
    picture = history(rng, base, moved=rng.random() < 0.08)
    mask = np.zeros(picture.shape[:2], np.uint8)
    if rng.random() < 0.875:
        for _ in range(int(rng.choice([1, 2, 3, 4], p=[0.3, 0.3, 0.25, 0.15]))):
            picture, mask = _paste(rng, picture, mask, photos)
    return Sample(picture=_published(rng, picture), mask=mask)


def _paste(
    rng: np.random.Generator, picture: Picture, mask: Mask, photos: Sequence[Picture]
) -> tuple[Picture, Mask]:
    other, region = _chosen(rng, picture, photos)
    height, width = mask.shape
    shift = np.float32([[1, 0, rng.integers(-32, 32)], [0, 1, rng.integers(-32, 32)]])
    other = cv2.warpAffine(other, shift, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    region = cv2.warpAffine(region, shift, (width, height))
    weight = region.astype(np.float32)[..., None] / 255
    if rng.random() < 0.6:
        weight = cv2.GaussianBlur(weight, (0, 0), rng.uniform(0.4, 1.8))[..., None]
    mixed = picture * (1 - weight) + other * weight
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8), np.maximum(mask, region)


def _chosen(
    rng: np.random.Generator, picture: Picture, photos: Sequence[Picture]
) -> tuple[Picture, Mask]:
    """What is pasted and its outline; mostly the more detailed of some, as people paste things."""
    tries = 3 if rng.random() < 0.65 else 1
    offers = []
    for _ in range(tries):
        other = _other(rng, picture, photos)
        offers.append((other, shape(rng, other)))
    return max(offers, key=lambda offer: _detail(*offer) - _detail(picture, offer[1]))


def _detail(picture: Picture, region: Mask) -> float:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return float(np.abs(cv2.Laplacian(grey, cv2.CV_32F))[region > 0].mean())


def _other(rng: np.random.Generator, picture: Picture, photos: Sequence[Picture]) -> Picture:
    """What is pasted: mostly another photo, at times a retouched or moved part of this one."""
    height, width = picture.shape[:2]
    kind = rng.random()
    if kind < 0.08:
        return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.8, 2.5))
    if kind < 0.16:
        return _resized(rng, picture)
    foreign = scene(rng, photos[rng.integers(len(photos))], (width, height))
    foreign = history(rng, foreign, moved=rng.random() < 0.75)
    if rng.random() < 0.3:
        foreign = cv2.convertScaleAbs(
            foreign, alpha=rng.uniform(0.8, 1.2), beta=rng.uniform(-20, 20)
        )
    return foreign


def _published(rng: np.random.Generator, picture: Picture) -> Picture:
    """Save the finished picture: often well, often as a messenger would, at times losslessly."""
    how = rng.random()
    if how < 0.1:
        return picture
    quality = rng.integers(97, 101) if how < 0.5 else rng.integers(70, 97)
    picture = save(rng, picture, int(quality))
    if rng.random() < 0.15:
        picture = save(rng, picture, int(rng.integers(70, 96)))
    return picture
