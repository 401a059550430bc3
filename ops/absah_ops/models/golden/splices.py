"""Tampering: sample photos with parts pasted into them, or a folder of spliced pictures.

A folder holds `spliced/NAME.jpg` with `masks/NAME.png` (white: pasted). The figure is the area
under the curve by pixels of the heatmap, the mean over pictures.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from absah_ops.models.golden import measures, photos
from absah_ops.models.golden.task import Case, GoldenSetInvalid, Judged, answered
from absah_sdk import Result

Mask = NDArray[np.bool_]
SEED = 22
WITH_HEATMAP: Mapping[str, Any] = types.MappingProxyType({"heatmap": True})
PASTES = 6
"""Spliced pictures made of each pair of sample photos."""


class Tampering:
    """The checker `authenticity`."""

    checker = "authenticity"
    metric = "pixel AUC"
    higher_is_better = True
    tolerance = 0.01
    settings = WITH_HEATMAP

    def cases(self, folder: Path | None) -> list[Case]:
        """Spliced pictures; see `Task.cases`."""
        if folder is None:
            return [
                Case(name=name, content=content, filename="spliced.jpg", truth=mask)
                for name, content, mask in _pasted()
            ]
        cases = []
        for file in sorted((folder / "spliced").glob("*.jpg")):
            mask_file = folder / "masks" / f"{file.stem}.png"
            mask = cv2.imread(str(mask_file), cv2.IMREAD_GRAYSCALE)
            if mask is not None and 0 < (mask > 127).mean() < 1:
                picture = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
                _check_size(file, picture, mask_file, mask)
                cases.append(Case(name=file.name, content=file.read_bytes(), truth=mask > 127))
        return cases

    def truth(self, result: Result, labels: Sequence[str]) -> Mask:
        """The hotter half of the heatmap."""
        heat = _heat(result)
        return heat > np.median(heat)

    def judge(self, case: Case, result: Result, labels: Sequence[str]) -> Judged:
        """Compare the heatmap with the mask; without a heatmap it is a coin toss."""
        drawn = answered(result) and any(a.name == "heatmap" for a in result.artifacts)
        area = measures.area_under_curve(_heat(result), case.truth) if drawn else 0.5
        return Judged(
            case=case.name, answered=drawn, counted=area, loss=1 - area, detail=f"AUC {area:.3f}"
        )

    def figure(self, judged: Sequence[Judged]) -> float:
        """Mean over pictures."""
        return float(np.mean([j.counted for j in judged]))


def _check_size(file: Path, picture: Any, mask_file: Path, mask: Any) -> None:
    if picture is None:
        raise GoldenSetInvalid(file, "is no picture")
    if picture.shape != mask.shape:
        (height, width), (rows, columns) = picture.shape, mask.shape
        raise GoldenSetInvalid(
            mask_file, f"is {columns}×{rows} pixels, and {file.name} is {width}×{height}"
        )


def _heat(result: Result) -> NDArray[np.uint8]:
    content = next(a.content for a in result.artifacts if a.name == "heatmap")
    heat = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    return np.asarray(heat, np.uint8)


def _pasted() -> Iterator[tuple[str, bytes, Mask]]:
    """Parts with another history (scaled, saved harder) pasted into each photo."""
    rng = np.random.default_rng(SEED)
    everything = list(photos.load())
    for index, (name, photo) in enumerate(everything):
        donor_name, donor = everything[(index + 1) % len(everything)]
        for number in range(PASTES):
            picture, mask = _paste(rng, photo, donor)
            yield (
                f"{donor_name} in {name}, {number + 1}",
                photos.jpeg(picture, quality=90),
                mask,
            )


def _paste(
    rng: np.random.Generator, photo: photos.Picture, donor: photos.Picture
) -> tuple[photos.Picture, Mask]:
    height, width = (int(side * rng.uniform(0.25, 0.4)) for side in photo.shape[:2])
    scaled = cv2.resize(donor, (photo.shape[1], photo.shape[0]), interpolation=cv2.INTER_AREA)
    saved = np.frombuffer(photos.jpeg(scaled, quality=int(rng.integers(55, 80))), np.uint8)
    history = np.asarray(cv2.imdecode(saved, cv2.IMREAD_COLOR))
    top, left = (
        int(rng.integers(0, total - part))
        for total, part in zip(photo.shape, (height, width), strict=False)
    )
    outline = np.zeros(photo.shape[:2], np.uint8)
    middle = (left + width // 2, top + height // 2)
    cv2.ellipse(outline, middle, (width // 2, height // 2), 0, 0, 360, 255, -1)
    mask = outline > 0
    picture = photo.copy()
    picture[mask] = history[mask]
    return picture, mask
