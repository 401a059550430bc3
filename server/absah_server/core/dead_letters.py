"""Messages of legacy systems that were not answered at once, and what befell them."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from absah_server.core.callers import Caller

MAX_NOTES = 1000


class MessageOutcome(enum.StrEnum):
    """What became of a message."""

    RETRIED = "RETRIED"
    PARKED = "PARKED"
    REDRIVEN = "REDRIVEN"
    DISCARDED = "DISCARDED"
    ANSWERED = "ANSWERED"

    @property
    def by_person(self) -> bool:
        """Whether a person did it, which is an event of the audit log."""
        return self in (MessageOutcome.REDRIVEN, MessageOutcome.DISCARDED)


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageAttempt:
    """One thing that befell a message; `note_id` tells it from the same noted again."""

    note_id: str
    system: str
    message_key: str
    queue: str
    attempt: int
    outcome: MessageOutcome
    cause: str = ""
    field: str = ""
    position: str = ""
    problem: str = ""
    event_time: datetime.datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    """A message as it stands; `attempts` only where one was asked for."""

    id: int
    system: str
    message_key: str
    queue: str
    state: MessageOutcome
    cause: str
    field: str
    position: str
    problem: str
    attempt_count: int
    create_time: datetime.datetime
    update_time: datetime.datetime
    attempts: Sequence[MessageAttempt] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetterGroup:
    """Parked messages of one system, cause and field."""

    system: str
    cause: str
    field: str
    dead_letter_count: int
    oldest_time: datetime.datetime
    newest_time: datetime.datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetterFilter:
    """Which dead letters are meant; empty fields do not matter."""

    system: str = ""
    cause: str = ""
    field: str = ""
    state: MessageOutcome = MessageOutcome.PARKED


class DeadLetters(Protocol):
    """Keeps what befell messages. All raise `StoreUnavailable`."""

    async def note(self, caller: Caller, attempts: Sequence[MessageAttempt]) -> None:
        """Keep these, in their order; what is known by its note id changes nothing."""

    async def groups(
        self, tenant: str, system: str, *, offset: int, limit: int
    ) -> list[DeadLetterGroup]:
        """Groups of parked messages, the largest first."""

    async def listed(
        self, tenant: str, wanted: DeadLetterFilter, *, before: int | None, limit: int
    ) -> list[DeadLetter]:
        """Dead letters with ids below `before`, the newest first."""

    async def get(self, tenant: str, id: int) -> DeadLetter:  # noqa: A002
        """One with all attempts; raises `DeadLetterNotFound`."""
