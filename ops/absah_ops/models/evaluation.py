"""Measure versions of a model on a golden set, and say whether one may replace another."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from absah_ops.models.golden import choosing
from absah_ops.models.golden.task import Case, Judged, Task
from absah_sdk import Result
from absah_server import harness
from absah_server.inference.repository import StoredModel

Done = Callable[[], object]
"""Called after each check."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One version on one golden set; `seconds` is the mean time of a check."""

    version: str
    metric: str
    figure: float
    judged: Sequence[Judged]
    seconds: float

    @property
    def answered(self) -> bool:
        """Whether any check came to something that can be judged."""
        return any(judged.answered for judged in self.judged)


@dataclass(frozen=True, kw_only=True, slots=True)
class Worse:
    """A case that the candidate does worse than the current version."""

    case: str
    current: str
    candidate: str
    loss: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Whether a candidate may replace the current version; `change` below 0 is worse."""

    current: Measured
    candidate: Measured
    change: float
    tolerance: float
    untold: str
    """Why the golden set says nothing of the two versions; empty where it does."""
    worst: Sequence[Worse]

    @property
    def passed(self) -> bool:
        """Whether the candidate is at most the tolerance worse, on a set that tells."""
        return not self.untold and self.change >= -self.tolerance


async def answers(
    model: StoredModel, task: Task, cases: Sequence[Case], *, done: Done
) -> tuple[list[Result], float]:
    """What the task's checker answers with this version, and the mean seconds of a check.

    `done` is called after each. Raises `ModelInvalid` where the version cannot be loaded.
    """
    settings = choosing.settings(task, {model.name: model.version}, model.name)
    results = []
    async with harness.open_harness(task.checker, settings) as opened:
        began = time.perf_counter()
        for case in cases:
            checked = await opened.check(case.content, filename=case.filename)
            results.append(checked.result)
            done()
    return results, (time.perf_counter() - began) / max(len(cases), 1)


async def measure(
    model: StoredModel, task: Task, cases: Sequence[Case], *, done: Done = lambda: None
) -> Measured:
    """Measure one version; cases without a truth take its own answers for it."""
    results, seconds = await answers(model, task, cases, done=done)
    return _measured(model, task, _with_truth(model, task, cases, results), results, seconds)


async def compare(
    current: StoredModel,
    candidate: StoredModel,
    task: Task,
    cases: Sequence[Case],
    *,
    tolerance: float,
    worst: int = 5,
    done: Done = lambda: None,
) -> Verdict:
    """Measure both on the same cases; `worst` examples are kept."""
    before, before_seconds = await answers(current, task, cases, done=done)
    known = _with_truth(current, task, cases, before)
    after, after_seconds = await answers(candidate, task, cases, done=done)
    first = _measured(current, task, known, before, before_seconds)
    second = _measured(candidate, task, known, after, after_seconds)
    change = second.figure - first.figure
    return Verdict(
        current=first,
        candidate=second,
        change=change if task.higher_is_better else -change,
        tolerance=tolerance,
        untold=_untold(task, first, second),
        worst=_worst(first, second, worst),
    )


def _untold(task: Task, first: Measured, second: Measured) -> str:
    # Without an answer a figure is made up, such as the half of a coin toss.
    for each in (first, second):
        if not each.answered:
            return f"version {each.version} came to no result on this golden set"
    if all(_worst_possible(task, each.figure) for each in (first, second)):
        return "neither version gets anything right on this golden set"
    return ""


def _worst_possible(task: Task, figure: float) -> bool:
    return figure == 0.0 if task.higher_is_better else figure >= 1.0


def _with_truth(
    model: StoredModel, task: Task, cases: Sequence[Case], results: Sequence[Result]
) -> list[Case]:
    return [
        case if case.truth is not None else replace(case, truth=task.truth(result, model.labels))
        for case, result in zip(cases, results, strict=True)
    ]


def _measured(
    model: StoredModel,
    task: Task,
    cases: Sequence[Case],
    results: Sequence[Result],
    seconds: float,
) -> Measured:
    judged = [
        task.judge(case, result, model.labels) for case, result in zip(cases, results, strict=True)
    ]
    return Measured(
        version=model.version,
        metric=task.metric,
        figure=task.figure(judged),
        judged=judged,
        seconds=seconds,
    )


def _worst(current: Measured, candidate: Measured, count: int) -> list[Worse]:
    pairs = zip(current.judged, candidate.judged, strict=True)
    worse = [
        Worse(
            case=after.case,
            current=before.detail,
            candidate=after.detail,
            loss=after.loss - before.loss,
        )
        for before, after in pairs
        if after.loss > before.loss
    ]
    return sorted(worse, key=lambda each: -each.loss)[:count]
