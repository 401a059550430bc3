"""Golden files: messages with the requests and answers that must come of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from absah.v1 import validation_pb2
from absah_bridge import workbench
from absah_bridge.codecs import Incoming
from absah_bridge.documents import Attachment
from absah_bridge.errors import MessageInvalid
from absah_bridge.requests import Request
from absah_bridge.systems import LegacySystem
from absah_bridge.workbench import Trial

PROPERTIES = "properties.json"
REQUESTS, VALIDATIONS, REFUSAL = "requests.json", "validations.json", "refusal.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class GoldenCase:
    """One folder of golden files; `differences` is empty where all of them hold."""

    name: str
    differences: Sequence[str]
    written: Sequence[str] = ()


class GoldenError(ValueError):
    """A golden file cannot be read; people wrote it."""


def cases(system: LegacySystem, folder: Path, *, update: bool) -> Iterator[GoldenCase]:
    """Round-trip every case below a folder.

    A case is a folder that holds `message.*` and, where the message came with some,
    `properties.json` (content_type, message_id, headers). Then there is either `refusal.json`
    (cause, field, position), or `requests.json`, `validations.json` (a list in protobuf's JSON
    form, that people write) and `answer.*`. With `update` what is missing or differs is written.
    Raises `GoldenError`.
    """
    for case in sorted(path for path in folder.iterdir() if path.is_dir()):
        trip = _Trip(case, update)
        trip.run(system)
        yield GoldenCase(name=case.name, differences=trip.differences, written=trip.written)


class _Trip:
    """One case on its way."""

    def __init__(self, case: Path, update: bool) -> None:
        self.differences: list[str] = []
        self.written: list[str] = []
        self._case = case
        self._update = update

    def run(self, system: LegacySystem) -> None:
        message = self._one("message")
        if message is None:
            self.differences.append("it holds no message.*")
            return
        properties = self._read_json(PROPERTIES) or {}
        incoming = Incoming(
            body=message.read_bytes(),
            content_type=properties.get("content_type", ""),
            headers=properties.get("headers", {}),
        )
        trial = workbench.try_message(
            system, incoming, message_id=properties.get("message_id", self._case.name)
        )
        if trial.problem is not None:
            self._refused(trial.problem)
        elif self._gone(REFUSAL, "the message is in order"):
            self._json(REQUESTS, [_shown(request) for request in trial.requests])
            self._answer(system, trial, message.suffix)

    def _refused(self, problem: MessageInvalid) -> None:
        refusal = {
            "cause": problem.cause.value,
            "field": problem.field,
            "position": problem.position,
        }
        if self._gone(REQUESTS, f"the message is refused: {problem} ({problem.cause})"):
            self._json(REFUSAL, refusal)

    def _answer(self, system: LegacySystem, trial: Trial, suffix: str) -> None:
        plain = self._read_json(VALIDATIONS)
        if plain is None and self._update:
            plain = [json_format.MessageToDict(workbench.example(each)) for each in trial.requests]
            self._json(VALIDATIONS, plain)
        if plain is None:
            self.differences.append(f"{VALIDATIONS} is missing")
            return
        try:
            validations = [
                json_format.ParseDict(each, validation_pb2.Validation()) for each in plain
            ]
            made = workbench.try_answer(system, trial, validations, []).body
        except json_format.ParseError as exc:
            raise GoldenError(f"{self._case / VALIDATIONS}: {exc}") from exc
        except ValueError:
            count = len(trial.requests)
            self.differences.append(f"{VALIDATIONS} must have {count:,} validations")
            return
        except MessageInvalid as exc:
            self.differences.append(f"the answer cannot be told: {exc}")
            return
        self._bytes(self._one("answer") or self._case / f"answer{suffix}", made)

    def _bytes(self, file: Path, made: bytes) -> None:
        expected = file.read_bytes() if file.exists() else None
        if expected == made:
            return
        if self._update:
            file.write_bytes(made)
            self.written.append(file.name)
        elif expected is None:
            self.differences.append(f"{file.name} is missing")
        else:
            self.differences.append(f"{file.name} differs {_first_difference(expected, made)}")

    def _json(self, name: str, value: Any) -> None:
        text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
        # Compared by meaning: people may set it out as they like.
        if self._read_json(name) != json.loads(text):
            self._bytes(self._case / name, text.encode())

    def _read_json(self, name: str) -> Any:
        file = self._case / name
        try:
            return json.loads(file.read_text("utf-8")) if file.exists() else None
        except ValueError as exc:
            raise GoldenError(f"{file} is not JSON: {exc}") from exc

    def _gone(self, name: str, why: str) -> bool:
        """Whether a file is not there, as it must not be."""
        file = self._case / name
        if not file.exists():
            return True
        if self._update:
            file.unlink()
            self.written.append(f"{name} (removed)")
            return True
        self.differences.append(f"{name} is there, but {why}")
        return False

    def _one(self, stem: str) -> Path | None:
        return next(iter(sorted(self._case.glob(f"{stem}.*"))), None)


def _shown(request: Request) -> Mapping[str, Any]:
    """A request for people; contents by size and digest."""
    return {
        "request_id": request.id,
        "policy": request.policy,
        "priority": request.priority,
        "claims": dict(request.claims),
        "documents": [_document(each) for each in request.attachments],
    }


def _document(attachment: Attachment) -> Mapping[str, Any]:
    made: dict[str, Any] = {"role": attachment.role}
    if attachment.filename:
        made["filename"] = attachment.filename
    if attachment.store:
        return made | {"store": attachment.store, "reference": attachment.reference}
    if attachment.text is not None:
        text = attachment.text
        digest = hashlib.sha256(text.encode()).hexdigest()
        return made | {"characters": len(text), "sha256": digest}
    content = attachment.content or b""
    return made | {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _first_difference(expected: bytes, made: bytes) -> str:
    """Where two files part: line and column, counted in bytes."""
    least = min(len(expected), len(made))
    at = next((n for n in range(least) if expected[n] != made[n]), least)
    line = made.count(b"\n", 0, at) + 1
    column = at - made.rfind(b"\n", 0, at)  # which is -1 in the first line
    return f"from line {line}, byte {column}"
