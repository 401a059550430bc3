"""Boxes that a detector proposes, as arrays, and how those that mean one thing become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

MOST_CANDIDATES = 1000
MOST_PER_VIEW = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Detections:
    """Boxes with a class and a confidence each.

    `corners` is (n, 4), float32: left, top, right, bottom in pixels of what was looked at;
    `classes` is (n,), int32; `confidences` is (n,), float32, 0 to 1.
    """

    corners: NDArray[np.float32]
    classes: NDArray[np.int32]
    confidences: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.confidences)

    def __getitem__(self, chosen: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Detections:
        return Detections(
            corners=self.corners[chosen],
            classes=self.classes[chosen],
            confidences=self.confidences[chosen],
        )

    def best_first(self) -> Detections:
        """The same, sorted by falling confidence."""
        return self[np.argsort(-self.confidences, kind="stable")]


def joined(parts: Sequence[Detections]) -> Detections:
    """One after another; `parts` must not be empty."""
    return Detections(
        corners=np.concatenate([part.corners for part in parts]),
        classes=np.concatenate([part.classes for part in parts]),
        confidences=np.concatenate([part.confidences for part in parts]),
    )


def suppress(found: Detections, *, overlap: float) -> Detections:
    """Non-maximum suppression, each class on its own: of boxes that overlap the best stays.

    At most `MOST_PER_VIEW` boxes of the `MOST_CANDIDATES` best are left, best first, so that a
    picture made to produce boxes everywhere cannot make this slow.
    """
    candidates = found.best_first()[slice(MOST_CANDIDATES)]
    if not len(candidates):
        return candidates
    corners = candidates.corners.astype(np.float64)
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxesBatched(
        boxes,  # type: ignore[arg-type]
        candidates.confidences,  # type: ignore[arg-type]
        candidates.classes,  # type: ignore[arg-type]
        0.0,
        overlap,
    )
    return candidates[np.sort(np.asarray(kept, np.intp).ravel())[:MOST_PER_VIEW]]


def merge(views: Sequence[Detections], *, overlap: float) -> Detections:
    """Join what several views of one picture show, best first.

    Boxes of one class that overlap by `overlap` or more, at most one from each view, become their
    mean, weighted by confidence. Its confidence is the mean over all views, where a view that
    does not show the thing counts as 0 (weighted boxes fusion, Solovyev et al. 2021,
    doi:10.1016/j.imavis.2021.104117). Each view must be free of duplicates, as `suppress` leaves
    it. A single view is answered as it is.
    """
    if len(views) == 1:
        return views[0]
    everything = joined(views)
    order = np.argsort(-everything.confidences, kind="stable")
    everything = everything[order]
    view = np.repeat(np.arange(len(views)), [len(part) for part in views])[order]
    same = _same_things(everything, overlap)
    free = np.ones(len(everything), np.bool_)
    fused: list[tuple[NDArray[np.float32], int, float]] = []
    for index in range(len(everything)):
        if not free[index]:
            continue
        group = np.flatnonzero(same[index] & free)
        free[group] = False
        members = group[np.unique(view[group], return_index=True)[1]]
        weights = everything.confidences[members]
        corners = (everything.corners[members] * weights[:, None]).sum(axis=0) / weights.sum()
        fused.append((corners, everything.classes[index], weights.sum() / len(views)))
    return _stacked(fused).best_first()


def _stacked(boxes: Sequence[tuple[NDArray[np.float32], int, float]]) -> Detections:
    return Detections(
        corners=np.array([corners for corners, _, _ in boxes], np.float32).reshape(-1, 4),
        classes=np.array([label for _, label, _ in boxes], np.int32),
        confidences=np.array([confidence for _, _, confidence in boxes], np.float32),
    )


def _same_things(found: Detections, overlap: float) -> NDArray[np.bool_]:
    corners = found.corners
    low = np.maximum(corners[:, None, :2], corners[None, :, :2])
    high = np.minimum(corners[:, None, 2:], corners[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = (corners[:, 2:] - corners[:, :2]).prod(axis=1)
    united = areas[:, None] + areas[None, :] - shared
    # A box is always one with itself, even where it has no area.
    near = (shared >= overlap * united) & (united > 0) | np.eye(len(found), dtype=np.bool_)
    return np.asarray(near & (found.classes[:, None] == found.classes[None, :]))
