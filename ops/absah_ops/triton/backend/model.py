"""Triton's `onnxruntime` backend where NVIDIA's is not to be had: ONNX Runtime in a Python stub.

Triton calls a "Python-based backend": the folder `<backend directory>/onnxruntime` holds this file,
and every model whose config.pbtxt says `backend: "onnxruntime"` is served by it, unchanged. It runs
in the server's own environment, which has numpy and ONNX Runtime and nothing of Absah, in one
process an instance of the model.

https://github.com/triton-inference-server/backend/blob/main/docs/python_based_backends.md
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import triton_python_backend_utils as triton

THREADS_VARIABLE = "ABSAH_TRITON_THREADS"
"""Threads of one execution, for models whose config does not say."""
THREADS_PARAMETER = "intra_op_thread_count"
LOG_FATAL = 4

Tensors = dict[str, Any]


class TritonPythonModel:
    """One instance of one version of a model."""

    def initialize(self, args: dict[str, str]) -> None:
        """Open the model's file; what this raises is Triton's answer to the load."""
        config = json.loads(args["model_config"])
        folder = Path(args["model_repository"]) / args["model_version"]
        self._inputs = [tensor["name"] for tensor in config["input"]]
        self._outputs = [tensor["name"] for tensor in config["output"]]
        self._batched = config["max_batch_size"] > 0
        self._session = onnxruntime.InferenceSession(
            str(folder / (config.get("default_model_filename") or "model.onnx")),
            _options(config),
            providers=["CPUExecutionProvider"],
        )

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Run the requests that Triton joined as one batch, and answer each."""
        inputs = [self._read(request) for request in requests]
        return [self._response(answer) for answer in self._answers(inputs)]

    def _read(self, request: Any) -> Tensors:
        return {
            name: _readable(triton.get_input_tensor_by_name(request, name).as_numpy())
            for name in self._inputs
        }

    def _answers(self, inputs: list[Tensors]) -> list[Tensors | Exception]:
        """Halves of a failed batch are run again, so that a bad request fails no neighbour."""
        if not inputs:
            return []
        try:
            return [*self._run(inputs)]
        except Exception as exc:
            if len(inputs) == 1:
                return [exc]
            middle = len(inputs) // 2
            return self._answers(inputs[:middle]) + self._answers(inputs[middle:])

    def _run(self, inputs: list[Tensors]) -> list[Tensors]:
        if not self._batched:
            return [self._infer(one) for one in inputs]
        joined = {name: np.concatenate([one[name] for one in inputs]) for name in self._inputs}
        outputs = self._infer(joined if len(inputs) > 1 else inputs[0])
        ends = np.cumsum([len(one[self._inputs[0]]) for one in inputs])
        _check_items(outputs, int(ends[-1]))
        parts = {name: np.split(outputs[name], ends[:-1]) for name in self._outputs}
        return [{name: parts[name][i] for name in self._outputs} for i in range(len(inputs))]

    def _infer(self, inputs: Tensors) -> Tensors:
        return dict(zip(self._outputs, self._session.run(self._outputs, inputs), strict=True))

    def _response(self, answer: Tensors | Exception) -> Any:
        if isinstance(answer, Exception):
            return triton.InferenceResponse(output_tensors=[], error=_error(answer))
        tensors = [
            triton.Tensor(name, np.ascontiguousarray(_writable(array)))
            for name, array in answer.items()
        ]
        return triton.InferenceResponse(output_tensors=tensors)


def _check_items(outputs: Tensors, items: int) -> None:
    for name, output in outputs.items():
        if output.shape[:1] != (items,):
            raise ValueError(f"output {name!r} is {output.shape} for a batch of {items}")


def _options(config: dict[str, Any]) -> Any:
    said = config.get("parameters", {}).get(THREADS_PARAMETER, {}).get("string_value")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = LOG_FATAL
    options.enable_mem_pattern = False
    options.intra_op_num_threads = int(said or os.environ.get(THREADS_VARIABLE, "1"))
    options.inter_op_num_threads = 1
    # A spinning thread takes the core that another instance needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _readable(array: Any) -> Any:
    """Texts come as bytes, and ONNX Runtime takes str."""
    if array.dtype != np.object_:
        return array
    return np.array([text.decode() for text in array.ravel()], np.object_).reshape(array.shape)


def _writable(array: Any) -> Any:
    if array.dtype != np.object_:
        return array
    return np.array([text.encode() for text in array.ravel()], np.object_).reshape(array.shape)


def _error(exc: Exception) -> Any:
    """The runtime's own words; they tell of shapes and nodes, never of contents."""
    said = str(exc).strip().splitlines() or [type(exc).__name__]
    kinds = (
        onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument,
        onnxruntime.capi.onnxruntime_pybind11_state.NoSuchFile,
    )
    code = triton.TritonError.INVALID_ARG if isinstance(exc, kinds) else triton.TritonError.INTERNAL
    return triton.TritonError(said[0], code)
