"""Execute ONNX models with OpenVINO on the CPU, an optional extra.

Precision is held at f32 unless a version asks for another (see `runtime`): bf16, OpenVINO's own
choice on some processors, moves probabilities by hundredths, and the same request is to give the
same answer whichever runtime serves it. Where a graph itself stores weights in 4 or 8 bits and
lets activations be rounded (MatMulNBits), activations are rounded in groups of 32, four times
finer than ONNX Runtime rounds them for a graph with blocks of 128.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import openvino

from absah_sdk.checking import Array
from absah_server.inference.engines import EngineName, RunStopped, onnxruntime
from absah_server.inference.runtime import Precision
from absah_server.inference.signature import Signature

_ROUNDED_TOGETHER = "32"
"""Activations that share a scale where the graph lets them be rounded."""


_PRIMING = threading.Lock()


def _prime() -> None:
    """Let the bindings make their tables of types while no other thread can ask for them.

    They are made at the first tensor, by code that gives up the interpreter's lock while it holds
    a lock of its own: two threads whose first tensors meet wait for each other for ever.
    """
    with _PRIMING:
        np.array(openvino.Tensor(np.zeros(1, np.float32), shared_memory=True).data)


class OpenVinoRun:
    """One execution on an infer request that is borrowed for its time."""

    def __init__(self, engine: OpenVinoEngine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._request: openvino.InferRequest | None = None
        self._stopped = False

    def execute(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run the model; outputs are copied out of the request's memory."""
        request = self._engine.borrow()
        try:
            self._begin(request)
            request.infer(
                {name: np.ascontiguousarray(array) for name, array in inputs.items()},
                share_inputs=True,
            )
            return {
                name: np.array(request.get_tensor(name).data) for name in self._engine.output_names
            }
        except Exception as exc:
            if self._stopped:
                raise RunStopped from exc
            raise
        finally:
            self._end()
            self._engine.give_back(request)

    def stop(self) -> None:
        """Cancel the request that is running."""
        with self._lock:
            self._stopped = True
            if self._request is not None:
                self._request.cancel()

    def _begin(self, request: openvino.InferRequest) -> None:
        with self._lock:
            if self._stopped:
                raise RunStopped
            self._request = request

    def _end(self) -> None:
        with self._lock:
            self._request = None


class OpenVinoEngine:
    """A compiled model and its idle infer requests."""

    name = EngineName.OPENVINO

    def __init__(
        self,
        file: Path,
        *,
        output_names: list[str],
        threads: int,
        streams: int,
        precision: Precision = Precision.F32,
    ) -> None:
        # First, since of a damaged file OpenVINO's readers complain on standard error.
        self._signature = onnxruntime.read_signature(file)
        _prime()
        self.output_names = output_names
        self._idle: list[openvino.InferRequest] = []
        self._compiled = openvino.Core().compile_model(
            file,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": str(precision),
                "DYNAMIC_QUANTIZATION_GROUP_SIZE": _ROUNDED_TOGETHER,
                "NUM_STREAMS": str(streams),
                "INFERENCE_NUM_THREADS": str(threads * streams),
            },
        )

    def signature(self) -> Signature:
        """The tensors of the graph, as ONNX Runtime reads them: one truth for both engines."""
        return self._signature

    def new_run(self) -> OpenVinoRun:
        """Prepare an execution."""
        return OpenVinoRun(self)

    def borrow(self) -> openvino.InferRequest:
        """An idle infer request, or a new one; there are as many as ran at once."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._compiled.create_infer_request()

    def give_back(self, request: openvino.InferRequest) -> None:
        """Keep a request for the next execution."""
        self._idle.append(request)
