"""Which golden set measures a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from absah_ops.models.golden.entities import Entities
from absah_ops.models.golden.objects import Detection
from absah_ops.models.golden.reading import Reading
from absah_ops.models.golden.splices import Tampering
from absah_ops.models.golden.task import Task
from absah_sdk import AbsahError
from absah_server import platform
from absah_server.inference.repository import StoredModel
from absah_server.settings import Settings

TASKS: tuple[type[Task], ...] = (Reading, Detection, Entities, Tampering)
CHECKER_PARAMETER = "absah.checker"
"""In a model's config: the checker that it was brought for."""


def choose(model: StoredModel) -> Task:
    """The task of the checker that uses the model, or that it was imported for.

    Raises `AbsahError` where there is none.
    """
    checker = model.parameters.get(CHECKER_PARAMETER) or _user(model.name)
    for task in TASKS:
        if task.checker == checker:
            return task()
    known = ", ".join(task.checker for task in TASKS)
    raise AbsahError(
        f"no golden set measures the model {model.name}: it is used by none of {known}, and its "
        f"config has no parameter {CHECKER_PARAMETER} that names one"
    )


def settings(task: Task, pins: Mapping[str, str], model: str) -> Settings:
    """Settings under which the task's checker runs these versions, and uses the model."""
    base = Settings()
    own: dict[str, Any] = {**base.checkers.get(task.checker, {}), **task.settings}
    registered = platform.load_registry(base).checkers[task.checker]
    if (
        model not in registered.checker.models
        and "model" in type(registered.checker.settings).model_fields
    ):
        own["model"] = model
    inference = base.inference.model_copy(update={"pins": dict(pins)})
    return base.model_copy(
        update={"inference": inference, "checkers": {**base.checkers, task.checker: own}}
    )


def _user(model: str) -> str:
    registered = platform.load_registry(Settings()).checkers.values()
    users = (each.checker for each in registered if model in each.checker.models)
    return next((checker.name for checker in users), "")
