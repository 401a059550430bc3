"""What a golden set is to the gate: cases, a judgement of each, one figure over all."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from absah_sdk import AbsahError, Outcome, Result

NO_SETTINGS: Mapping[str, Any] = types.MappingProxyType({})


class GoldenSetInvalid(AbsahError):
    """A folder of documents with known answers cannot be used; `place` is such as "line 7"."""

    def __init__(self, file: Path, problem: str, *, place: str = "") -> None:
        self.file = file
        self.place = place
        self.problem = problem
        super().__init__(f"{file}, {place}: {problem}" if place else f"{file}: {problem}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One document; `truth` is the task's own, None where the current version's answer is it."""

    name: str
    content: bytes | str
    filename: str = ""
    truth: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """How a version did on a case.

    `counted` is what the figure is made of; `loss` is 0 for a perfect answer, more for worse;
    `detail` tells a person what was wrong. `answered` is False where there was nothing to judge.
    """

    case: str
    answered: bool
    counted: Any
    loss: float
    detail: str


class Task(Protocol):
    """A kind of golden set. The figure is a share of 0 to 1."""

    checker: str
    metric: str
    higher_is_better: bool
    tolerance: float
    """How much worse than the current version's a candidate's figure may be."""
    settings: Mapping[str, Any]
    """What the checker must be told so that its answers can be judged."""

    def cases(self, folder: Path | None) -> list[Case]:
        """The set of a folder, or the one that comes with Absah; raises `GoldenSetInvalid`."""

    def truth(self, result: Result, labels: Sequence[str]) -> Any:
        """A truth made of the current version's answer, for cases that have none."""

    def judge(self, case: Case, result: Result, labels: Sequence[str]) -> Judged:
        """Compare an answer with the truth."""

    def figure(self, judged: Sequence[Judged]) -> float:
        """The metric over all cases."""


def answered(result: Result) -> bool:
    """Whether the check came to a result; one that did not counts as all wrong."""
    return result.outcome not in (Outcome.ERROR, Outcome.SKIPPED)


def read_text(file: Path) -> str:
    """What a text file of a golden set holds; raises `GoldenSetInvalid` or OSError."""
    content = file.read_bytes()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as exc:
        line = content[: exc.start].count(b"\n") + 1
        raise GoldenSetInvalid(file, "is not UTF-8", place=f"line {line}") from exc
