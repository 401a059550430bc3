"""One module for each form in which detectors answer; a new form is one file here.

A head has a function `decode(outputs, canvas, description, least)`. `outputs` are the model's, by
name, for one picture (no batch axis); `canvas` is the (width, height) it was shown. It returns the
boxes of at least the confidence `least`, in pixels of the canvas, duplicates and all, and raises
ValueError where the outputs are not of its form.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Protocol, cast

from absah_objects.description import Description
from absah_objects.detections import Detections
from absah_sdk.checking import Array


class Head(Protocol):
    """The function `decode` of a head's module."""

    def __call__(
        self,
        outputs: Mapping[str, Array],
        canvas: tuple[int, int],
        description: Description,
        least: float,
    ) -> Detections: ...


def names() -> tuple[str, ...]:
    """The heads there are."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load(name: str) -> Head:
    """The head of that name; raises ValueError where there is none."""
    if name not in names():
        raise ValueError(f"absah.head is {name!r}; known are {', '.join(names())}")
    return cast(Head, importlib.import_module(f"{__name__}.{name}").decode)
