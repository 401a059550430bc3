"""Turn pictures and boxes between a file's stored orientation and upright.

Standard: the Orientation tag of Exif, values 1 to 8. Compression and resampling leave their traces
in the stored orientation, so pixels are examined there; regions and people are upright.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from absah_sdk import Box


def to_stored(upright: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn upright pixels, (height, width, ...), back as the file stores them."""
    match orientation:
        case 2:
            return upright[:, ::-1]
        case 3:
            return upright[::-1, ::-1]
        case 4:
            return upright[::-1]
        case 5:
            return np.swapaxes(upright, 0, 1)
        case 6:
            return np.rot90(upright, 1)
        case 7:
            return np.swapaxes(upright[::-1, ::-1], 0, 1)
        case 8:
            return np.rot90(upright, -1)
        case _:
            return upright


def to_upright(box: Box, orientation: int) -> Box:
    """Turn a box of the stored picture to where it lies on the upright page."""
    corners = ((box.left, box.top), (box.left + box.width, box.top + box.height))
    (x1, y1), (x2, y2) = (_upright_point(x, y, orientation) for x, y in corners)
    return Box(left=min(x1, x2), top=min(y1, y2), width=abs(x1 - x2), height=abs(y1 - y2))


def _upright_point(x: float, y: float, orientation: int) -> tuple[float, float]:
    turned = {
        2: (1 - x, y),
        3: (1 - x, 1 - y),
        4: (x, 1 - y),
        5: (y, x),
        6: (1 - y, x),
        7: (1 - y, 1 - x),
        8: (y, 1 - x),
    }
    return turned.get(orientation, (x, y))
