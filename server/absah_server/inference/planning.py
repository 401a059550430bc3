"""Choose how a model is executed in this process, and say why."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, replace

from absah_server.core.errors import ModelInvalid
from absah_server.inference import runtime, tuning
from absah_server.inference.config import TensorSpec
from absah_server.inference.engines import EngineName
from absah_server.inference.processors import available_processors
from absah_server.inference.repository import StoredModel
from absah_server.inference.tuning import Plan

ENGINE_PARAMETER = "absah.engine"
THREADS_PARAMETER = "intra_op_thread_count"
"""Threads of one execution; the name is that of Triton's ONNX Runtime backend."""


_UNMEASURED = "by rule, since `absah models tune` has not measured it here"


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """A plan and where it comes from; `stated` is true where somebody asked for its engine."""

    plan: Plan
    why: str
    stated: bool = False


def choose(
    model: StoredModel,
    *,
    engine: EngineName = EngineName.AUTO,
    concurrent_runs: int | None = None,
    threads_per_run: int | None = None,
) -> Choice:
    """The plan for a model under these settings; None leaves a number to be found.

    The model's own word goes first (`absah.engine` and `intra_op_thread_count` in its config, or
    the version's runtime.json), then the settings, then what was measured on this machine, then
    a rule. A config's `instance_group` always bounds the executions.

    Raises `ModelInvalid`.
    """
    processors = available_processors()
    slots = concurrent_runs or processors
    runs = min(model.config.instances or slots, slots)
    stated, by = _stated(model, engine)
    threads = _stated_threads(model) or threads_per_run
    if stated is EngineName.AUTO and threads is None:
        measured = tuning.tuned(model)
        if measured is not None:
            plan = replace(measured.plan, runs=min(measured.plan.runs, runs))
            return Choice(plan=plan, why=f"measured on this machine {measured.time}")
    asked = stated is not EngineName.AUTO
    chosen, why = (stated, by) if asked else _by_rule(model)
    return Choice(
        plan=Plan(engine=chosen, runs=runs, threads=threads or max(1, processors // runs)),
        why=why,
        stated=asked,
    )


def explain(
    model: StoredModel,
    *,
    engine: EngineName = EngineName.AUTO,
    concurrent_runs: int | None = None,
    threads_per_run: int | None = None,
) -> str:
    """What `absah models show` says of a model's execution: the plan, why, and what was measured.

    One line, or as many more as plans were measured on this machine. Takes the settings that
    `choose` takes. Raises `ModelInvalid`.
    """
    choice = choose(
        model,
        engine=engine,
        concurrent_runs=concurrent_runs,
        threads_per_run=threads_per_run,
    )
    lines = [f"{choice.plan} ({choice.why})"]
    measured = tuning.tuned(model)
    for each in measured.measurements if measured else ():
        rates = ", ".join(f"{rate:.0f}/s at {callers}" for callers, rate in each.rates.items())
        refused = f"; not chosen: {each.refused}" if each.refused else ""
        lines.append(f"  {each.plan}: {rates}; {each.memory_bytes / 2**20:.0f} MiB{refused}")
    return "\n".join(lines)


def _stated(model: StoredModel, default: EngineName) -> tuple[EngineName, str]:
    """The engine that somebody asked for, and who."""
    text = model.parameters.get(ENGINE_PARAMETER)
    if text is not None:
        return _parameter_engine(model, text), f"{ENGINE_PARAMETER} in its config"
    of_version = runtime.read(model).engine
    if of_version is not EngineName.AUTO and is_installed(of_version):
        return of_version, f"{runtime.RUNTIME_NAME} of the version"
    return default, "the setting inference.engine"


def _by_rule(model: StoredModel) -> tuple[EngineName, str]:
    # OpenVINO keeps working memory for the largest shapes it has met. Under a load of documents
    # the text recogniser, whose lines are up to 3,300 pixels wide, took 530 MB more than in ONNX
    # Runtime, the text detector alone 890; the tagger of texts took 37 more and the classifier of
    # angles, whose input has one shape, 50.
    if not is_installed(EngineName.OPENVINO):
        return EngineName.ONNXRUNTIME, f"OpenVINO is not installed; {_UNMEASURED}"
    if any(-1 in spec.dims and len(spec.dims) > 2 for spec in model.config.inputs):
        return EngineName.ONNXRUNTIME, f"its pictures may have any size; {_UNMEASURED}"
    if any(spec.data_type in ("FP64", "STRING") for spec in _tensors(model)):
        return EngineName.ONNXRUNTIME, f"OpenVINO lacks its types; {_UNMEASURED}"
    return EngineName.OPENVINO, f"its inputs are texts, or pictures of one size; {_UNMEASURED}"


def _tensors(model: StoredModel) -> Iterator[TensorSpec]:
    yield from model.config.inputs
    yield from model.config.outputs


def is_installed(engine: EngineName) -> bool:
    """Whether a runtime can be imported; ONNX Runtime always can."""
    return engine is not EngineName.OPENVINO or importlib.util.find_spec("openvino") is not None


def _parameter_engine(model: StoredModel, text: str) -> EngineName:
    try:
        name = EngineName(text)
    except ValueError as exc:
        raise _bad_parameter(
            model, ENGINE_PARAMETER, f"is {text!r}", f"one of {', '.join(EngineName)}"
        ) from exc
    if not is_installed(name):
        raise _bad_parameter(
            model, ENGINE_PARAMETER, f"{name} is not installed", f"pip install absah[{name}]"
        )
    return name


def _stated_threads(model: StoredModel) -> int | None:
    text = model.parameters.get(THREADS_PARAMETER)
    if text is None:
        return None
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
