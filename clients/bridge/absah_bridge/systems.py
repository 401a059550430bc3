"""Legacy systems, ready to be served: codecs and mappings of bridge.yaml, compiled."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from absah.v1 import validation_pb2
from absah_bridge import config, expressions, multipart, yaml_file
from absah_bridge.answers import AnswerMapping
from absah_bridge.codecs import Codec, CodecKind, Incoming, Outgoing, registry
from absah_bridge.config import Bridge, System
from absah_bridge.errors import Cause, ConfigInvalid, MessageInvalid
from absah_bridge.requests import Arrived, Request, RequestMapping


@dataclass(frozen=True, kw_only=True, slots=True)
class LegacySystem:
    """A system: how its messages are read, mapped and answered."""

    name: str
    config: System
    codec: Codec
    answer_codec: Codec
    requests: RequestMapping
    answers: AnswerMapping
    max_bytes: int

    def read(self, incoming: Incoming, *, message_id: str) -> Arrived:
        """Read a message; raises `MessageInvalid`."""
        if len(incoming.body) > self.max_bytes:
            raise MessageInvalid(
                Cause.MESSAGE_TOO_LARGE,
                f"{len(incoming.body):,} bytes, where at most {self.max_bytes:,} are read",
            )
        message, parts = multipart.split(incoming)
        return Arrived(
            tree=self.codec.decode(message),
            parts=parts,
            message_id=message_id,
            body_sha256=hashlib.sha256(incoming.body).hexdigest(),
        )

    def ask(self, arrived: Arrived) -> Sequence[Request]:
        """The validations to ask for; raises `MessageInvalid`."""
        return self.requests.map(arrived, self.requests.scope(arrived))

    def answer(
        self,
        arrived: Arrived,
        requests: Sequence[Request],
        validations: Sequence[validation_pb2.Validation],
    ) -> Outgoing:
        """The answer, once all have ended with a verdict; raises `MessageInvalid`."""
        scope = self.answers.scope(arrived, requests, validations)
        return self.answer_codec.encode(self.answers.map(scope))


def load(file: Path) -> tuple[Bridge, Mapping[str, LegacySystem]]:
    """Read bridge.yaml and compile what it says. Raises `ConfigInvalid` or OSError."""
    bridge = config.read(file)
    expressions.keep_values_out_of_logs()
    try:
        known = registry.kinds()
    except ValueError as exc:
        raise ConfigInvalid(file=file, line=0, field="", problem=str(exc)) from exc
    return bridge, {
        name: _compiled(name, system, file, known) for name, system in bridge.systems.items()
    }


def _compiled(
    name: str, system: System, file: Path, known: Mapping[str, CodecKind]
) -> LegacySystem:
    try:
        codec = _codec("codec", system.codec, file, known)
        answer = system.answer.codec
        return LegacySystem(
            name=name,
            config=system,
            codec=codec,
            answer_codec=_codec("answer.codec", answer, file, known) if answer else codec,
            requests=RequestMapping(system),
            answers=AnswerMapping(system),
            max_bytes=int(system.codec.get("max_bytes", 16 * 2**20)),
        )
    except ValueError as exc:
        raise _invalid(name, str(exc), file) from exc


def _codec(
    place: str, given: Mapping[str, Any], file: Path, known: Mapping[str, CodecKind]
) -> Codec:
    try:
        return registry.make(given, file.parent, known)
    except (ValueError, OSError) as exc:
        raise ValueError(f"{place}.{exc}") from exc


def _invalid(name: str, told: str, file: Path) -> ConfigInvalid:
    """What is told begins with the place within the system."""
    place, _, problem = told.partition(": ")
    words = place.replace("[", ".").replace("]", "").split(".")
    steps = tuple(int(word) if word.isdecimal() else word for word in words)
    node = yaml.compose(file.read_text("utf-8"), Loader=yaml_file.Loader)
    return ConfigInvalid(
        file=file,
        line=yaml_file.line_of(node, ("systems", name, *steps)),
        field=f"systems.{name}.{place}",
        problem=problem,
    )
