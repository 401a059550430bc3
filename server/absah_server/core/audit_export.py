"""The audit log of a tenant as a file that proves itself: JSON lines, each in canonical form.

    {"export": "absah audit log", "first": 1, "form": 1, "previous": …, "sha256": …, "tenant": …,
     "time": …}
    one line for each event: what its hash covers (see `chain`), and `hash`
    {"hash": …, "sequence": …}

The first line's `sha256` is that of the line without it, `first` the sequence of the first event,
`previous` the hash before it. The last line is the head of the chain. A line that is not exactly
the canonical form of what it says is refused, so that no byte can change unseen.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import IO, Any

from absah_server.core import chain
from absah_server.core.audit import Head, SealedEvent
from absah_server.core.errors import ChainBroken

TITLE = "absah audit log"
FORM = 1
MAX_LINE_BYTES = 4 * 2**20
HEADER = {"export", "first", "form", "previous", "sha256", "tenant", "time"}
EVENT = {
    "action",
    "actor",
    "details",
    "hash",
    "id",
    "previous",
    "sequence",
    "subject",
    "tenant",
    "time",
}
TRAILER = {"hash", "sequence"}
HASH = re.compile(r"[0-9a-f]{64}")
_TYPES: dict[str, type] = {"details": dict, "id": int, "sequence": int, "first": int, "form": int}


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """What was found in order: `events` of a tenant, from `first` up to `head`.

    `anchor_sequence` is where the anchored hash stands, if one was given.
    """

    tenant: str
    first: int
    events: int
    head: Head
    anchor_sequence: int | None = None


async def write(
    tenant: str,
    pages: AsyncIterator[list[SealedEvent]],
    head: Head,
    *,
    start: Head,
    time: datetime.datetime,
) -> AsyncIterator[bytes]:
    """The export in pieces of whole lines: the events of `pages`, which follow `start`.

    Raises `ChainBroken` for an event that has no canonical form.
    """
    header: dict[str, Any] = {
        "export": TITLE,
        "first": start.sequence + 1,
        "form": FORM,
        "previous": start.hash.hex(),
        "tenant": tenant,
        "time": time.isoformat(timespec="microseconds"),
    }
    header["sha256"] = hashlib.sha256(chain.canonical(header)).hexdigest()
    yield _line(header)
    previous = start.hash
    async for events in pages:
        lines = []
        for event in events:
            lines.append(_event_line(event, previous))
            previous = event.hash
        yield b"".join(lines)
    yield _line({"hash": head.hash.hex(), "sequence": head.sequence})


def _event_line(event: SealedEvent, previous: bytes) -> bytes:
    content = chain.members(event, sequence=event.sequence, previous=previous)
    try:
        return _line({**content, "hash": event.hash.hex()})
    except ValueError as exc:
        problem = f"it has no canonical form: {exc}"
        raise ChainBroken(sequence=event.sequence, problem=problem) from exc


def _line(value: dict[str, Any]) -> bytes:
    return chain.canonical(value) + b"\n"


def verify(file: IO[bytes], *, anchor: bytes | None = None) -> Verified:
    """Read an export to its end, line by line. Raises `ChainBroken` naming the first bad line."""
    lines = _Lines(file)
    header = lines.read(HEADER)
    _verify_header(header)
    first: int = header["first"]
    start = Head(sequence=first - 1, hash=bytes.fromhex(header["previous"]))
    verifier = chain.Verifier(header["tenant"], start=start, anchor=anchor)
    while True:
        lines.sequence = first + lines.number - 1
        try:
            line = lines.read(EVENT, TRAILER)
        except ChainBroken:
            verifier.settle()  # the line before is the first bad one, if it was in doubt
            raise
        if line.keys() == TRAILER:
            break
        verifier.add(_event(line), told_previous=bytes.fromhex(line["previous"]), line=lines.number)
    head = Head(sequence=line["sequence"], hash=bytes.fromhex(line["hash"]))
    verifier.end(head, line=lines.number)
    lines.end()
    return Verified(
        tenant=verifier.tenant,
        first=first,
        events=head.sequence - first + 1,
        head=head,
        anchor_sequence=verifier.anchor_sequence,
    )


def _verify_header(header: dict[str, Any]) -> None:
    told = header.pop("sha256")
    problem = ""
    if hashlib.sha256(chain.canonical(header)).hexdigest() != told:
        problem = "the first line was altered: its sha256 is not that of its content"
    elif header["export"] != TITLE or header["first"] < 1:
        problem = "this is no export of an audit log"
    elif header["form"] != FORM:
        problem = f"this is an export of form {header['form']}; a newer version of absah reads it"
    if problem:
        raise ChainBroken(sequence=0, line=1, problem=problem)


def _event(line: dict[str, Any]) -> SealedEvent:
    return SealedEvent(
        tenant=line["tenant"],
        actor=line["actor"],
        action=line["action"],
        subject=line["subject"],
        details=line["details"],
        id=line["id"],
        time=line["time"],
        sequence=line["sequence"],
        hash=bytes.fromhex(line["hash"]),
    )


class _Lines:
    """The lines of an export; `sequence` is that of the event that the next one should hold."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.number = 0
        self.sequence = 0

    def read(self, *kinds: set[str]) -> dict[str, Any]:
        """The next line as an object with the members of one of these kinds."""
        raw = self._file.readline(MAX_LINE_BYTES + 1)
        self.number += 1
        if not raw:
            raise self._broken("the file ends here; its last lines are missing")
        if not raw.endswith(b"\n"):
            raise self._broken("the line does not end, or is too long")
        try:
            value = chain.parse(raw[:-1])
            if chain.canonical(value) != raw[:-1]:
                raise self._broken("the line was altered: it is not in canonical form")
        except ValueError as exc:
            raise self._broken("the line was altered: it is no JSON") from exc
        if not isinstance(value, dict) or value.keys() not in kinds:
            raise self._broken("the line was altered: its members are not those of an event")
        for name, member in value.items():
            self._verify_member(name, member)
        return value

    def end(self) -> None:
        """Raise `ChainBroken` if anything follows."""
        if self._file.read(1):
            self.number += 1
            raise self._broken("there is more after the head of the chain")

    def _verify_member(self, name: str, value: Any) -> None:
        kind: Any = type(value)  # exactly: a boolean is no number here
        if kind is not _TYPES.get(name, str):
            raise self._broken(f"the line was altered: {name} is of another type")
        if name in ("hash", "previous", "sha256") and not HASH.fullmatch(value):
            raise self._broken(f"the line was altered: {name} is no hash")

    def _broken(self, problem: str) -> ChainBroken:
        return ChainBroken(sequence=self.sequence, line=self.number, problem=problem)
