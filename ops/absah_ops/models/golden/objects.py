"""Detection: labelled photos, or sample photos on which a candidate must agree with the current
version.

A folder holds `images/*.jpg` and `labels/*.txt` in YOLO's form: a line a box, "class centre-x
centre-y width height" in fractions. The figure is mAP50-95 either way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from absah_ops.models.golden import average_precision, photos
from absah_ops.models.golden.average_precision import Boxes
from absah_ops.models.golden.task import (
    NO_SETTINGS,
    Case,
    GoldenSetInvalid,
    Judged,
    answered,
    read_text,
)
from absah_sdk import AbsahError, Result

NOTHING = Boxes(corners=np.zeros((0, 4)), classes=np.zeros(0, np.int64), scores=np.zeros(0))


class Detection:
    """The checker `objects`."""

    checker = "objects"
    metric = "mAP50-95"
    higher_is_better = True
    tolerance = 0.02
    settings = NO_SETTINGS

    def cases(self, folder: Path | None) -> list[Case]:
        """Photos; see `Task.cases`."""
        if folder is None:
            return [Case(name=name, content=_jpeg(view)) for name, view in _views()]
        return [
            Case(
                name=file.name,
                content=file.read_bytes(),
                truth=read_labels(folder / "labels" / f"{file.stem}.txt"),
            )
            for file in sorted((folder / "images").glob("*.jpg"))
        ]

    def truth(self, result: Result, labels: Sequence[str]) -> Boxes:
        """What the current version counts, as labels."""
        counted = [f for f in result.findings if f.attributes.get("counted") is not False]
        return found_boxes(Result(outcome=result.outcome, findings=counted), labels)

    def judge(self, case: Case, result: Result, labels: Sequence[str]) -> Judged:
        """Match boxes; the loss is 1 - mAP50-95 of this photo alone."""
        found = found_boxes(result, labels) if answered(result) else NOTHING
        matches = average_precision.match(found, case.truth)
        labelled = len(case.truth.scores)
        precision = float(average_precision.average_precision([matches]).mean())
        # A photo that shows nothing is right where nothing sure is seen on it.
        loss = 1 - precision if labelled else float(max(found.scores, default=0.0))
        detail = f"{len(found.scores)} boxes for {labelled}; mAP50-95 {precision:.2f}"
        return Judged(
            case=case.name, answered=answered(result), counted=matches, loss=loss, detail=detail
        )

    def figure(self, judged: Sequence[Judged]) -> float:
        """Mean average precision over classes and overlaps."""
        return float(average_precision.average_precision([j.counted for j in judged]).mean())


def read_labels(file: Path) -> Boxes:
    """Read a label file; a missing one means that the photo shows nothing.

    Raises `GoldenSetInvalid`.
    """
    lines = read_text(file).split("\n") if file.exists() else []
    boxes = [_box(file, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    rows = np.array(boxes, np.float64).reshape(-1, 5)
    half = rows[:, 3:] / 2
    return Boxes(
        corners=np.concatenate([rows[:, 1:3] - half, rows[:, 1:3] + half], axis=1),
        classes=rows[:, 0].astype(np.int64),
        scores=np.ones(len(rows)),
    )


def _box(file: Path, number: int, line: str) -> list[float]:
    try:
        box = [float(word) for word in line.split()]
    except ValueError:
        box = []
    if len(box) != 5 or not np.isfinite(box).all() or not box[0].is_integer():
        raise GoldenSetInvalid(
            file, "is not the five numbers of a class and a box", place=f"line {number}"
        )
    return box


def found_boxes(result: Result, labels: Sequence[str]) -> Boxes:
    """The boxes of a result's findings."""
    index = {label: number for number, label in enumerate(labels)}
    if unknown := {f.code for f in result.findings if f.region and f.code not in index}:
        raise AbsahError(f"{', '.join(sorted(unknown))} is among no labels of the model")
    boxes = [finding.region.box for finding in result.findings if finding.region]
    corners = [[b.left, b.top, b.left + b.width, b.top + b.height] for b in boxes]
    return Boxes(
        corners=np.array(corners, np.float64).reshape(-1, 4),
        classes=np.array([index[finding.code] for finding in result.findings], np.int64),
        scores=np.array([finding.confidence for finding in result.findings], np.float64),
    )


def _views() -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Each sample photo as it is, mirrored, smaller, and its middle alone."""
    for name, photo in photos.load():
        height, width = photo.shape[:2]
        middle = photo[height // 6 : -height // 6, width // 6 : -width // 6]
        yield name, photo
        yield f"{name}, mirrored", np.ascontiguousarray(photo[:, ::-1])
        yield f"{name}, smaller", cv2.resize(photo, None, fx=0.6, fy=0.6).astype(np.uint8)
        yield f"{name}, its middle", np.ascontiguousarray(middle)


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    return photos.jpeg(picture, quality=92)
