"""Derive a TensorRT optimisation profile from config.pbtxt.

A profile gives, for each input, the smallest and largest shape that the engine accepts and the one
that it is fastest at. The batch axis goes from 1 over the largest preferred size to
`max_batch_size`. A dynamic axis is bounded by `absah.profile.INPUT` among the config's parameters,

    parameters {
      key: "absah.profile.pixels"
      value { string_value: "32x32x3 640x480x3 2560x2560x3" }
    }

which gives min, opt and max without the batch axis; a shape given to the command goes over it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from absah_ops.building.errors import BuildFailed
from absah_server.inference.config import TensorSpec
from absah_server.inference.portions import matches
from absah_server.inference.repository import StoredModel

PROFILE_PARAMETER = "absah.profile."
_SHAPE = re.compile(r"[1-9]\d*(x[1-9]\d*)*")

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """The shapes of one input, with the batch axis where the model has one."""

    min: Shape
    opt: Shape
    max: Shape


Profile = Mapping[str, Range]
"""By the name of the input."""


def derive(
    model: StoredModel, *, given: Mapping[str, str], max_batch_size: int | None = None
) -> Profile:
    """The profile of a model; `given` is by input, in the form of the parameter.

    Raises `BuildFailed`.
    """
    unknown = given.keys() - {spec.name for spec in model.config.inputs}
    if unknown:
        names = ", ".join(spec.name for spec in model.config.inputs)
        raise BuildFailed(
            model=model.name,
            problem=f"has no input {sorted(unknown)[0]!r}",
            hint=f"its inputs are {names}",
        )
    batch = _batch(model, max_batch_size)
    return {spec.name: _range(model, spec, given, batch) for spec in model.config.inputs}


def batch_limit(model: StoredModel, wished: int | None) -> int:
    """`max_batch_size` of what is built; raises `BuildFailed` where it cannot be as wished."""
    limit = model.config.max_batch_size
    if wished is not None and limit == 0:
        raise BuildFailed(
            model=model.name,
            problem="has no batch axis (max_batch_size: 0), so a batch size cannot be given",
        )
    return limit if wished is None else wished


def _batch(model: StoredModel, wished: int | None) -> tuple[Shape, Shape, Shape]:
    limit = batch_limit(model, wished)
    if limit == 0:
        return (), (), ()
    preferred = model.config.batching.preferred_sizes if model.config.batching else ()
    within = [size for size in preferred if size <= limit]
    return (1,), (within[-1] if within and wished is None else limit,), (limit,)


def _range(
    model: StoredModel,
    spec: TensorSpec,
    given: Mapping[str, str],
    batch: tuple[Shape, Shape, Shape],
) -> Range:
    if -1 not in spec.dims and spec.name not in given:
        return Range(min=batch[0] + spec.dims, opt=batch[1] + spec.dims, max=batch[2] + spec.dims)
    key = f"{PROFILE_PARAMETER}{spec.name}"
    text = given.get(spec.name, model.parameters.get(key))
    if text is None:
        raise BuildFailed(
            model=model.name,
            problem=f"input {spec.name!r} has dynamic dims {list(spec.dims)} and no bounds",
            hint=f"say --shape {spec.name}='MIN OPT MAX' (shapes such as 32x32x3, without the "
            f"batch axis), or write parameters {{ key: {key!r} … }} into {model.config.file}",
        )
    low, best, high = _shapes(model, spec, text)
    return Range(min=batch[0] + low, opt=batch[1] + best, max=batch[2] + high)


def _shapes(model: StoredModel, spec: TensorSpec, text: str) -> tuple[Shape, Shape, Shape]:
    words = text.split()
    if len(words) != 3 or not all(_SHAPE.fullmatch(word) for word in words):
        raise _wrong(model, spec, text, "is no three shapes such as 32x32x3 640x480x3 1536x1536x3")
    low, best, high = (tuple(int(side) for side in word.split("x")) for word in words)
    for shape in (low, best, high):
        if not matches(shape, spec.dims):
            raise _wrong(model, spec, text, f"does not fit dims {list(spec.dims)}")
    ordered = all(a <= b <= c for a, b, c in zip(low, best, high, strict=True))
    if not ordered:
        raise _wrong(model, spec, text, "is not in order: min ≤ opt ≤ max in every axis")
    return low, best, high


def _wrong(model: StoredModel, spec: TensorSpec, text: str, problem: str) -> BuildFailed:
    return BuildFailed(
        model=model.name,
        problem=f"the profile {text!r} of input {spec.name!r} {problem}",
        hint=f"say --shape {spec.name}='MIN OPT MAX', without the batch axis",
    )
