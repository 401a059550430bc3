"""Choose the engine for a model and open it."""

from __future__ import annotations

import importlib.util

from absah_server.core.errors import ModelInvalid
from absah_server.inference.engines import Engine, EngineName
from absah_server.inference.engines.onnxruntime import OnnxRuntimeEngine
from absah_server.inference.repository import StoredModel

ENGINE_PARAMETER = "absah.engine"
THREADS_PARAMETER = "intra_op_thread_count"
"""Threads of one execution; the name is that of Triton's ONNX Runtime backend."""


def open_engine(model: StoredModel, *, default: EngineName, threads: int, runs: int) -> Engine:
    """Open `model` for up to `runs` executions at once, `threads` each unless its config says.

    Raises `ModelInvalid`.
    """
    name = _engine_name(model, default)
    threads = _threads(model, threads)
    outputs = [tensor.name for tensor in model.config.outputs]
    try:
        if name is EngineName.OPENVINO:
            from absah_server.inference.engines.openvino import OpenVinoEngine

            return OpenVinoEngine(model.file, output_names=outputs, threads=threads, streams=runs)
        return OnnxRuntimeEngine(model.file, output_names=outputs, threads=threads)
    except Exception as exc:
        raise ModelInvalid(
            model=model.name,
            file=str(model.file),
            problem=f"cannot be opened by {name}: {_first_line(exc)}",
            hint="the file may be truncated or no ONNX model",
        ) from exc


def _engine_name(model: StoredModel, default: EngineName) -> EngineName:
    text = model.parameters.get(ENGINE_PARAMETER, default)
    try:
        name = EngineName(text)
    except ValueError as exc:
        raise _bad_parameter(
            model, ENGINE_PARAMETER, f"is {text!r}", f"one of {', '.join(EngineName)}"
        ) from exc
    if name is EngineName.AUTO:
        return EngineName.ONNXRUNTIME
    if name is EngineName.OPENVINO and importlib.util.find_spec("openvino") is None:
        raise _bad_parameter(
            model, ENGINE_PARAMETER, "openvino is not installed", "pip install absah[openvino]"
        )
    return name


def _threads(model: StoredModel, default: int) -> int:
    text = model.parameters.get(THREADS_PARAMETER, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise _bad_parameter(model, THREADS_PARAMETER, f"is {text!r}", "a count of 1 or more")
    return int(text)


def _bad_parameter(model: StoredModel, key: str, problem: str, hint: str) -> ModelInvalid:
    return ModelInvalid(
        model=model.name,
        file=str(model.config.file),
        field=f"parameters[{key!r}]",
        problem=problem,
        hint=hint,
    )


def _first_line(exc: Exception) -> str:
    lines = str(exc).strip().splitlines()
    return lines[0] if lines else type(exc).__name__
