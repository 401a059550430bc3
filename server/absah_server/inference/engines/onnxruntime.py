"""Execute ONNX models with ONNX Runtime on the CPU.

Threads never spin: on few cores a spinning pool takes the core that another batch needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnxruntime
from absah_sdk.checking import Array

from absah_server.inference.engines import EngineName
from absah_server.inference.signature import GraphTensor, Signature

_DATA_TYPES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "float": "FP32",
    "double": "FP64",
    "string": "STRING",
    "bfloat16": "BF16",
}


class OnnxRuntimeRun:
    """One execution of a session."""

    def __init__(self, session: onnxruntime.InferenceSession, output_names: list[str]) -> None:
        self._session = session
        self._output_names = output_names
        self._options = onnxruntime.RunOptions()

    def execute(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run the session; it gives up the GIL meanwhile."""
        outputs = self._session.run(self._output_names, dict(inputs), self._options)
        return dict(zip(self._output_names, outputs, strict=True))

    def stop(self) -> None:
        """Ask the session to give up between two nodes of the graph."""
        self._options.terminate = True


class OnnxRuntimeEngine:
    """A session, shared by all executions of the model so that its weights are held once."""

    name = EngineName.ONNXRUNTIME

    def __init__(self, file: Path, *, output_names: list[str], threads: int = 1) -> None:
        self._output_names = output_names
        self._session = onnxruntime.InferenceSession(
            file, _session_options(threads), providers=["CPUExecutionProvider"]
        )

    def signature(self) -> Signature:
        """The tensors of the graph, as ONNX Runtime inferred them."""
        return _signature(self._session)

    def new_run(self) -> OnnxRuntimeRun:
        """Prepare an execution."""
        return OnnxRuntimeRun(self._session, self._output_names)


def read_signature(file: Path) -> Signature:
    """Read a model's signature without preparing it for execution."""
    options = _session_options(threads=1)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.disable_prepacking", "1")
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    return _signature(session)


def _session_options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options


def _signature(session: onnxruntime.InferenceSession) -> Signature:
    return Signature(
        inputs=tuple(_tensor(node) for node in session.get_inputs()),
        outputs=tuple(_tensor(node) for node in session.get_outputs()),
    )


def _tensor(node: onnxruntime.NodeArg) -> GraphTensor:
    element = node.type.removeprefix("tensor(").removesuffix(")")
    return GraphTensor(
        name=node.name,
        data_type=_DATA_TYPES.get(element, node.type),
        # A dynamic axis is a name, None or, in some exports, a negative size.
        shape=tuple(d if isinstance(d, int) and d >= 0 else -1 for d in node.shape),
    )
