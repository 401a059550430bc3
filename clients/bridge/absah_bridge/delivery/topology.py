"""The queues of a legacy system, declared again after each connection.

    <queue>                    quorum, dead-lettered to its parking queue at a delivery limit
    <queue>.retry.<seconds>    quorum, whose messages go back to <queue> when their time is over
    <queue>.parked             quorum, for people

Names are the system's own with an ending, so that an operator finds them side by side.
https://www.rabbitmq.com/docs/quorum-queues
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pika.channel

from absah_bridge.config import Consume, System
from absah_bridge.delivery import amqp
from absah_bridge.errors import BridgeError

DELIVERY_LIMIT = 20
"""Deliveries after which the bridge parks a message that never ends, since it may be what takes
the bridge down. Every connection that is lost counts as one."""

ORDERED_DELIVERY_LIMIT = 100
"""Where order matters a message keeps its place while the core is away, and the broker takes it
back twice an hour."""

SPARE_DELIVERIES = 10
"""After that many more the broker parks it itself: the bridge did not live to see the number."""

NO_LIMIT = 1_000_000_000
"""Of parked messages, which people look at and put back. RabbitMQ 4 limits where nobody does."""

DEFAULT_DELAYS_SECONDS = (30.0,)
"""Where a system is to have no other attempts, for messages that are held back uncounted."""

FORBIDDEN, PRECONDITION_FAILED = 403, 406


class QueueUnusable(BridgeError):
    """A queue that cannot be used as it is, which trying again does not mend."""

    def __init__(self, queue: str, why: str) -> None:
        super().__init__(
            f"queue {queue!r} cannot be used: {why}. Delete it, rename it in bridge.yaml, or let "
            "the bridge use it as it is with consume.declare: false."
        )


def parked(queue: str) -> str:
    """The name of a queue's parking queue."""
    return f"{queue}.parked"


def retry(queue: str, seconds: float) -> str:
    """The name of the queue where messages wait that long."""
    return f"{queue}.retry.{seconds:g}"


def delivery_limit(consume: Consume) -> int:
    """How often one message of a queue is delivered before it is parked."""
    return ORDERED_DELIVERY_LIMIT if consume.ordered_by else DELIVERY_LIMIT


def waits(system: System) -> Sequence[float]:
    """How long messages of a system may wait, each in a queue of its own."""
    return system.retries.delays_seconds or DEFAULT_DELAYS_SECONDS


async def declare(
    connection: amqp.Connection, channel: pika.channel.Channel, system: System
) -> None:
    """Declare a system's queues. Raises `ConnectionLost`, or `QueueUnusable` where one exists with
    other arguments or must not be used."""
    consume = system.consume
    queue = consume.queue
    await _declare(connection, channel, parked(queue), {"x-delivery-limit": NO_LIMIT})
    # Each once: two waits may be of one length.
    for seconds in dict.fromkeys(waits(system)):
        await _declare(
            connection,
            channel,
            retry(queue, seconds),
            {
                "x-message-ttl": int(seconds * 1000),
                "x-delivery-limit": NO_LIMIT,
                **_dead_letters(queue),
            },
        )
    if consume.declare:
        limit = delivery_limit(consume) + SPARE_DELIVERIES
        arguments = {"x-delivery-limit": limit, **_dead_letters(parked(queue))}
        if consume.ordered_by:
            arguments["x-single-active-consumer"] = True
        await _declare(connection, channel, queue, arguments)


def _dead_letters(queue: str) -> dict[str, Any]:
    """At least once: the broker keeps a message until the other queue has confirmed it."""
    return {
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


async def _declare(
    connection: amqp.Connection, channel: Any, queue: str, arguments: dict[str, Any]
) -> None:
    try:
        await amqp.call(
            connection,
            channel.queue_declare,
            queue=queue,
            durable=True,
            arguments={"x-queue-type": "quorum", **arguments},
        )
    except amqp.ChannelClosed as exc:
        if exc.code in (FORBIDDEN, PRECONDITION_FAILED):
            raise QueueUnusable(queue, exc.text) from exc
        raise
