"""Choose the engine for a model and open it.

The setting says which engine serves, and a model's config may say otherwise for that model, with
`parameters { key: "absah.engine" value { string_value: "openvino" } }`. "auto" means ONNX
Runtime: with the text detector, text recogniser and object detector over varied shapes, two
executions at once, it peaked at 561 MB where OpenVINO (f32) took 1,909 MB, and started in 0.5 s
against 2.8 s, for the same processor time (15.9 s against 17.2 s). OpenVINO may be the better
choice for a model whose inputs have few shapes.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from absah_server.core.errors import ModelInvalid
from absah_server.inference import signature
from absah_server.inference.engines import Engine, EngineName, onnxruntime
from absah_server.inference.repository import Reading, StoredModel, read_repository

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
        return onnxruntime.OnnxRuntimeEngine(model.file, output_names=outputs, threads=threads)
    except Exception as exc:
        raise _cannot_open(model, name, exc) from exc


def verify(model: StoredModel) -> None:
    """Check a model without preparing it to run: parameters, file, and config against graph.

    Raises `ModelInvalid`.
    """
    _engine_name(model, EngineName.AUTO)
    _threads(model, 1)
    try:
        read = onnxruntime.read_signature(model.file)
    except Exception as exc:
        raise _cannot_open(model, EngineName.ONNXRUNTIME, exc) from exc
    signature.check(model, read)


def verify_repository(repository: Path) -> Reading:
    """Read a repository and verify each of its models; `errors` holds what is wrong with any."""
    reading = read_repository(repository)
    models: list[StoredModel] = []
    errors = list(reading.errors)
    for model in reading.models:
        try:
            verify(model)
        except ModelInvalid as exc:
            errors.append(exc)
        else:
            models.append(model)
    return Reading(models=tuple(models), errors=tuple(errors))


def _cannot_open(model: StoredModel, engine: EngineName, exc: Exception) -> ModelInvalid:
    return ModelInvalid(
        model=model.name,
        file=str(model.file),
        problem=f"cannot be opened by {engine}: {first_line(exc)}",
        hint="the file may be truncated or no ONNX model",
    )


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


def first_line(exc: Exception) -> str:
    """The first line of what a runtime says; the rest is for its developers."""
    lines = str(exc).strip().splitlines()
    return lines[0] if lines else type(exc).__name__
