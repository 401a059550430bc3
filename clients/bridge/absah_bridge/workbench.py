"""Try a mapping before it meets the world: each value's way, and every mistake with its place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from absah.v1 import validation_pb2
from absah_bridge.codecs import Incoming, Outgoing
from absah_bridge.errors import MessageInvalid
from absah_bridge.requests import Arrived, Request
from absah_bridge.rules import Step
from absah_bridge.systems import LegacySystem

CONTENTS = (".text", ".base64")
"""Endings of targets whose values are documents."""
SHOWN_CHARACTERS = 80


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What a mapping makes of one message. `problem` is why it would be parked."""

    steps: Sequence[Step]
    arrived: Arrived | None
    requests: Sequence[Request]
    problem: MessageInvalid | None

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """Field, position and problem of all that is wrong, each once."""
        found = [
            (step.target if step.computed else step.source, step.position, step.problem)
            for step in self.steps
            if step.problem
        ]
        if self.problem is not None:
            several = (self.problem, *self.problem.others)
            found += [(each.field, each.position, each.problem) for each in several]
        yield from dict.fromkeys(found)


def try_message(system: LegacySystem, incoming: Incoming, *, message_id: str) -> Trial:
    """Map a message and keep each value's way; goes on after a value that is wrong."""
    try:
        arrived = system.read(incoming, message_id=message_id)
    except MessageInvalid as exc:
        return Trial(steps=(), arrived=None, requests=(), problem=exc)
    steps: list[Step] = []
    try:
        system.requests.map(arrived, system.requests.scope(arrived, lenient=True, steps=steps))
        requests = system.ask(arrived)
    except MessageInvalid as exc:
        return Trial(steps=steps, arrived=arrived, requests=(), problem=exc)
    return Trial(steps=steps, arrived=arrived, requests=requests, problem=None)


def try_answer(
    system: LegacySystem,
    trial: Trial,
    validations: Sequence[validation_pb2.Validation],
    steps: list[Step],
) -> Outgoing:
    """Tell verdicts in the system's words; each value's way goes to `steps`.

    Raises `MessageInvalid`.
    """
    assert trial.arrived is not None
    scope = system.answers.scope(trial.arrived, trial.requests, validations, steps=steps)
    return system.answer_codec.encode(system.answers.map(scope))


def example(request: Request) -> validation_pb2.Validation:
    """A validation that ended well, to show an answer without asking a core."""
    message = {
        "id": "Semua klaim sesuai dengan bukti.",
        "en": "The evidence bears out every claim.",
    }
    reason = validation_pb2.Reason(rule="accepted", decision="DECISION_ACCEPT")
    reason.message.id, reason.message.en = message["id"], message["en"]
    made = validation_pb2.Validation(
        name=f"validations/{'0' * 32}",
        request_id=request.id,
        state="STATE_SUCCEEDED",
        verdict=validation_pb2.Verdict(decision="DECISION_ACCEPT", reasons=[reason]),
    )
    for claim in request.claims:
        made.verdict.claim_comparisons.add(claim=claim, agreement="AGREEMENT_AGREES")
    made.create_time.FromJsonString("2026-01-31T01:02:03Z")
    made.update_time.FromJsonString("2026-01-31T01:02:05Z")
    return made


def shown(step: Step) -> tuple[str, str]:
    """What stood there and what became of it, each on one line; documents by size and digest."""
    if step.target.endswith(CONTENTS):
        return "", document(step.value)
    return line(step.raw), line(step.value)


def document(value: Any) -> str:
    """A document by its size and digest."""
    if value is None:
        return ""
    content = value if isinstance(value, bytes) else str(value).encode()
    unit = "bytes" if isinstance(value, bytes) else "characters"
    return f"{len(value):,} {unit}, sha256 {hashlib.sha256(content).hexdigest()[:12]}…"


def line(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, bytes):
        return document(value)
    text = "" if value is None else " ".join(str(value).split())
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
