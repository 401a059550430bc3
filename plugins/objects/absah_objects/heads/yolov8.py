"""YOLOv8 and those that answer like it: one output (4 + classes, points).

The first four rows are a box's centre, width and height in pixels of the canvas; the others are
the classes' scores after the sigmoid. YOLO11 exports the same form.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

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
    rows = 4 + len(description.labels)
    if len(outputs) != 1:
        raise ValueError(f"{len(outputs)} outputs, not one")
    (output,) = outputs.values()
    if output.ndim != 2 or output.shape[0] != rows:
        raise ValueError(f"an output of {output.shape}, not of {rows} rows")
    classes, points = np.nonzero(output[4:] >= least)
    centre = output[:2, points].T.astype(np.float32)
    half = output[2:4, points].T.astype(np.float32) / 2
    return Detections(
        corners=np.concatenate([centre - half, centre + half], axis=1),
        classes=classes.astype(np.int32),
        confidences=output[4 + classes, points].astype(np.float32),
    )
