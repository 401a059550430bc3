"""What a detection model says of itself in the `parameters` of its config.pbtxt.

Everything that differs from one detector to the next stands there, so that an operator brings
another model as a folder in the repository and changes no code. The plugin's README lists the
parameters.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Annotated

import pydantic

from absah_sdk import Model

PREFIX = "absah."
LABELS_ID_NAME = "labels.id.txt"


class Colour(enum.StrEnum):
    """The order of the colour planes that a model was trained on."""

    RGB = "RGB"
    BGR = "BGR"


class Placement(enum.StrEnum):
    """Where the picture lies on its canvas; the rest is padding."""

    CENTRE = "centre"
    CORNER = "corner"


def _words(value: object) -> object:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


_split = pydantic.BeforeValidator(_words)
Triple = Annotated[tuple[float, float, float], _split]
Sizes = Annotated[tuple[str, ...], _split]
Integers = Annotated[tuple[pydantic.PositiveInt, ...], _split]


class Description(pydantic.BaseModel):
    """One detector. Colours are in the order of `colour`, on the scale 0 to 255."""

    model_config = pydantic.ConfigDict(extra="ignore", frozen=True)

    labels: Annotated[tuple[str, ...], pydantic.Field(min_length=1)]
    """The lines of labels.txt: the classes that the model tells, in the order of its outputs."""
    head: str
    """The module of `absah_objects.heads` that reads the model's outputs."""
    input: str = "images"
    """Name of its input: float32, (batch, 3, height, width)."""
    sizes: Annotated[Sizes, pydantic.Field(min_length=1, max_length=8)]
    """The canvases that a picture is seen on, each on its own: "640x640" (width, height) for a
    canvas of just that size, "448" for one whose long side has 448 pixels and whose short side is
    the picture's own, rounded up to `stride`."""
    stride: pydantic.PositiveInt = 32
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (255.0, 255.0, 255.0)
    """The input is (pixel - mean) / std."""
    colour: Colour = Colour.RGB
    padding: Annotated[int, pydantic.Field(ge=0, le=255)] = 114
    placement: Placement = Placement.CENTRE
    strides: Integers = (8, 16, 32)
    """Strides of the grids that the outputs come from, in their order; for heads that need it."""
    centre: float = 0.5
    """Where in its cell a grid's point lies, in cells; for heads that need it."""
    overlap: Annotated[float, pydantic.Field(gt=0, lt=1)] = 0.55
    """Two boxes of one label that overlap by this much (intersection over union) are one thing."""
    confidence: Annotated[float, pydantic.Field(gt=0, lt=1)] = 0.5
    possible_confidence: Annotated[float, pydantic.Field(gt=0, lt=1)] = 0.25
    """Thresholds that suit the model; the checker's settings go before them."""

    @pydantic.field_validator("std")
    @classmethod
    def _divides(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if 0 in value:
            raise ValueError("a standard deviation of 0 divides by zero")
        return value

    @pydantic.field_validator("sizes")
    @classmethod
    def _known_form(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for size in value:
            sides = size.split("x")
            if len(sides) > 2 or not all(side.isascii() and side.isdecimal() for side in sides):
                raise ValueError(
                    f'{size!r} is neither "WIDTHxHEIGHT" nor the length of a long side'
                )
            if not all(16 <= int(side) <= 4096 for side in sides):
                raise ValueError(f"{size!r} is outside 16 to 4096 pixels")
        return value


def describe(model: Model) -> Description:
    """Read a model's description; raises ValueError naming the model and the parameter."""
    parameters = model.parameters
    known = {k.removeprefix(PREFIX): v for k, v in parameters.items() if k.startswith(PREFIX)}
    try:
        return Description.model_validate({**known, "labels": tuple(model.labels)})
    except pydantic.ValidationError as exc:
        problems = "; ".join(_problem(error["loc"], error["msg"]) for error in exc.errors())
        raise ValueError(f"the model {model.name}: {problems}") from exc


def _problem(place: tuple[int | str, ...], message: str) -> str:
    name = "labels.txt" if place[0] == "labels" else f"parameter {PREFIX}{place[0]}"
    return f"{name}: {message}"


def indonesian_labels(model: Model) -> Mapping[str, str]:
    """Read labels.id.txt, which names labels.txt's things in Indonesian, line by line.

    Empty where the model has no such file; raises ValueError where the lines do not correspond.
    """
    file = model.directory / LABELS_ID_NAME
    if not file.exists():
        return {}
    names = file.read_text(encoding="utf-8").splitlines()
    if len(names) != len(model.labels):
        raise ValueError(f"{file} has {len(names)} lines, labels.txt {len(model.labels)}")
    return dict(zip(model.labels, names, strict=True))
