"""Check the tensors of a request against the model's config and cut them into loads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from absah_sdk import InferenceFailed
from absah_sdk.checking import Array

from absah_server.inference.config import ModelConfig, TensorSpec
from absah_server.inference.repository import StoredModel

Tensors = Mapping[str, Array]
ItemShapes = tuple[tuple[int, ...], ...]
"""The shapes of a request's inputs without the batch axis, in the order of the config."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """Tensors for one batch at most, and how many items (rows of the batch axis) they hold."""

    tensors: Tensors
    items: int


def split(model: StoredModel, inputs: Tensors) -> list[Load]:
    """Cut a request into loads of up to `max_batch_size` items; views, not copies.

    A model without a batch axis takes the request whole, as one item. Raises `InferenceFailed`
    where the inputs are not those that the config names, or of another type or shape.
    """
    config = model.config
    if len(inputs) != len(config.inputs):
        raise _wrong(config, f"takes {[t.name for t in config.inputs]}, not {sorted(inputs)}")
    if config.max_batch_size == 0:
        for spec in config.inputs:
            _check(config, spec, inputs, batch_axes=0)
        return [Load(tensors=inputs, items=1)]
    counts = {_check(config, spec, inputs, batch_axes=1).shape[0] for spec in config.inputs}
    items = counts.pop()
    if counts or items == 0:
        raise _wrong(config, "takes inputs of the same number of items, at least one")
    size = config.max_batch_size
    if items <= size:
        return [Load(tensors=inputs, items=items)]
    return [
        Load(
            tensors={name: array[start : start + size] for name, array in inputs.items()},
            items=min(size, items - start),
        )
        for start in range(0, items, size)
    ]


def join(parts: Sequence[Tensors]) -> Tensors:
    """Put the outputs of a cut request together again."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def item_shapes(model: StoredModel, inputs: Tensors) -> ItemShapes:
    """What must be equal for two requests to share a batch; types are fixed by the config."""
    axes = 1 if model.config.max_batch_size else 0
    return tuple(inputs[spec.name].shape[axes:] for spec in model.config.inputs)


def _check(config: ModelConfig, spec: TensorSpec, inputs: Tensors, *, batch_axes: int) -> Array:
    array = inputs.get(spec.name)
    if array is None:
        raise _wrong(config, f"lacks input {spec.name!r}")
    if array.dtype != spec.dtype:
        raise _wrong(config, f"takes {spec.name!r} as {spec.dtype}, not {array.dtype}")
    shape = array.shape[batch_axes:]
    fits = len(shape) == len(spec.dims) and all(
        dim in (-1, size) for dim, size in zip(spec.dims, shape, strict=True)
    )
    if array.ndim != len(spec.dims) + batch_axes or not fits:
        raise _wrong(config, f"takes {spec.name!r} of shape {spec.dims}, not {shape}")
    return array


def _wrong(config: ModelConfig, problem: str) -> InferenceFailed:
    return InferenceFailed(f"model {config.name!r} {problem}")
