"""The points of the grids that anchor-free detectors measure their boxes from."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray


@functools.lru_cache(maxsize=64)
def points(
    canvas: tuple[int, int], strides: tuple[int, ...], centre: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The points of all grids over a canvas (width, height): (n, 2) as x, y, and strides (n, 1).

    Grids follow one another as in `strides`, each row by row; a point lies at `centre` cells from
    its cell's upper left corner. The arrays are shared and read-only.
    """
    places = []
    scales = []
    for stride in strides:
        columns, rows = (-(-side // stride) for side in canvas)
        x, y = np.meshgrid(np.arange(columns), np.arange(rows))
        places.append((np.stack([x.ravel(), y.ravel()], axis=1) + centre) * stride)
        scales.append(np.full((columns * rows, 1), stride))
    point = np.concatenate(places).astype(np.float32)
    scale = np.concatenate(scales).astype(np.float32)
    point.flags.writeable = scale.flags.writeable = False
    return point, scale
