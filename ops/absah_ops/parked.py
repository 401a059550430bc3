"""What waits in parking queues, by its own headers: of some of it the ledger knows nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import absah
from absah.admin.v1 import admin_service_pb2 as pb2

if TYPE_CHECKING:
    from absah_bridge.delivery.parking import ParkedMessage


def note(message: ParkedMessage, *, system: str, queue: str) -> pb2.MessageAttempt:
    """That a message is parked, for the ledger."""
    from absah_bridge.delivery import dead_letters, ledger

    made = ledger.attempt(
        system=system,
        message_key=message.key,
        queue=queue,
        attempt=dead_letters.attempt_of(message.properties),
        outcome="PARKED",
        reason=message.header(dead_letters.PROBLEM),
    )
    made.cause = message.cause[:64]
    made.field = message.header(dead_letters.FIELD)[:255]
    made.position = message.header(dead_letters.POSITION)[:255]
    return made


def unknown(
    admin: absah.AdminClient, file: Path, *, system: str = ""
) -> tuple[list[pb2.DeadLetter], list[str]]:
    """What is parked for the systems of bridge.yaml and stands otherwise in the ledger, as what the
    broker parked by itself; and why some of it could not be looked for.

    Such a dead letter has no name. Raises `ConfigInvalid`, or `CallFailed`.
    """
    from absah_bridge import config
    from absah_bridge.delivery import brokers
    from absah_bridge.delivery.parking import Parking, Selection
    from absah_bridge.errors import BridgeError

    read = config.read(file)
    found, problems = [], []
    for name, each in read.systems.items():
        if system not in ("", name):
            continue
        queue = each.consume.queue
        try:
            parking = Parking(brokers.parameters(read.brokers), queue)
            parked = [_letter(m, system=name, queue=queue) for m in parking.look(Selection())]
        except BridgeError as exc:
            problems.append(str(exc))
            continue
        # Read after, since what is parked is noted first.
        known = {letter.message_key for letter in admin.dead_letters(system=name) if parked}
        found += [letter for letter in parked if letter.message_key not in known]
    return found, problems


def _letter(message: ParkedMessage, *, system: str, queue: str) -> pb2.DeadLetter:
    noted = note(message, system=system, queue=queue)
    made = pb2.DeadLetter(
        system=system,
        message_key=noted.message_key,
        queue=queue,
        state=noted.outcome,
        cause=noted.cause,
        field=noted.field,
        position=noted.position,
        problem=noted.problem,
        attempt_count=noted.attempt,
    )
    if message.since is not None:
        made.create_time.FromDatetime(message.since)
        made.update_time.FromDatetime(message.since)
    return made


def grouped(
    groups: Iterable[pb2.DeadLetterGroup], letters: Iterable[pb2.DeadLetter]
) -> list[pb2.DeadLetterGroup]:
    """The groups with these letters among them, the largest first."""
    made = {(group.system, group.cause, group.field): group for group in groups}
    for letter in letters:
        new = pb2.DeadLetterGroup(
            system=letter.system,
            cause=letter.cause,
            field=letter.field,
            oldest_time=letter.update_time,
            newest_time=letter.update_time,
        )
        group = made.setdefault((letter.system, letter.cause, letter.field), new)
        group.dead_letter_count += 1
        times = (group.oldest_time, group.newest_time, letter.update_time)
        group.oldest_time.CopyFrom(min(times, key=lambda time: time.ToNanoseconds()))
        group.newest_time.CopyFrom(max(times, key=lambda time: time.ToNanoseconds()))
    return sorted(made.values(), key=lambda group: -group.dead_letter_count)


def singled_out(
    letters: Iterable[pb2.DeadLetter], *, cause: str, field: str
) -> Iterator[pb2.DeadLetter]:
    """Those of a cause and a field, as the ledger would list them."""
    for letter in letters:
        if cause in ("", letter.cause) and field in ("", letter.field):
            yield letter
