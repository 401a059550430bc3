"""YOLOX as its own export leaves it: one output (points, 5 + classes), boxes not yet decoded.

The columns are a box's centre as an offset from its cell's corner and the logarithms of its width
and height, all in strides, then the objectness and the classes' scores, both after the sigmoid;
an object's confidence is their product (Ge et al. 2021, arXiv:2107.08430). Its pictures lie in the
canvas's corner (`absah.placement` "corner"), BGR, on the scale 0 to 255 (`absah.std` "1 1 1").
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from absah_objects import grids
from absah_objects.description import Description
from absah_objects.detections import Detections
from absah_sdk.checking import Array

_LARGEST_LOGARITHM = 10.0
"""e to the power of this, in strides, is wider than any canvas."""


def decode(
    outputs: Mapping[str, Array],
    canvas: tuple[int, int],
    description: Description,
    least: float,
) -> Detections:
    """See `absah_objects.heads`."""
    columns = 5 + len(description.labels)
    points, strides = grids.points(canvas, description.strides, 0.0)
    if len(outputs) != 1:
        raise ValueError(f"{len(outputs)} outputs, not one")
    (output,) = outputs.values()
    if output.shape != (len(points), columns):
        raise ValueError(f"an output of {output.shape}, not of {(len(points), columns)}")
    confidences = output[:, 5:] * output[:, 4:5]
    rows, classes = np.nonzero(confidences >= least)
    centre = points[rows] + output[rows, :2] * strides[rows]
    half = np.exp(np.minimum(output[rows, 2:4], _LARGEST_LOGARITHM)) * strides[rows] / 2
    return Detections(
        corners=np.concatenate([centre - half, centre + half], axis=1).astype(np.float32),
        classes=classes.astype(np.int32),
        confidences=confidences[rows, classes].astype(np.float32),
    )
