"""Turn tensors into Triton's messages and back, for both ways of sending: by gRPC and by memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from tritonclient.grpc import InferInput, InferRequestedOutput

from absah_sdk.checking import Array
from absah_server.inference.config import ModelConfig, TensorSpec
from absah_server.inference.portions import Tensors
from absah_server.inference.triton.shared_memory import Region

Sizes = Mapping[str, int]
"""Bytes of each output."""

_ALIGNMENT = 64


def inputs(config: ModelConfig, tensors: Tensors) -> list[InferInput]:
    """Inputs that carry their contents."""
    made = []
    for spec in config.inputs:
        tensor = _input(spec, tensors[spec.name])
        tensor.set_data_from_numpy(tensors[spec.name])
        made.append(tensor)
    return made


def outputs(config: ModelConfig) -> list[InferRequestedOutput]:
    """The outputs that the config names, sent back with their contents."""
    return [InferRequestedOutput(spec.name) for spec in config.outputs]


def arrays(config: ModelConfig, response: Any) -> Tensors:
    """The outputs of a response that carries their contents; read-only views into it."""
    found = {spec.name: _array(spec, response.as_numpy(spec.name)) for spec in config.outputs}
    return {name: array for name, array in found.items() if array is not None}


def needed(tensors: Tensors, sizes: Sizes) -> int:
    """Bytes of a region that holds these inputs and outputs of these sizes."""
    return sum(_aligned(array.nbytes) for array in tensors.values()) + sum(
        _aligned(size) for size in sizes.values()
    )


class Placement:
    """A request's tensors in a region: inputs one after another, then room for outputs."""

    def __init__(self, config: ModelConfig, tensors: Tensors, sizes: Sizes, region: Region) -> None:
        self._config = config
        self._region = region
        self._offsets: dict[str, int] = {}
        self.inputs: list[InferInput] = []
        self.outputs: list[InferRequestedOutput] = []
        offset = 0
        for spec in config.inputs:
            array = tensors[spec.name]
            region.write(offset, array)
            tensor = _input(spec, array)
            tensor.set_shared_memory(region.name, array.nbytes, offset)
            self.inputs.append(tensor)
            offset += _aligned(array.nbytes)
        for spec in config.outputs:
            output = InferRequestedOutput(spec.name)
            if spec.name in sizes:
                output.set_shared_memory(region.name, sizes[spec.name], offset)
                self._offsets[spec.name] = offset
                offset += _aligned(sizes[spec.name])
            self.outputs.append(output)

    def arrays(self, response: Any) -> Tensors:
        """The outputs; those in the region are copied out of it."""
        found = {}
        for spec in self._config.outputs:
            if spec.name in self._offsets:
                shape = tuple(response.get_output(spec.name).shape)
                found[spec.name] = self._region.read(self._offsets[spec.name], spec.dtype, shape)
            else:
                found[spec.name] = _array(spec, response.as_numpy(spec.name))
        return found


def _input(spec: TensorSpec, array: Array) -> InferInput:
    data_type = "BYTES" if spec.data_type == "STRING" else spec.data_type
    return InferInput(spec.name, list(array.shape), data_type)


def _array(spec: TensorSpec, array: Any) -> Any:
    if array is None or spec.data_type != "STRING":
        return array
    texts = [text.decode() if isinstance(text, bytes) else text for text in array.ravel()]
    return np.array(texts, np.object_).reshape(array.shape)


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
