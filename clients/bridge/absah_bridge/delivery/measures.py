"""Counters and gauges of what the bridge does, by OpenTelemetry's API.

They cost next to nothing until somebody collects them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from absah_bridge.delivery.status import Status

_meter = metrics.get_meter("absah.bridge")
_watched: set[Status] = set()

_consumed = _meter.create_counter(
    "absah.bridge.messages.consumed", unit="{message}", description="Messages that were delivered"
)
_ended = _meter.create_counter(
    "absah.bridge.messages.ended",
    unit="{message}",
    description="Messages that came to an end, by `outcome`: answered, retried, parked, lost",
)
_seconds = _meter.create_histogram(
    "absah.bridge.message.duration", unit="s", description="From a delivery to its end"
)


def consumed(system: str) -> None:
    _consumed.add(1, {"system": system})


def ended(system: str, outcome: str, seconds: float, *, cause: str = "") -> None:
    attributes = {"system": system, "outcome": outcome}
    _seconds.record(seconds, attributes)
    _ended.add(1, attributes | {"cause": cause} if cause else attributes)


@contextmanager
def watching(status: Status) -> Iterator[None]:
    """Show a bridge's gauges within the block."""
    _watched.add(status)
    try:
        yield
    finally:
        _watched.discard(status)


Reading = Callable[[Status], Iterable[Observation]]


def _gauge(name: str, unit: str, description: str, reading: Reading) -> None:
    def read(options: CallbackOptions) -> Iterator[Observation]:
        for status in list(_watched):
            yield from reading(status)

    _meter.create_observable_gauge(name, [read], unit=unit, description=description)


def _under_way(status: Status) -> Iterator[Observation]:
    for name, consumer in list(status.consumers.items()):
        yield Observation(consumer.under_way, {"system": name})


def _oldest(status: Status) -> Iterator[Observation]:
    for name, consumer in list(status.consumers.items()):
        yield Observation(consumer.oldest_seconds, {"system": name})


def _queued(status: Status) -> Iterator[Observation]:
    for queue, count in list(status.queued.items()):
        yield Observation(count, {"queue": queue})


_gauge("absah.bridge.messages.under_way", "{message}", "Delivered and not ended", _under_way)
_gauge(
    "absah.bridge.messages.oldest",
    "s",
    "Of those under way, since the oldest was set aside first, or delivered",
    _oldest,
)
_gauge("absah.bridge.queue.messages", "{message}", "Ready in a queue, seen now and then", _queued)
_gauge(
    "absah.bridge.core.limit",
    "{call}",
    "Calls at a time that the core bears, as learnt so far",
    lambda status: [Observation(status.core_limit)],
)
_gauge(
    "absah.bridge.connected",
    "1",
    "1 while the broker is connected and every queue is consumed",
    lambda status: [Observation(int(status.connected))],
)
_gauge(
    "absah.bridge.core.serving",
    "1",
    "1 while the core says that it serves",
    lambda status: [Observation(int(status.core_serving))],
)
