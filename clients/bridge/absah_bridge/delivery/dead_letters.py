"""What is said of a message that waits for another attempt, or for a person."""

from __future__ import annotations

import copy
import datetime
import hashlib
from collections.abc import Mapping
from typing import Any

import pika

from absah_bridge.delivery import topology
from absah_bridge.delivery.amqp import Publication
from absah_bridge.errors import MessageInvalid

ATTEMPT = "x-absah-attempt"
FIRST_TIME = "x-absah-first-time"
CAUSE = "x-absah-cause"
FIELD = "x-absah-field"
POSITION = "x-absah-position"
PROBLEM = "x-absah-problem"
PARK_TIME = "x-absah-park-time"
SYSTEM = "x-absah-system"
QUEUE = "x-absah-queue"
KEY = "x-absah-key"
REDRIVEN = "x-absah-redriven"
PARKED_HEADERS = (CAUSE, FIELD, POSITION, PROBLEM, PARK_TIME, SYSTEM, QUEUE, KEY)
DELIVERIES = "x-delivery-count"
"""The broker's own: deliveries before this one that ended in nothing."""
DEATHS = "x-death"
"""The broker's own: how it dead-lettered a message, the last time first."""
BROKERS_HEADERS = (
    DELIVERIES,
    DEATHS,
    "x-first-death-reason",
    "x-first-death-queue",
    "x-first-death-exchange",
)
COPIES = ("CC", "BCC")
"""By these a publisher has the broker route a message to other queues beside its own."""
MAX_PROBLEM = 1000
MAX_REDRIVEN = 99
MAX_ATTEMPT = 1_000_000
"""Anyone may write the header; the ledger counts in 32 bits."""


def attempt_of(properties: pika.BasicProperties) -> int:
    """Which attempt this delivery is; the first is 1."""
    value = (properties.headers or {}).get(ATTEMPT, 1)
    return min(value, MAX_ATTEMPT) if isinstance(value, int) and value > 0 else 1


def deliveries_of(properties: pika.BasicProperties) -> int:
    """How often the broker delivered a message of its queue before, and nothing came of it."""
    value = (properties.headers or {}).get(DELIVERIES, 0)
    return value if isinstance(value, int) else 0


def redriven_of(properties: pika.BasicProperties) -> int:
    """How often people sent it on its way again."""
    value = (properties.headers or {}).get(REDRIVEN, 0)
    return min(value, MAX_REDRIVEN) if isinstance(value, int) and value > 0 else 0


def key_of(body: bytes, properties: pika.BasicProperties) -> str:
    """What names a message to people: its id, as far as it can be shown, or, where it has none, its
    body's digest."""
    id_ = properties.message_id
    if not id_:
        return f"body:{hashlib.sha256(body).hexdigest()}"
    return id_ if id_.isprintable() else "".join(c if c.isprintable() else "?" for c in id_)


def death_of(properties: pika.BasicProperties) -> Mapping[str, Any]:
    """How the broker dead-lettered a message the last time, with its `reason` and `time`; empty
    where it did not."""
    deaths = (properties.headers or {}).get(DEATHS)
    last = deaths[0] if isinstance(deaths, list) and deaths else None
    return last if isinstance(last, dict) else {}


def has_story(properties: pika.BasicProperties) -> bool:
    """Whether something befell the message before this delivery."""
    headers = properties.headers or {}
    return FIRST_TIME in headers or REDRIVEN in headers


def age_seconds(properties: pika.BasicProperties) -> float:
    """How long ago a message was set aside for the first time since people last saw to it; 0 where
    it was not, or does not say so as the bridge does."""
    known = (properties.headers or {}).get(FIRST_TIME)
    if not isinstance(known, str):
        return 0.0
    try:
        age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(known)
    except (ValueError, TypeError):  # TypeError: it names no time zone
        return 0.0
    return max(age.total_seconds(), 0.0)


def for_retry(
    body: bytes, properties: pika.BasicProperties, *, queue: str, delay_seconds: float, attempt: int
) -> Publication:
    """The message for its waiting queue, marked as its `attempt`-th to come."""
    return Publication(
        exchange="",
        routing_key=topology.retry(queue, delay_seconds),
        body=body,
        properties=_marked(properties, {ATTEMPT: attempt, FIRST_TIME: _first_time(properties)}),
    )


def for_parking(
    body: bytes,
    properties: pika.BasicProperties,
    *,
    system: str,
    queue: str,
    key: str,
    error: MessageInvalid,
    now: datetime.datetime,
) -> Publication:
    """The message for its parking queue, with the reason in its headers."""
    return Publication(
        exchange="",
        routing_key=topology.parked(queue),
        body=body,
        properties=_marked(
            properties,
            {
                SYSTEM: system,
                QUEUE: queue,
                KEY: key,
                CAUSE: error.cause.value,
                FIELD: error.field[:200],
                POSITION: error.position[:200],
                PROBLEM: error.problem[:MAX_PROBLEM],
                PARK_TIME: now.isoformat(timespec="seconds"),
                ATTEMPT: attempt_of(properties),
                FIRST_TIME: _first_time(properties),
            },
        ),
    )


def for_redriving(body: bytes, properties: pika.BasicProperties, *, queue: str) -> Publication:
    """A parked message for its own queue again, as if it came for the first time."""
    clean = copy.copy(properties)
    clean.headers = {
        name: value
        for name, value in (properties.headers or {}).items()
        if name not in (*PARKED_HEADERS, FIRST_TIME)
    }
    again = redriven_of(properties) + 1
    return Publication(
        exchange="",
        routing_key=queue,
        body=body,
        properties=_marked(clean, {ATTEMPT: 1, REDRIVEN: again}),
    )


def _marked(properties: pika.BasicProperties, marks: Mapping[str, Any]) -> pika.BasicProperties:
    """The properties with these headers, and without what would undo it: an expiration would end
    its waiting, a user id is checked against ours, what the broker noted of one queue is not true
    of the next, and copies were sent when the message came first."""
    made = copy.copy(properties)
    kept = {
        name: value
        for name, value in (properties.headers or {}).items()
        if name not in BROKERS_HEADERS + COPIES
    }
    made.headers = {**kept, **marks}
    made.delivery_mode = pika.DeliveryMode.Persistent.value
    made.expiration = None
    made.user_id = None
    return made


def _first_time(properties: pika.BasicProperties) -> str:
    known = (properties.headers or {}).get(FIRST_TIME)
    if isinstance(known, str):
        return known
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
