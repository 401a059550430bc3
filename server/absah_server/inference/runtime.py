"""Read what a version asks of the runtime that executes it: runtime.json in the version's folder.

    {"engine": "openvino", "precision": "bf16"}

It is for a version that was built for one engine, or may be executed at another precision than
the f32 that all engines agree in; such a version is a candidate like any other and has to pass
the gate of `absah models promote`. Where the engine is not installed, and in a Triton server, the
version's model.onnx is executed as it is. Without that file nothing is asked.
"""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from typing import Any

from absah_server.core.errors import ModelInvalid
from absah_server.inference.engines import EngineName
from absah_server.inference.repository import StoredModel

RUNTIME_NAME = "runtime.json"


class Precision(enum.StrEnum):
    """What an engine may compute in."""

    F32 = "f32"
    BF16 = "bf16"
    """Where the processor has it; OpenVINO alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RuntimeWish:
    """What a version asks for; AUTO and f32 where it asks for nothing."""

    engine: EngineName = EngineName.AUTO
    precision: Precision = Precision.F32


def read(model: StoredModel) -> RuntimeWish:
    """What this version asks for; raises `ModelInvalid`."""
    file = model.directory / model.version / RUNTIME_NAME
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return RuntimeWish()
    except (OSError, ValueError) as exc:
        raise _invalid(model, "", f"cannot be read: {exc}") from exc
    if not isinstance(stored, dict) or not stored.keys() <= {"engine", "precision"}:
        raise _invalid(model, "", 'holds something else than "engine" and "precision"')
    return RuntimeWish(
        engine=_word(model, stored, "engine", EngineName.AUTO),
        precision=_word(model, stored, "precision", Precision.F32),
    )


def to_json(wish: RuntimeWish) -> str:
    """The content of runtime.json."""
    return json.dumps({"engine": wish.engine, "precision": wish.precision}, indent=2) + "\n"


def _word(model: StoredModel, stored: dict[str, Any], key: str, default: Any) -> Any:
    kind = type(default)
    try:
        return kind(stored.get(key, default))
    except ValueError as exc:
        known = ", ".join(word.value for word in kind)
        raise _invalid(model, key, f"is {stored[key]!r}, not one of {known}") from exc


def _invalid(model: StoredModel, field: str, problem: str) -> ModelInvalid:
    return ModelInvalid(
        model=model.name,
        file=str(model.directory / model.version / RUNTIME_NAME),
        field=field,
        problem=problem,
    )
