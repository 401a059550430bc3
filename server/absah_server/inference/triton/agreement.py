"""Check that what a Triton server serves under a model's name is the repository's own model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tritonclient.grpc import model_config_pb2

from absah_server.core.errors import ModelInvalid
from absah_server.inference.config import TensorSpec
from absah_server.inference.repository import StoredModel


def check(model: StoredModel, remote: Any, address: str) -> None:
    """Raise `ModelInvalid` where the `ModelConfig` of the server contradicts config.pbtxt.

    Compared is what answers depend on: the tensors, the size of a batch and the parameters that
    checkers read. How a server schedules and where it runs the model is its own affair.
    """
    _check_batch_size(model, remote.max_batch_size, address)
    _check_tensors(model, "input", model.config.inputs, remote.input, address)
    _check_tensors(model, "output", model.config.outputs, remote.output, address)
    for key, value in model.parameters.items():
        theirs = remote.parameters[key].string_value if key in remote.parameters else None
        if theirs != value:
            raise _contradicts(model, f"parameters[{key!r}]", repr(value), repr(theirs), address)


def _check_batch_size(model: StoredModel, theirs: int, address: str) -> None:
    ours = model.config.max_batch_size
    if theirs < ours or (theirs > 0) != (ours > 0):
        raise _contradicts(model, "max_batch_size", str(ours), str(theirs), address)


def _check_tensors(
    model: StoredModel, kind: str, ours: Sequence[TensorSpec], theirs: Sequence[Any], address: str
) -> None:
    by_name = {tensor.name: tensor for tensor in theirs}
    for index, spec in enumerate(ours):
        place = f"{kind}[{index}]"
        tensor = by_name.pop(spec.name, None)
        if tensor is None:
            raise _contradicts(
                model, f"{place}.name", repr(spec.name), str(sorted(by_name)), address
            )
        data_type = model_config_pb2.DataType.Name(tensor.data_type)
        if data_type != f"TYPE_{spec.data_type}":
            raise _contradicts(
                model, f"{place}.data_type", f"TYPE_{spec.data_type}", data_type, address
            )
        if tuple(tensor.dims) != spec.dims:
            raise _contradicts(
                model, f"{place}.dims", str(list(spec.dims)), str(list(tensor.dims)), address
            )
    if by_name and kind == "input":
        raise _contradicts(model, kind, str([spec.name for spec in ours]), str([*by_name]), address)


def _contradicts(
    model: StoredModel, field: str, ours: str, theirs: str, address: str
) -> ModelInvalid:
    return ModelInvalid(
        model=model.name,
        file=str(model.config.file),
        field=field,
        problem=f"is {ours}, but Triton at {address} says {theirs}",
        hint="let both read the same model repository, then load the model again",
    )
