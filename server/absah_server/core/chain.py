"""The chain of the audit log: the hash of each event covers the event and the hash before it.

The hash is SHA-256 over the canonical JSON (RFC 8785, the JSON Canonicalization Scheme) of one
object with exactly these members:

    action, actor, subject, tenant   strings
    details                          an object
    id, sequence                     whole numbers
    previous                         the hash of the event before it in the tenant's chain, in
                                     lower-case hexadecimal; 64 zeros for sequence 1
    time                             a string, as "2026-01-31T23:59:59.123456Z"

Canonical means: no space between tokens, members sorted by the UTF-16 code units of their names,
strings in UTF-8 with only what must be escaped, and every number as ECMAScript prints the double
nearest to it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import rfc8785

from absah_server.core.audit import Head, SealedEvent, WrittenEvent
from absah_server.core.errors import ChainBroken

MAX_WHOLE = 2**53 - 1
"""Up to here a double holds every whole number."""


def canonical(value: Any) -> bytes:
    """RFC 8785's form of a JSON value; raises ValueError for what has none."""
    try:
        return rfc8785.dumps(value)
    except RecursionError as exc:
        raise ValueError("it is nested too deeply") from exc


def parse(text: str | bytes) -> Any:
    """Read JSON with numbers as doubles, whole ones as int; raises ValueError."""
    try:
        return json.loads(text, parse_int=_whole, parse_constant=_refuse)
    except RecursionError as exc:
        raise ValueError("it is nested too deeply") from exc


def _whole(digits: str) -> int | float:
    # By its length first: Python refuses to read a whole number of thousands of digits.
    if len(digits) <= 17 and abs(number := int(digits)) <= MAX_WHOLE:
        return number
    return float(digits)


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def members(event: WrittenEvent, *, sequence: int, previous: bytes) -> dict[str, Any]:
    """What the hash of an event covers."""
    return {
        "action": event.action,
        "actor": event.actor,
        "details": event.details,
        "id": event.id,
        "previous": previous.hex(),
        "sequence": sequence,
        "subject": event.subject,
        "tenant": event.tenant,
        "time": event.time,
    }


def digest(event: WrittenEvent, *, sequence: int, previous: bytes) -> bytes:
    """The hash of an event at this place; raises ValueError if it has no canonical form."""
    return hashlib.sha256(canonical(members(event, sequence=sequence, previous=previous))).digest()


def seal(
    events: Iterable[WrittenEvent], heads: Mapping[str, Head]
) -> tuple[dict[int, Head], dict[str, Head]]:
    """Give events their places, in this order, after the heads of their tenants' chains.

    Returns the place of each event by its id, and the new heads. An event without a canonical form
    gets no place: it must not hold up the others, and verifying tells of it.
    """
    places: dict[int, Head] = {}
    ends = dict(heads)
    for event in events:
        head = ends.get(event.tenant, Head())
        try:
            made = digest(event, sequence=head.sequence + 1, previous=head.hash)
        except ValueError:
            continue
        places[event.id] = ends[event.tenant] = Head(sequence=head.sequence + 1, hash=made)
    return places, ends


class Verifier:
    """Follows a tenant's chain, event by event, in constant memory.

    `start` is what comes before the first event; `anchor` a hash that the chain must hold, as it
    was written down elsewhere.
    """

    def __init__(self, tenant: str, *, start: Head | None = None, anchor: bytes | None = None):
        self.tenant = tenant
        self.last = start or Head()
        self.anchor = anchor
        self.anchor_sequence: int | None = None
        self._doubted: tuple[SealedEvent, bytes, int] | None = None
        self._meet(self.last)

    def add(self, event: SealedEvent, *, told_previous: bytes | None = None, line: int = 0) -> None:
        """The next event; `told_previous` is the previous hash that an export's line holds.

        Raises `ChainBroken`. Where an event and its hash do not fit, that is raised with the event
        after it, which tells which of the two is the altered one.
        """
        if self._doubted:
            self._raise_doubt(event)
        sequence = self.last.sequence + 1
        self._verify_place(event, sequence, line)
        if told_previous is not None and told_previous != self.last.hash:
            raise ChainBroken(
                sequence=sequence,
                line=line,
                problem=f"its previous hash is {told_previous.hex()}, that of the event before it "
                f"{self.last.hash.hex()}",
            )
        made = self._digest(event, sequence, line)
        if made != event.hash:
            self._doubted = (event, made, line)
            return
        self.last = Head(sequence=sequence, hash=made)
        self._meet(self.last)

    def end(self, head: Head, *, line: int = 0) -> None:
        """All events were added; `head` is where the chain is said to end.

        Raises `ChainBroken`.
        """
        self.settle(head)
        if head.sequence > self.last.sequence:
            raise ChainBroken(
                sequence=self.last.sequence + 1,
                line=line,
                problem=f"the last events are missing, up to sequence {head.sequence}",
            )
        if head != self.last:
            raise ChainBroken(
                sequence=self.last.sequence,
                line=line,
                problem=f"the head is said to be {head.hash.hex()} at sequence {head.sequence}, "
                f"and the last event is {self.last.hash.hex()} at sequence {self.last.sequence}",
            )
        if self.anchor is not None and self.anchor_sequence is None:
            raise ChainBroken(
                sequence=self.last.sequence,
                line=line,
                problem=f"no event has the anchored hash {self.anchor.hex()}: the log was cut or "
                "written anew since, or it is another tenant's",
            )

    @property
    def in_doubt(self) -> bool:
        """Whether the event that was added last does not fit its hash."""
        return self._doubted is not None

    def settle(self, head: Head | None = None) -> None:
        """Raise `ChainBroken` for a doubted event: the log ends here, at `head` if known."""
        if self._doubted:
            event, made, line = self._doubted
            altered = head is not None and head.hash == made
            raise _doubt(event, made, line, hash_altered=altered)

    def _verify_place(self, event: SealedEvent, sequence: int, line: int) -> None:
        problem = ""
        if event.tenant != self.tenant:
            problem = f"its tenant is {event.tenant!r}, the chain is that of {self.tenant!r}"
        elif event.sequence != sequence:
            if self._digest(event, sequence, line) == event.hash:
                problem = f"its sequence was altered to {event.sequence}"
            elif event.sequence > sequence:
                problem = f"events are missing: the next one has sequence {event.sequence}"
            else:
                problem = f"an event of sequence {event.sequence} stands in its place"
        if problem:
            raise ChainBroken(sequence=sequence, line=line, problem=problem)

    def _digest(self, event: SealedEvent, sequence: int, line: int) -> bytes:
        try:
            return digest(event, sequence=sequence, previous=self.last.hash)
        except ValueError as exc:
            raise ChainBroken(
                sequence=sequence, line=line, problem=f"it has no canonical form: {exc}"
            ) from exc

    def _raise_doubt(self, following: SealedEvent) -> None:
        assert self._doubted
        event, made, line = self._doubted
        try:
            confirmed = (
                digest(following, sequence=self.last.sequence + 2, previous=made) == following.hash
            )
        except ValueError:
            confirmed = False
        raise _doubt(event, made, line, hash_altered=confirmed)

    def _meet(self, head: Head) -> None:
        if head.hash == self.anchor:
            self.anchor_sequence = head.sequence


def _doubt(event: SealedEvent, made: bytes, line: int, *, hash_altered: bool) -> ChainBroken:
    what = "its hash was altered" if hash_altered else "its content was altered"
    return ChainBroken(
        sequence=event.sequence,
        line=line,
        problem=f"{what}: the hash is {event.hash.hex()}, that of the content {made.hex()}",
    )
