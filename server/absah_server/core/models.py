"""Models as operators see them: versions, which of them answer, and how a candidate agrees."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol


class Mode(enum.StrEnum):
    """How a candidate takes part."""

    SHADOW = "shadow"
    """It is run on a share of the requests too; the current version answers."""
    CANARY = "canary"
    """It answers a share of the checks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A version on trial; `share` is more than 0 and at most 1."""

    version: str
    mode: Mode
    share: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Rollout:
    """Which versions of a model answer."""

    current: str
    previous: str | None = None
    candidate: Candidate | None = None

    def versions(self) -> frozenset[str]:
        """Those that must be loaded."""
        return frozenset({self.current} | ({self.candidate.version} if self.candidate else set()))

    def in_brief(self) -> dict[str, object]:
        """What an audit event tells of it."""
        brief: dict[str, object] = {"current": self.current}
        if self.previous is not None:
            brief["previous"] = self.previous
        if self.candidate is not None:
            brief |= {
                "candidate": self.candidate.version,
                "mode": self.candidate.mode.value,
                "share": self.candidate.share,
            }
        return brief

    def promoted(self, version: str) -> Rollout:
        """This version answers, and the one that did is remembered."""
        previous = self.previous if version == self.current else self.current
        return Rollout(current=version, previous=previous)

    def rolled_back(self) -> Rollout | None:
        """One step back: without the candidate, or else to the version before; None if neither."""
        if self.candidate is not None:
            return replace(self, candidate=None)
        if self.previous is None:
            return None
        return Rollout(current=self.previous, previous=self.current)


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """Why a rollout was changed; `figures` are those of the gate, where it was asked."""

    action: str
    by: str
    reason: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)


class Statistics(Protocol):
    """What a version did since it was loaded; see `absah.admin.v1.ModelStatistics`."""

    @property
    def requests(self) -> int: ...
    @property
    def succeeded(self) -> int: ...
    @property
    def failed(self) -> int: ...
    @property
    def dropped(self) -> int: ...
    @property
    def refused(self) -> int: ...
    @property
    def items(self) -> int: ...
    @property
    def batches(self) -> int: ...
    @property
    def queue_seconds(self) -> float: ...
    @property
    def compute_seconds(self) -> float: ...
    @property
    def queued(self) -> int: ...
    @property
    def running(self) -> int: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionState:
    """A loaded version; `statistics` is None where its engine does not count."""

    version: str
    digest: str
    engine: str
    statistics: Statistics | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelState:
    """A model: `rollout` is None and `versions` is empty where it is not served.

    `problem` says why it is not, or why its rollout file is not followed.
    """

    name: str
    rollout: Rollout | None
    versions: Sequence[VersionState]
    problem: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """How one output of a candidate agrees with the current version's, over many requests.

    `within` counts the `requests` whose every element is within tolerance; those of different
    shapes count in nothing else. `largest` and `total` are of |a - b| over `elements`. Of `rows`
    along the last axis, `same_argmax_rows` have their largest element at the same place.
    """

    requests: int = 0
    different_shapes: int = 0
    within: int = 0
    elements: int = 0
    largest: float = 0.0
    total: float = 0.0
    rows: int = 0
    same_argmax_rows: int = 0

    @property
    def within_tolerance(self) -> float:
        """Share of the requests of equal shape."""
        return self.within / self.requests if self.requests else 0.0

    @property
    def mean_difference(self) -> float:
        """Over all elements."""
        return self.total / self.elements if self.elements else 0.0

    @property
    def same_argmax(self) -> float | None:
        """Share of the rows; None without rows."""
        return self.same_argmax_rows / self.rows if self.rows else None


@dataclass(frozen=True, kw_only=True, slots=True)
class ShadowReport:
    """How a candidate in shadow mode agreed; see `absah.admin.v1.ShadowReport`."""

    current: str
    candidate: str
    start: datetime.datetime
    drawn: int
    compared: int
    dropped: int
    failed: int
    outputs: Mapping[str, Agreement]
    current_seconds: float
    candidate_seconds: float
    absolute_tolerance: float
    relative_tolerance: float


class ModelLife(Protocol):
    """What operators do to the models of a running server.

    All raise `ModelUnknown` for what the repository does not hold, and `ModelInvalid` for what
    cannot be loaded.
    """

    def states(self) -> Sequence[ModelState]:
        """Every model by name, those too that are not served."""

    def state(self, model: str) -> ModelState:
        """One model."""

    async def load(self, model: str, version: str | None) -> None:
        """Load a version, None for the current one, beside the others."""

    async def unload(self, model: str, version: str) -> None:
        """Unload a version; raises `ModelInUse` where the rollout names it."""

    async def set_rollout(
        self, model: str, rollout: Rollout, change: Change, digests: Mapping[str, str]
    ) -> None:
        """Follow a rollout and write it down.

        `digests` are what versions must have. Raises `RequestInvalid` or `RolloutRefused`.
        """

    async def roll_back(self, model: str, change: Change) -> None:
        """Go back one step; raises `RolloutRefused` where there is none."""

    def shadow_report(self, model: str) -> ShadowReport:
        """How the candidate agreed so far; raises `RolloutRefused` without one in shadow mode."""
