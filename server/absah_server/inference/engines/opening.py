"""Open a model in the engine that was chosen for it (see `planning`), and verify one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from absah_server.core.errors import ModelInvalid
from absah_server.inference import planning, runtime, signature
from absah_server.inference.engines import Engine, EngineName, onnxruntime
from absah_server.inference.planning import Choice
from absah_server.inference.repository import Reading, StoredModel, read_repository
from absah_server.inference.tuning import Plan

log = logging.getLogger(__name__)


def open_engine(model: StoredModel, choice: Choice) -> Engine:
    """Open `model` as chosen.

    Where another engine than ONNX Runtime was chosen by rule or measurement and cannot open the
    model, ONNX Runtime does. Raises `ModelInvalid`.
    """
    try:
        return open_with(model, choice.plan)
    except ModelInvalid as exc:
        if choice.stated or choice.plan.engine is EngineName.ONNXRUNTIME:
            raise
        engine = open_with(model, replace(choice.plan, engine=EngineName.ONNXRUNTIME))
        log.warning("another engine serves", extra={"model": model.name, "error": str(exc)})
        return engine


def open_with(model: StoredModel, plan: Plan) -> Engine:
    """Open `model` by this plan and no other; raises `ModelInvalid`."""
    outputs = [tensor.name for tensor in model.config.outputs]
    wish = runtime.read(model)
    try:
        if plan.engine is EngineName.OPENVINO:
            from absah_server.inference.engines.openvino import OpenVinoEngine

            return OpenVinoEngine(
                model.file,
                output_names=outputs,
                threads=plan.threads,
                streams=plan.runs,
                precision=wish.precision,
            )
        return onnxruntime.OnnxRuntimeEngine(model.file, output_names=outputs, threads=plan.threads)
    except Exception as exc:
        raise _cannot_open(model, plan.engine, exc) from exc


def verify(model: StoredModel) -> None:
    """Check a model without preparing it to run: parameters, file, and config against graph.

    Raises `ModelInvalid`.
    """
    planning.choose(model)
    verify_graph(model)


def verify_graph(model: StoredModel) -> None:
    """Check that the file can be read and that the config does not contradict it.

    Raises `ModelInvalid`.
    """
    try:
        read = onnxruntime.read_signature(model.file)
    except Exception as exc:
        raise _cannot_open(model, EngineName.ONNXRUNTIME, exc) from exc
    signature.check(model, read)


def verify_repository(repository: Path) -> Reading:
    """Read a repository and verify each of its models; `errors` holds what is wrong with any."""
    return verified(read_repository(repository), verify)


def verified(reading: Reading, check: Callable[[StoredModel], None]) -> Reading:
    """What was read without the models for which the check raises `ModelInvalid`."""
    models: list[StoredModel] = []
    errors = list(reading.errors)
    for model in reading.models:
        try:
            check(model)
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


def first_line(exc: Exception) -> str:
    """The first line of what a runtime says; the rest is for its developers."""
    lines = str(exc).strip().splitlines()
    return lines[0] if lines else type(exc).__name__
