"""Run a model once before its first request, so that slow first runs and mistakes show at start."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from absah_sdk.checking import Array
from absah_server.core.errors import ModelInvalid
from absah_server.inference.config import DTYPES, WarmUp, WarmUpInput
from absah_server.inference.engines import Engine
from absah_server.inference.engines.opening import first_line
from absah_server.inference.portions import Tensors, matches
from absah_server.inference.repository import StoredModel

log = logging.getLogger(__name__)

_DUMMY_SIZE = 64
"""Size of a dynamic axis in a made-up sample; a multiple of the strides that image models use."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A batch to warm up with; `place` is its field in the config, empty where it is made up."""

    place: str
    inputs: Tensors
    count: int = 1


def warm_up(model: StoredModel, engine: Engine) -> None:
    """Run the config's `model_warmup` samples, or one made up of zeros, in this thread.

    Raises `ModelInvalid` where the model fails on them or answers other shapes than its config
    says. A made-up sample may be one that the model cannot take: where the inputs have dynamic
    axes its failure is only logged.
    """
    for sample in samples(model):
        run = engine.new_run()
        try:
            for _ in range(sample.count):
                outputs = run.execute(sample.inputs)
        except Exception as exc:
            if not sample.place and _has_dynamic_axes(model):
                log.warning(
                    "warm-up skipped: add model_warmup to the config",
                    extra={"model": model.name, "error": type(exc).__name__},
                )
                continue
            raise ModelInvalid(
                model=model.name,
                file=str(model.config.file),
                field=sample.place,
                problem=f"warm-up failed: {first_line(exc)}",
            ) from exc
        _check_outputs(model, sample, outputs)


def _check_outputs(model: StoredModel, sample: Sample, outputs: Tensors) -> None:
    config = model.config
    first = next(iter(sample.inputs.values()))
    batch = first.shape[:1] if config.max_batch_size else ()
    for index, spec in enumerate(config.outputs):
        output = outputs[spec.name]
        expected = batch + spec.dims
        if not matches(output.shape, expected) or output.dtype != spec.dtype:
            raise ModelInvalid(
                model=model.name,
                file=str(config.file),
                field=f"output[{index}].dims",
                problem=f"the model answers {output.dtype} {list(output.shape)}, "
                f"not {spec.dtype} {list(expected)}",
            )


def _has_dynamic_axes(model: StoredModel) -> bool:
    return any(-1 in spec.dims for spec in model.config.inputs)


def samples(model: StoredModel) -> Iterator[Sample]:
    """The config's `model_warmup` samples, or one made up of zeros; raises `ModelInvalid`."""
    config = model.config
    for index, warm_up in enumerate(config.warm_ups):
        yield _configured(model, f"model_warmup[{index}]", warm_up)
    if not config.warm_ups:
        batch = (1,) if config.max_batch_size else ()
        yield Sample(
            place="",
            inputs={
                spec.name: _zeros(
                    spec.data_type,
                    batch + tuple(_DUMMY_SIZE if dim == -1 else dim for dim in spec.dims),
                )
                for spec in config.inputs
            },
        )


def _configured(model: StoredModel, place: str, warm_up: WarmUp) -> Sample:
    batch = (warm_up.batch_size,) if model.config.max_batch_size else ()
    return Sample(
        place=place,
        inputs={
            name: _tensor(model, f"{place}.inputs[{name!r}]", value, batch + value.dims)
            for name, value in warm_up.inputs.items()
        },
        count=warm_up.count,
    )


def _tensor(model: StoredModel, place: str, value: WarmUpInput, shape: tuple[int, ...]) -> Array:
    if value.file is not None:
        return _from_file(model, place, value, shape)
    dtype = DTYPES[value.data_type]
    if value.random and dtype.kind in "fiu":
        generator = np.random.default_rng(0)
        if dtype.kind == "f":
            return generator.random(shape).astype(dtype)
        # Small numbers: a large one may be no valid index into the model's tables.
        return generator.integers(0, 2, shape).astype(dtype)
    return _zeros(value.data_type, shape)


def _from_file(model: StoredModel, place: str, value: WarmUpInput, shape: tuple[int, ...]) -> Array:
    file = model.directory / "warmup" / str(value.file)
    try:
        # The file holds one item, as Triton has it, and is repeated along the batch axis.
        item = np.fromfile(file, dtype=DTYPES[value.data_type]).reshape(value.dims)
        return np.ascontiguousarray(np.broadcast_to(item, shape))
    except (OSError, ValueError, TypeError) as exc:
        raise ModelInvalid(
            model=model.name,
            file=str(model.config.file),
            field=f"{place}.input_data_file",
            problem=f"{file} cannot be read as {value.data_type} {list(value.dims)}: {exc}",
        ) from exc


def _zeros(data_type: str, shape: tuple[int, ...]) -> Array:
    if data_type == "STRING":
        return np.full(shape, "", dtype=np.object_)
    return np.zeros(shape, dtype=DTYPES[data_type])
