"""What clients did and were told, in the order in which it happened."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Submitted:
    """A client began to send a request, and may send it again.

    `recorded` is true where it is to be answered with its verdict, false where workers run it. What
    must come of it: `results` are checkers, documents and buckets, `documents` and `artifacts`
    digests.
    """

    tenant: str
    client: str
    request_id: str
    policy: str
    recorded: bool
    documents: tuple[str, ...]
    results: tuple[tuple[str, str, int], ...]
    decision: str
    artifacts: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str, str]:
        """What a request id belongs to."""
        return self.tenant, self.client, self.request_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A client was told of a validation; from then on it counts as acknowledged."""

    tenant: str
    client: str
    request_id: str
    name: str
    state: str
    decision: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What a request id belongs to."""
        return self.tenant, self.client, self.request_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """All validations of a tenant, as pages of a list told them once all had come to rest."""

    tenant: str
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelAsked:
    """A client asked for a validation to be cancelled, and may not have been heard."""

    tenant: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Uploaded:
    """An upload was acknowledged."""

    tenant: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Downloaded:
    """A document or artifact was asked for; `came` is the digest of what came, or the refusal."""

    tenant: str
    digest: str
    came: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DeleteAsked:
    """A client asked for a document to be deleted; nobody of its tenant uses it any more."""

    tenant: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Deleted:
    """A deletion was acknowledged."""

    tenant: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Unexpected:
    """A call was answered as it must not be."""

    tenant: str
    call: str
    answer: str


Event = (
    Submitted
    | Told
    | Listed
    | CancelAsked
    | Uploaded
    | Downloaded
    | DeleteAsked
    | Deleted
    | Unexpected
)


@dataclass(kw_only=True, slots=True)
class History:
    """Events, as they come. `refusals` counts the answers after which a client tried again."""

    events: list[Event] = field(default_factory=list)
    refusals: dict[str, int] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Note what has happened."""
        self.events.append(event)

    def refused(self, answer: str) -> None:
        """Count a call that will be made again."""
        self.refusals[answer] = self.refusals.get(answer, 0) + 1

    def of(self, kind: type[T]) -> Iterator[T]:
        """The events of one kind."""
        return (event for event in self.events if isinstance(event, kind))

    def write(self, path: Path) -> None:
        """Write it as JSON, an event a line."""
        with path.open("w") as file:
            for event in self.events:
                line = {"event": type(event).__name__, **dataclasses.asdict(event)}
                file.write(json.dumps(line) + "\n")
