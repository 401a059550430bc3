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
FIRST_DEATH = "x-first-death-reason"
"""The broker's own: why it dead-lettered a message."""
BROKERS_HEADERS = (
    DELIVERIES,
    "x-death",
    FIRST_DEATH,
    "x-first-death-queue",
    "x-first-death-exchange",
)
MAX_PROBLEM = 1000
MAX_REDRIVEN = 99


def attempt_of(properties: pika.BasicProperties) -> int:
    """Which attempt this delivery is; the first is 1."""
    value = (properties.headers or {}).get(ATTEMPT, 1)
    return value if isinstance(value, int) and value > 0 else 1


def deliveries_of(properties: pika.BasicProperties) -> int:
    """How often the broker delivered a message of its queue before, and nothing came of it."""
    value = (properties.headers or {}).get(DELIVERIES, 0)
    return value if isinstance(value, int) else 0


def redriven_of(properties: pika.BasicProperties) -> int:
    """How often people sent it on its way again."""
    value = (properties.headers or {}).get(REDRIVEN, 0)
    return min(value, MAX_REDRIVEN) if isinstance(value, int) and value > 0 else 0


def key_of(body: bytes, properties: pika.BasicProperties) -> str:
    """What names a message to people: its id or, where it has none, its body's digest."""
    return properties.message_id or f"body:{hashlib.sha256(body).hexdigest()}"


def has_story(properties: pika.BasicProperties) -> bool:
    """Whether something befell the message before this delivery."""
    return attempt_of(properties) > 1 or REDRIVEN in (properties.headers or {})


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
        if name not in PARKED_HEADERS
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
    of the next."""
    made = copy.copy(properties)
    kept = {
        name: value
        for name, value in (properties.headers or {}).items()
        if name not in BROKERS_HEADERS
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
