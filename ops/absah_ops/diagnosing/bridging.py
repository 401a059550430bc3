"""The bridge: its bridge.yaml, the brokers, and the messages that wait for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from absah_ops.diagnosing.diagnosis import LOOK_SECONDS, Diagnosis, Look

BROKER_MEND = "see brokers in bridge.yaml, or ABSAH_AMQP_URL, and whether RabbitMQ runs there"


def looks(file: Path) -> Iterator[Look]:
    """How to look at a bridge."""
    yield Look(what="bridge", at=lambda: _bridge(file))


def _bridge(file: Path) -> Sequence[Diagnosis]:
    # Imported here: it is an extra.
    from absah_bridge import systems
    from absah_bridge.delivery import brokers, counting
    from absah_bridge.errors import BridgeError

    config, legacy = systems.load(file)
    names = ", ".join(sorted(legacy))
    found = [Diagnosis(what="bridge", ok=True, found=f"{file}: {names}")]
    queues = [system.config.consume.queue for system in legacy.values()]
    try:
        counts = counting.count(
            brokers.parameters(config.brokers), queues, timeout_seconds=LOOK_SECONDS
        )
    except BridgeError as exc:
        return [*found, Diagnosis(what="broker", ok=False, found=str(exc), mend=BROKER_MEND)]
    found.append(Diagnosis(what="broker", ok=True, found="answers"))
    return [*found, *(_queue(count) for count in counts)]


def _queue(count: object) -> Diagnosis:
    from absah_bridge.delivery.counting import Count

    assert isinstance(count, Count)
    if count.waiting is None:
        return Diagnosis(
            what="queue",
            ok=False,
            found=f"{count.queue} is not there",
            mend="`absah bridge run` makes it, unless consume.declare is false",
            optional=True,
        )
    return Diagnosis(
        what="queue",
        ok=not count.parked,
        found=f"{count.queue}: {count.waiting} waiting, {count.consumers} consumers, "
        f"{count.parked or 0} parked",
        mend="`absah dead-letters` shows them, and sends them on their way again",
        optional=True,
    )
