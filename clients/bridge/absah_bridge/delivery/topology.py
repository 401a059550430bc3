"""The queues of a legacy system, declared again after each connection.

    <queue>                    quorum, dead-lettered to its parking queue at a delivery limit
    <queue>.retry.<seconds>    quorum, whose messages go back to <queue> when their time is over
    <queue>.parked             quorum, for people

Names are the system's own with an ending, so that an operator finds them side by side.
https://www.rabbitmq.com/docs/quorum-queues
"""

from __future__ import annotations

from typing import Any

import pika.channel

from absah_bridge.config import System
from absah_bridge.delivery import amqp

DELIVERY_LIMIT = 20
"""Of a message that takes the bridge down with it each time, before any attempt is counted."""

NO_LIMIT = 1_000_000_000
"""Of parked messages, which people look at and put back. RabbitMQ 4 limits where nobody does."""


def parked(queue: str) -> str:
    """The name of a queue's parking queue."""
    return f"{queue}.parked"


def retry(queue: str, seconds: float) -> str:
    """The name of the queue where messages wait that long."""
    return f"{queue}.retry.{seconds:g}"


async def declare(
    connection: amqp.Connection, channel: pika.channel.Channel, system: System
) -> None:
    """Declare a system's queues. Raises `ConnectionLost`, or `BridgeError` where one exists with
    other arguments."""
    queue = system.consume.queue
    await _declare(connection, channel, parked(queue), {"x-delivery-limit": NO_LIMIT})
    # Each once: two waits may be of one length.
    for seconds in dict.fromkeys(system.retries.delays_seconds):
        await _declare(
            connection,
            channel,
            retry(queue, seconds),
            {"x-message-ttl": int(seconds * 1000), **_dead_letters(queue)},
        )
    if system.consume.declare:
        arguments = {"x-delivery-limit": DELIVERY_LIMIT, **_dead_letters(parked(queue))}
        if system.consume.ordered_by:
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
    await amqp.call(
        connection,
        channel.queue_declare,
        queue=queue,
        durable=True,
        arguments={"x-queue-type": "quorum", **arguments},
    )
