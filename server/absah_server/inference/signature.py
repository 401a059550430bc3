"""Compare what config.pbtxt says of a model's tensors with what its graph says.

The rules are those by which Triton's ONNX Runtime backend accepts a model, so a repository that
passes here loads there: names and types are equal; with `max_batch_size` the first axis is
dynamic and left out of `dims`; an input's `dims` may be narrower than the graph (a size where the
graph takes any), an output's must say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from absah_server.core.errors import ModelInvalid
from absah_server.inference.config import ModelConfig, TensorSpec
from absah_server.inference.repository import StoredModel


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphTensor:
    """A tensor of the graph; `shape` has all axes, -1 is any size, empty is not known."""

    name: str
    data_type: str
    shape: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """The inputs and outputs of a graph."""

    inputs: tuple[GraphTensor, ...]
    outputs: tuple[GraphTensor, ...]


def check(model: StoredModel, signature: Signature) -> None:
    """Raise `ModelInvalid` where the config contradicts the graph."""
    config = model.config
    _check_tensors(model, "input", config.inputs, signature.inputs)
    _check_tensors(model, "output", config.outputs, signature.outputs)
    listed = {tensor.name for tensor in config.inputs}
    for tensor in signature.inputs:
        if tensor.name not in listed:
            raise _invalid(config, "input", f"lacks {tensor.name!r}, which {_of(model)} takes")


def _check_tensors(
    model: StoredModel, kind: str, specs: Sequence[TensorSpec], tensors: Sequence[GraphTensor]
) -> None:
    by_name = {tensor.name: tensor for tensor in tensors}
    for index, spec in enumerate(specs):
        place = f"{kind}[{index}]"
        tensor = by_name.get(spec.name)
        if tensor is None:
            raise _invalid(
                model.config,
                f"{place}.name",
                f"{_of(model)} has no {kind} {spec.name!r}",
                f"it has {', '.join(repr(name) for name in by_name)}",
            )
        _check_tensor(model, kind, place, spec, tensor)


def _check_tensor(
    model: StoredModel, kind: str, place: str, spec: TensorSpec, tensor: GraphTensor
) -> None:
    config = model.config
    if spec.data_type != tensor.data_type:
        raise _invalid(
            config,
            f"{place}.data_type",
            f"is TYPE_{spec.data_type}, but {_of(model)} says TYPE_{tensor.data_type}",
        )
    if not tensor.shape:
        return
    shape = tensor.shape
    if config.max_batch_size > 0:
        if shape[0] != -1:
            raise _invalid(
                config,
                "max_batch_size",
                f"is {config.max_batch_size}, but the first axis of {kind} {spec.name!r} in "
                f"{_of(model)} is fixed: {list(shape)}",
                "export the model with a dynamic batch axis, or set max_batch_size: 0",
            )
        shape = shape[1:]
    if not _compatible(spec.dims, shape, exact=kind == "output"):
        raise _invalid(
            config,
            f"{place}.dims",
            f"are {list(spec.dims)}, but {_of(model)} says {list(shape)}"
            + (" after the batch axis" if config.max_batch_size else ""),
        )


def _compatible(dims: tuple[int, ...], shape: tuple[int, ...], *, exact: bool) -> bool:
    if len(dims) != len(shape):
        return False
    return all(
        dim == size or (size == -1 and not exact) for dim, size in zip(dims, shape, strict=True)
    )


def _of(model: StoredModel) -> str:
    return f"{model.version}/{model.config.model_filename}"


def _invalid(config: ModelConfig, place: str, problem: str, hint: str = "") -> ModelInvalid:
    return ModelInvalid(
        model=config.name, file=str(config.file), field=place, problem=problem, hint=hint
    )
