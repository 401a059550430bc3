"""Mean average precision of detections, as the COCO challenge defines it.

AP of a class is the mean of its interpolated precision at the recalls 0, 0.01, ..., 1; mAP50-95
averages it over the classes and over the overlaps 0.50, 0.55, ..., 0.95 (Lin et al. 2014,
"Microsoft COCO: Common Objects in Context", and cocodataset.org/#detection-eval). Crowd regions and
area ranges are left out, since labels in YOLO's form do not carry them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OVERLAPS = np.arange(0.5, 0.96, 0.05)
_RECALLS = np.linspace(0.0, 1.0, 101)
_MOST_PER_CLASS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Boxes:
    """Boxes of one image: `corners` (n, 4) as left, top, right, bottom; `classes` (n,).

    `scores` (n,) are 1 for labelled boxes.
    """

    corners: NDArray[np.float64]
    classes: NDArray[np.int64]
    scores: NDArray[np.float64]

    def of_class(self, label: int) -> Boxes:
        """The boxes of one class, best first."""
        chosen = np.flatnonzero(self.classes == label)
        chosen = chosen[np.argsort(-self.scores[chosen], kind="stable")]
        return Boxes(
            corners=self.corners[chosen],
            classes=self.classes[chosen],
            scores=self.scores[chosen],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Matches:
    """Detections of one class on one image: which were right, at each of the overlaps.

    `right` is (overlaps, n); `labelled` counts the boxes there were to find.
    """

    scores: NDArray[np.float64]
    right: NDArray[np.bool_]
    labelled: int


def match(found: Boxes, labelled: Boxes) -> dict[int, Matches]:
    """Match the detections of one image to its labels, class by class, best score first."""
    classes = np.union1d(found.classes, labelled.classes)
    return {
        int(label): _match_class(found.of_class(label), labelled.of_class(label))
        for label in classes
    }


def _match_class(found: Boxes, labelled: Boxes) -> Matches:
    scores = found.scores[:_MOST_PER_CLASS]
    overlap = overlaps(found.corners[:_MOST_PER_CLASS], labelled.corners)
    right = np.zeros((len(OVERLAPS), len(scores)), np.bool_)
    for row, least in enumerate(OVERLAPS):
        free = np.ones(len(labelled.scores), np.bool_)
        for column in range(len(scores)):
            candidates = np.where(free, overlap[column], 0.0)
            if candidates.size and candidates.max() >= least:
                free[candidates.argmax()] = False
                right[row, column] = True
    return Matches(scores=scores, right=right, labelled=len(labelled.scores))


def overlaps(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of every box of `first` (n, 4) with every one of `second` (m, 4)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.clip(high - low, 0.0, None).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second)]
    return np.asarray(shared / (areas[0][:, None] + areas[1][None, :] - shared + 1e-12))


def average_precision(images: Sequence[Mapping[int, Matches]]) -> NDArray[np.float64]:
    """AP at each of the overlaps, (overlaps,), averaged over the classes labelled in `images`."""
    classes = sorted({label for image in images for label in image if image[label].labelled})
    if not classes:
        return np.zeros(len(OVERLAPS))
    of_class = [[image[label] for image in images if label in image] for label in classes]
    return np.asarray(np.mean([_class_precision(matches) for matches in of_class], axis=0))


def _class_precision(matches: Sequence[Matches]) -> NDArray[np.float64]:
    labelled = sum(match.labelled for match in matches)
    order = np.argsort(-np.concatenate([match.scores for match in matches]), kind="stable")
    right = np.concatenate([match.right for match in matches], axis=1)[:, order]
    true = right.cumsum(axis=1)
    precision = true / np.arange(1, len(order) + 1)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    padded = np.pad(envelope, ((0, 0), (0, 1)))
    return np.array(
        [
            values[np.searchsorted(recalls, _RECALLS, side="left")].mean()
            for values, recalls in zip(padded, true / labelled, strict=True)
        ]
    )
