"""Audit events and chains of them, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from absah_server.core import chain
from absah_server.core.audit import Head, SealedEvent, WrittenEvent


def make_event(number: int, **changes: Any) -> WrittenEvent:
    given: dict[str, Any] = {
        "id": number,
        "tenant": "default",
        "actor": "kecamatan",
        "action": "validation.decided",
        "subject": f"validations/{number:032x}",
        "details": {"decision": "ACCEPT", "attempt": number, "score": 0.5},
        "time": f"2026-01-31T23:59:59.{number:06}Z",
        **changes,
    }
    return WrittenEvent(**given)


def sealed(events: Sequence[WrittenEvent]) -> list[SealedEvent]:
    places, _ = chain.seal(events, {})
    return [
        SealedEvent(
            **{name: getattr(event, name) for name in WrittenEvent.__dataclass_fields__},
            sequence=places[event.id].sequence,
            hash=places[event.id].hash,
        )
        for event in events
    ]


def make_chain(length: int) -> list[SealedEvent]:
    return sealed([make_event(number) for number in range(1, length + 1)])


def head_of(events: Sequence[SealedEvent]) -> Head:
    return Head(sequence=events[-1].sequence, hash=events[-1].hash)
