"""Run every checker on real documents, and keep what it found and what it asked of the models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from absah_ops.specimens import cases
from absah_sdk.checking import Array
from absah_server import platform
from absah_server.core.validation import CheckResult
from absah_server.harness import Harness
from absah_server.settings import Settings

CHECKERS = {
    "ocr": ("identity",),
    "objects": ("photo",),
    "entities": ("report",),
    "authenticity": ("photo",),
}
"""The roles of the documents that each checker is given."""
SEED = 11


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """What a checker asked of a model, and what it was answered."""

    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]


class Recorder:
    """Stands before an adapter and keeps what is asked of it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.calls: dict[str, list[Call]] = defaultdict(list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def infer(
        self, model: str, inputs: Mapping[str, Array], *, deadline: float
    ) -> Mapping[str, Array]:
        kept = {name: array.copy() for name, array in inputs.items()}
        answer: Mapping[str, Array] = await self._inner.infer(model, inputs, deadline=deadline)
        self.calls[model.partition("@")[0]].append(Call(inputs=kept, outputs=answer))
        return answer


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """Results by checker and file, and calls by model."""

    results: Mapping[tuple[str, str], CheckResult]
    calls: Mapping[str, Sequence[Call]]

    def largest(self, model: str, count: int) -> Sequence[Call]:
        """The calls of a model with the largest inputs."""
        calls = self.calls[model]
        return sorted(calls, key=lambda call: -sum(a.nbytes for a in call.inputs.values()))[:count]


async def record(settings: Settings) -> Recorded:
    """Check the documents of one drawn case."""
    loaded = platform.load_registry(settings)
    case = cases.make_case(SEED)
    results = {}
    async with platform.opened(settings, loaded) as parts:
        recorder = Recorder(parts.inference.inner)
        parts.inference.inner = recorder
        for checker, roles in CHECKERS.items():
            harness = Harness(checker, settings, parts)
            for role in roles:
                for name, content in case.files[role].items():
                    results[checker, name] = await harness.check(content, filename=name)
    return Recorded(results=results, calls=recorder.calls)
