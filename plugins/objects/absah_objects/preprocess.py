"""Lay a picture out on the canvases that a detector looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from absah_objects.description import Colour, Description, Placement
from absah_objects.detections import Detections
from absah_sdk.checking import Array

Pixels = NDArray[np.uint8]
Size = tuple[int, int]
"""(width, height)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """How a page lies on a canvas: scaled to `content` pixels, its corner at `offset`."""

    page: Size
    canvas: Size
    content: Size
    offset: tuple[int, int]

    def to_page(self, found: Detections) -> Detections:
        """Turn boxes in pixels of the canvas into pixels of the page, clipped to it.

        Boxes that lie in the padding alone are left out.
        """
        offset = np.array(self.offset * 2, np.float32)
        scale = np.array(self.page, np.float32) / np.array(self.content, np.float32)
        corners = (found.corners - offset) * np.tile(scale, 2)
        limits = np.array(self.page * 2, np.float32)
        corners = np.clip(corners, 0, limits)
        inside = (corners[:, 2:] > corners[:, :2]).all(axis=1)
        moved = Detections(corners=corners, classes=found.classes, confidences=found.confidences)
        return moved[inside]


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """A page on a canvas. `tensor` is float32, (1, 3, height, width)."""

    layout: Layout
    tensor: Array


def lay_out(page: Size, size: str, description: Description) -> Layout:
    """Fit a page into the canvas `size` (see `Description.sizes`), keeping its aspect ratio."""
    sides = [int(side) for side in size.split("x")]
    bounds = (sides[0], sides[-1])
    scale = min(bound / side for bound, side in zip(bounds, page, strict=True))
    content = _pair(max(1, round(side * scale)) for side in page)
    canvas = bounds
    if len(sides) == 1:
        canvas = _pair(-(-side // description.stride) * description.stride for side in content)
    offset = (0, 0)
    if description.placement is Placement.CENTRE:
        offset = _pair((c - side) // 2 for c, side in zip(canvas, content, strict=True))
    return Layout(page=page, canvas=canvas, content=content, offset=offset)


def views(pixels: Pixels, description: Description, sizes: Sequence[str]) -> list[View]:
    """Lay a page (height, width, 3; RGB) out on a canvas of each size.

    The page in its full size is read once; the canvases are made from a small copy of it.
    """
    page = (pixels.shape[1], pixels.shape[0])
    layouts = [lay_out(page, size, description) for size in sizes]
    largest = max((layout.content for layout in layouts), key=lambda content: content[0])
    reduced = _scaled(pixels, largest) if page[0] >= 2 * largest[0] else pixels
    return [
        View(layout=layout, tensor=_tensor(_canvas(reduced, layout, description), description))
        for layout in layouts
    ]


def deviation(view: View, description: Description) -> float:
    """The standard deviation of the picture's colour that varies most, on the scale 0 to 255."""
    left, top = view.layout.offset
    right, bottom = left + view.layout.content[0], top + view.layout.content[1]
    planes = view.tensor[0, :, top:bottom, left:right].std(axis=(1, 2))
    return float((planes * np.abs(description.std)).max())


def _canvas(pixels: Pixels, layout: Layout, description: Description) -> Pixels:
    width, height = layout.canvas
    canvas = np.full((height, width, 3), description.padding, np.uint8)
    left, top = layout.offset
    right, bottom = left + layout.content[0], top + layout.content[1]
    canvas[top:bottom, left:right] = _scaled(pixels, layout.content)
    return canvas


def _scaled(pixels: Pixels, size: Size) -> Pixels:
    shrinks = pixels.shape[1] >= 2 * size[0]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size, interpolation=method), np.uint8)


def _tensor(canvas: Pixels, description: Description) -> Array:
    planes = canvas if description.colour is Colour.RGB else canvas[:, :, ::-1]
    tensor = np.ascontiguousarray(planes.transpose(2, 0, 1), np.float32)
    tensor -= np.array(description.mean, np.float32)[:, None, None]
    tensor /= np.array(description.std, np.float32)[:, None, None]
    return tensor[None]


def _pair(values: Iterator[int]) -> tuple[int, int]:
    first, second = values
    return first, second
