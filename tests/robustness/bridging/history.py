"""What legacy programs sent and were answered, and whether that is what was promised.

Promised is: every message whose publishing was confirmed is answered once in effect, or parked with
its reason; none is lost, none is answered differently twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

SHOWN = 5
E = TypeVar("E", "Answered", "Parked")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """A message whose publishing was confirmed, and what must become of it.

    Either `answer` is what it must be answered, or `cause` why it must be parked.
    """

    id: str
    answer: bytes = b""
    cause: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """An answer that a program received."""

    id: str
    """Of the message, as the answer's correlation id says."""
    answer_id: str
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Parked:
    """A message in the parking queue, with the reason in its headers."""

    id: str
    cause: str


@dataclass(kw_only=True, slots=True)
class History:
    """All of it, in the order in which it was seen."""

    sent: dict[str, Sent] = field(default_factory=dict)
    answered: list[Answered] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    """Ids of messages that were answered or parked."""

    def add(self, event: Answered | Parked) -> None:
        """Note what came."""
        if isinstance(event, Answered):
            self.answered.append(event)
        else:
            self.parked.append(event)
        self.seen.add(event.id)

    @property
    def waiting(self) -> int:
        """Messages that were sent, and neither answered nor parked."""
        return sum(id_ not in self.seen for id_ in list(self.sent))

    @property
    def repeated(self) -> int:
        """Answers and parked messages beyond the first of each message."""
        return len(self.answered) + len(self.parked) - len(self.seen)


def defects(history: History) -> list[str]:
    """What breaks the promise, one line for each kind of it; nothing where it was kept."""
    found: dict[str, list[str]] = defaultdict(list)
    for kind, id_ in _broken(history):
        found[kind].append(id_)
    return [f"{kind}: {_some(ids)}" for kind, ids in found.items()]


def _broken(history: History) -> Iterator[tuple[str, str]]:
    answers = _by_id(history.answered)
    parked = _by_id(history.parked)
    for sent in history.sent.values():
        bodies = {each.body for each in answers.get(sent.id, ())}
        causes = {each.cause for each in parked.get(sent.id, ())}
        if not bodies and not causes:
            yield "lost", sent.id
        if len(bodies) > 1 or len({each.answer_id for each in answers.get(sent.id, ())}) > 1:
            yield "answered differently twice", sent.id
        if bodies and causes:
            yield "answered and parked", sent.id
        if "" in causes:
            yield "parked without a reason", sent.id
        if sent.answer and causes - {""}:
            yield f"parked for {', '.join(sorted(causes))}", sent.id
        if sent.answer and bodies - {sent.answer}:
            yield "answered wrongly", sent.id
        if sent.cause and bodies:
            yield "answered though it cannot be read", sent.id
        if sent.cause and causes - {sent.cause, ""}:
            yield "parked with another reason", sent.id
    for id_ in sorted((answers.keys() | parked.keys()) - history.sent.keys()):
        yield "answered though it was never sent", id_


def _by_id(events: Iterable[E]) -> dict[str, list[E]]:
    found: dict[str, list[E]] = defaultdict(list)
    for each in events:
        found[each.id].append(each)
    return found


def _some(ids: list[str]) -> str:
    counts = Counter(ids)
    more = f"; and {len(counts) - SHOWN} more" if len(counts) > SHOWN else ""
    return ", ".join(list(counts)[:SHOWN]) + more
