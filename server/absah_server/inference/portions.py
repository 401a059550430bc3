"""Check the tensors of a request against the model's config and cut them to the size of batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from absah_sdk import InferenceFailed
from absah_sdk.checking import Array
from absah_server.inference.config import ModelConfig, TensorSpec

Tensors = Mapping[str, Array]
ItemShapes = tuple[tuple[int, ...], ...]
"""The shapes of a request's inputs without the batch axis, in the order of the config."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Portion:
    """Tensors for one batch at most, and how many items (rows of the batch axis) they hold."""

    tensors: Tensors
    items: int


def cut(config: ModelConfig, inputs: Tensors) -> list[Portion]:
    """Cut a request into portions of up to `max_batch_size` items; views, not copies.

    A model without a batch axis takes the request whole, as one item. Raises `InferenceFailed`
    where the inputs are not those that the config names, or of another type or shape.
    """
    if len(inputs) != len(config.inputs):
        raise _wrong(config, f"takes {[t.name for t in config.inputs]}, not {sorted(inputs)}")
    for spec in config.inputs:
        _check(config, spec, inputs)
    size = config.max_batch_size
    if size == 0:
        return [Portion(tensors=inputs, items=1)]
    items = _count_items(config, inputs)
    if items <= size:
        return [Portion(tensors=inputs, items=items)]
    return [
        Portion(
            tensors={name: array[start : start + size] for name, array in inputs.items()},
            items=min(size, items - start),
        )
        for start in range(0, items, size)
    ]


def join(parts: Sequence[Tensors]) -> Tensors:
    """Put tensors together along the batch axis."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def item_shapes(config: ModelConfig, inputs: Tensors) -> ItemShapes:
    """What must be equal for two requests to share a batch; types are fixed by the config."""
    axes = 1 if config.max_batch_size else 0
    return tuple(inputs[spec.name].shape[axes:] for spec in config.inputs)


def _check(config: ModelConfig, spec: TensorSpec, inputs: Tensors) -> None:
    array = inputs.get(spec.name)
    if array is None:
        raise _wrong(config, f"lacks input {spec.name!r}")
    if array.dtype != spec.dtype:
        raise _wrong(config, f"takes {spec.name!r} as {spec.dtype}, not {array.dtype}")
    expected = (-1, *spec.dims) if config.max_batch_size else spec.dims
    if not matches(array.shape, expected):
        raise _wrong(
            config, f"takes {spec.name!r} of shape {list(expected)}, not {list(array.shape)}"
        )


def matches(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Whether a tensor's shape is as expected, where -1 is any size."""
    return len(shape) == len(expected) and all(
        dim in (-1, size) for dim, size in zip(expected, shape, strict=True)
    )


def _count_items(config: ModelConfig, inputs: Tensors) -> int:
    counts = {array.shape[0] for array in inputs.values()}
    if len(counts) != 1 or 0 in counts:
        raise _wrong(config, "takes inputs of the same number of items, at least one")
    items: int = counts.pop()
    return items


def _wrong(config: ModelConfig, problem: str) -> InferenceFailed:
    return InferenceFailed(f"model {config.name!r} {problem}")
