"""Audit events: who did what to which, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SERVER = "absah"
"""The actor where the server did something by itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEvent:
    """One event. `details` holds digests, states and decisions, never a document's content.

    `actor` is the client or person who acted, or `SERVER`.
    `action` is a noun and what befell it ("validation.accepted"), `subject` a resource name.
    """

    tenant: str
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenEvent(AuditEvent):
    """An event as the log holds it.

    `time` is that of its transaction: RFC 3339 in UTC with microseconds and "Z", kept as text so
    that what was tampered with beyond the range of a datetime can be told of too.
    """

    id: int
    time: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SealedEvent(WrittenEvent):
    """An event with its place in its tenant's chain; sequences count from 1 without a gap."""

    sequence: int
    hash: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """The end of a tenant's chain: its last event's sequence and hash."""

    sequence: int = 0
    hash: bytes = bytes(32)


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditFilter:
    """Which events to list; what is empty does not matter. Actions match by their beginning."""

    subject: str = ""
    actor: str = ""
    action: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a list of events goes on: after this one, which is not sealed where `sequence` is 0."""

    sequence: int
    id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """Events that are not sealed yet: how many, and how old the oldest is."""

    events: int
    oldest_seconds: float
