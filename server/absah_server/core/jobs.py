"""Jobs as operators see them: the work at a validation, and what may be done about it."""

from __future__ import annotations

import datetime
import enum
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from absah_server.core.callers import Caller
from absah_server.core.submission import Priority
from absah_server.core.validation import Fault


class JobState(enum.StrEnum):
    """Where a job stands."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it by itself."""
        return self not in (JobState.WAITING, JobState.RUNNING)


class AttemptOutcome(enum.StrEnum):
    """How an attempt ended."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    """The validation was, or the worker stopped and gave it back."""
    RETRIED = "RETRIED"
    LOST = "LOST"


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptRecord:
    """One attempt; it runs as long as it has no outcome."""

    number: int
    worker: str
    start_time: datetime.datetime
    end_time: datetime.datetime | None
    outcome: AttemptOutcome | None
    error: Fault | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """The work at a validation. `schedule_time` is when it is to be tried again, if it is.

    `attempts` are all of them where one job is shown, and the last one in a list.
    """

    id: int
    validation_id: uuid.UUID
    policy: str
    state: JobState
    priority: Priority
    lock: str
    schedule_time: datetime.datetime | None
    attempt_count: int
    create_time: datetime.datetime
    attempts: Sequence[AttemptRecord] = ()

    @property
    def name(self) -> str:
        """As "jobs/4711"."""
        return job_name(self.id)


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFilter:
    """Which jobs to list; None and "" do not matter. `policy` is a name or a version of it."""

    state: JobState | None = None
    policy: str = ""
    validation_id: uuid.UUID | None = None


def job_name(job_id: int) -> str:
    """As "jobs/4711"."""
    return f"jobs/{job_id}"


class JobOffice(Protocol):
    """Jobs of all validations. All methods raise `StoreUnavailable`."""

    async def page(
        self, tenant: str, wanted: JobFilter, *, before: int | None, limit: int
    ) -> Sequence[Job]:
        """The newest ones whose ids are below one, newest first."""

    async def get(self, tenant: str, job_id: int) -> Job:
        """One with all attempts; raises `JobNotFound`."""

    async def retry(self, caller: Caller, job_id: int) -> Job:
        """Try again what failed, or now what waits to be tried again.

        Raises `JobNotFound`, or `WrongState` for any other.
        """

    async def cancel(self, caller: Caller, job_id: int) -> Job:
        """Cancel one with its validation; raises `JobNotFound` or `WrongState`."""

    async def purge(
        self, caller: Caller, states: Sequence[JobState], *, older_than_seconds: float
    ) -> int:
        """Remove jobs that ended in one of these states so long ago, and tell how many."""
