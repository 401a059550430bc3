"""Try a mapping before it meets the world: each value's way, and golden files that must hold."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from absah.v1 import validation_pb2, wording_pb2
from absah_bridge.codecs import Incoming, Outgoing
from absah_bridge.errors import MessageInvalid
from absah_bridge.requests import Arrived, Request
from absah_bridge.rules import Step
from absah_bridge.systems import LegacySystem

MESSAGE, REQUESTS, VALIDATIONS, ANSWER, REFUSAL = (
    "message",
    "requests.json",
    "validations.json",
    "answer",
    "refusal.json",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What a mapping makes of one message. `problem` is why it would be parked."""

    steps: Sequence[Step]
    arrived: Arrived | None
    requests: Sequence[Request]
    problem: MessageInvalid | None


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
) -> tuple[Sequence[Step], Outgoing]:
    """Tell verdicts in the system's words, and keep each value's way. Raises `MessageInvalid`."""
    assert trial.arrived is not None
    steps: list[Step] = []
    scope = system.answers.scope(trial.arrived, trial.requests, validations, steps=steps)
    fields = system.answers.map(scope)
    return steps, system.answer_codec.encode(fields)


def example(request: Request) -> validation_pb2.Validation:
    """A validation that ended well, to show an answer without asking a core."""
    reason = validation_pb2.Reason(
        rule="accepted",
        decision="DECISION_ACCEPT",
        message=wording_pb2.Wording(id="Semua klaim sesuai.", en="Every claim is borne out."),
    )
    made = validation_pb2.Validation(
        name=f"validations/{'0' * 32}",
        request_id=request.id,
        state="STATE_SUCCEEDED",
        verdict=validation_pb2.Verdict(decision="DECISION_ACCEPT", reasons=[reason]),
    )
    made.create_time.FromJsonString("2026-01-31T01:02:03Z")
    made.update_time.FromJsonString("2026-01-31T01:02:05Z")
    return made


@dataclass(frozen=True, kw_only=True, slots=True)
class GoldenCase:
    """One folder of golden files; `differences` is empty where all of them hold."""

    name: str
    differences: Sequence[str]


def test_folder(system: LegacySystem, folder: Path, *, update: bool) -> Iterator[GoldenCase]:
    """Round-trip every case below a folder.

    A case is a folder that holds `message.*`, and either `refusal.json` (cause, field, position)
    or `requests.json`, `validations.json` (a list in protobuf's JSON form) and `answer.*`. With
    `update` what is missing is written, and what differs is written anew.
    """
    for case in sorted(path for path in folder.iterdir() if path.is_dir()):
        yield GoldenCase(name=case.name, differences=list(_differences(system, case, update)))


def _differences(system: LegacySystem, case: Path, update: bool) -> Iterator[str]:
    message = _one(case, MESSAGE)
    if message is None:
        yield f"{case.name} holds no message.*"
        return
    incoming = Incoming(body=message.read_bytes(), content_type=_content_type(case), headers={})
    trial = try_message(system, incoming, message_id=case.name)
    if trial.problem is not None:
        refusal = {
            "cause": trial.problem.cause.value,
            "field": trial.problem.field,
            "position": trial.problem.position,
        }
        yield from _json_differs(case / REFUSAL, refusal, update)
        return
    if (case / REFUSAL).exists():
        yield f"{REFUSAL}: the message is in order"
        return
    yield from _json_differs(case / REQUESTS, [_shown(r) for r in trial.requests], update)
    yield from _answer_differs(system, case, trial, update)


def _answer_differs(system: LegacySystem, case: Path, trial: Trial, update: bool) -> Iterator[str]:
    file = case / VALIDATIONS
    if update and not file.exists():
        plain = [json_format.MessageToDict(example(request)) for request in trial.requests]
        file.write_text(json.dumps(plain, indent=2) + "\n")
    if not file.exists():
        yield f"{VALIDATIONS} is missing"
        return
    validations = [
        json_format.ParseDict(plain, validation_pb2.Validation())
        for plain in json.loads(file.read_text())
    ]
    try:
        _, outgoing = try_answer(system, trial, validations)
    except (MessageInvalid, ValueError) as exc:
        yield f"{ANSWER}: {exc}"
        return
    expected = _one(case, ANSWER)
    if expected is not None and expected.read_bytes() == outgoing.body:
        return
    if update:
        suffix = expected.suffix if expected else (_one(case, MESSAGE) or case).suffix
        (case / f"{ANSWER}{suffix}").write_bytes(outgoing.body)
        return
    yield (
        f"{expected.name if expected else ANSWER} differs" if expected else f"{ANSWER}.* is missing"
    )


def _json_differs(file: Path, value: Any, update: bool) -> Iterator[str]:
    if file.exists() and json.loads(file.read_text()) == value:
        return
    if update:
        file.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
        return
    yield f"{file.name} differs" if file.exists() else f"{file.name} is missing"


def _shown(request: Request) -> Mapping[str, Any]:
    """A request for people and golden files; contents by their digest."""
    return {
        "request_id": request.id,
        "policy": request.policy,
        "priority": request.priority,
        "claims": dict(request.claims),
        "documents": [
            {
                "role": each.role,
                **({"filename": each.filename} if each.filename else {}),
                **({"text": each.text} if each.text is not None else {}),
                **(
                    {"sha256": hashlib.sha256(each.content).hexdigest()}
                    if each.content is not None
                    else {}
                ),
                **({"store": each.store, "reference": each.reference} if each.store else {}),
            }
            for each in request.attachments
        ],
    }


def shown(value: Any) -> str:
    """A value on one line, for tables; bytes by their length."""
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    text = "" if value is None else str(value)
    if len(text) > 200 and _is_base64(text):
        return f"{len(text):,} characters of base64"
    return text if len(text) <= 80 else f"{text[:79]}…"


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode("".join(text[:400].split())[:400], validate=True)
    except ValueError:
        return False
    return True


def _one(case: Path, stem: str) -> Path | None:
    return next((path for path in sorted(case.glob(f"{stem}.*"))), None)


def _content_type(case: Path) -> str:
    file = case / "content-type.txt"
    return file.read_text().strip() if file.exists() else ""
