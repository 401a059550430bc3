"""NanoDet: class scores, and for each side of a box a distribution over distances.

The distance from a grid's point to a side is the mean of a softmax over 0, 1, ..., reg_max,
counted in strides (generalized focal loss, Li et al. 2020, arXiv:2006.04388; NanoDet,
https://github.com/RangiLyu/nanodet). Outputs: "scores" (points, classes), after the sigmoid, and
"boxes" (points, 4 x (reg_max + 1)) for left, top, right, bottom; or both side by side in one
output, as NanoDet's own export has them. NanoDet's points lie at the centre of their cells
(`absah.centre` 0.5), those of NanoDet-Plus at the corner (0), which has a fourth grid
(`absah.strides` "8 16 32 64").
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from absah_objects import grids
from absah_objects.description import Description
from absah_objects.detections import Detections
from absah_sdk.checking import Array


def decode(
    outputs: Mapping[str, Array],
    canvas: tuple[int, int],
    description: Description,
    least: float,
) -> Detections:
    """See `absah_objects.heads`."""
    scores, distributions = _parts(outputs, len(description.labels))
    points, strides = grids.points(canvas, description.strides, description.centre)
    if len(scores) != len(points):
        raise ValueError(f"{len(scores)} points, but the grids of {canvas} have {len(points)}")
    rows, classes = np.nonzero(scores >= least)
    distances = _expected(distributions[rows]) * strides[rows]
    corners = np.concatenate(
        [points[rows] - distances[:, :2], points[rows] + distances[:, 2:]], axis=1
    )
    return Detections(
        corners=corners,
        classes=classes.astype(np.int32),
        confidences=scores[rows, classes].astype(np.float32),
    )


def _parts(outputs: Mapping[str, Array], classes: int) -> tuple[Array, Array]:
    if outputs.keys() == {"scores", "boxes"}:
        scores, boxes = outputs["scores"], outputs["boxes"]
    elif len(outputs) == 1:
        (both,) = outputs.values()
        scores, boxes = both[..., :classes], both[..., classes:]
    else:
        raise ValueError('the outputs are neither "scores" and "boxes" nor one with both')
    bins, rest = divmod(boxes.shape[-1], 4)
    if scores.ndim != 2 or boxes.ndim != 2 or scores.shape[1] != classes or rest or bins < 2:
        raise ValueError(f"{scores.shape} scores and {boxes.shape} boxes for {classes} labels")
    return scores, boxes


def _expected(distributions: Array) -> Array:
    count, columns = distributions.shape
    logits = distributions.reshape(count, 4, columns // 4).astype(np.float32)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    weights /= weights.sum(axis=2, keepdims=True)
    return np.asarray(weights @ np.arange(columns // 4, dtype=np.float32))
