"""Make up the requests that a model is measured with."""

from __future__ import annotations

import numpy as np

from absah_sdk.checking import Array
from absah_server.inference import warmup
from absah_server.inference.repository import StoredModel

Tensors = dict[str, Array]

PROFILE_PARAMETER = "absah.profile."


def typical(model: StoredModel) -> Tensors:
    """One item of the size of the config's first warm-up sample.

    Pictures and other floats are noise, so that no zero is quicker than a number; integers are
    those of the sample, since a made-up one may be no index into the model's tables.
    """
    sample = next(iter(warmup.samples(model)))
    items = 1 if model.config.max_batch_size else None
    return {name: _noise(array[:items], name) for name, array in sample.inputs.items()}


def largest(model: StoredModel) -> Tensors:
    """A full batch of the largest items that are worth reckoning with.

    That is the bound of `absah.profile.INPUT`, but for an input with several dynamic axes at most
    twice the usual size in each: their bounds are seldom met together.
    """
    usual = typical(model)
    made = {}
    for spec in model.config.inputs:
        array = usual[spec.name]
        axes = 1 if model.config.max_batch_size else 0
        shape = _large(model, spec.name, spec.dims, array.shape[axes:])
        batch = (max(model.config.max_batch_size, 1),) if axes else ()
        made[spec.name] = _noise(np.resize(array, batch + shape), spec.name)
    return made


def deviation(one: Tensors, other: Tensors) -> float:
    """The largest difference of an output, over the largest magnitude of it in `one`."""
    worst = 0.0
    for name, array in one.items():
        a, b = array.astype(np.float64), other[name].astype(np.float64)
        if a.shape != b.shape:
            return float("inf")
        magnitude = max(float(np.abs(a).max(initial=0.0)), 1e-9)
        difference = float(np.abs(a - b).max(initial=0.0)) / magnitude
        # What is no number is no answer, and max() would pass it over.
        worst = max(worst, float("inf") if np.isnan(difference) else difference)
    return worst


def _large(
    model: StoredModel, name: str, dims: tuple[int, ...], usual: tuple[int, ...]
) -> tuple[int, ...]:
    words = model.parameters.get(f"{PROFILE_PARAMETER}{name}", "").split()
    if len(words) != 3:
        return usual
    bounds = [int(side) for side in words[2].split("x")]
    if sum(dim == -1 for dim in dims) > 1:
        bounds = [min(bound, 2 * side) for bound, side in zip(bounds, usual, strict=True)]
    return tuple(bounds)


def _noise(array: Array, name: str) -> Array:
    generator = np.random.default_rng(len(name))
    if array.dtype == np.uint8:
        return generator.integers(0, 256, array.shape, np.uint8)
    if array.dtype.kind == "f":
        return generator.random(array.shape).astype(array.dtype)
    return array
