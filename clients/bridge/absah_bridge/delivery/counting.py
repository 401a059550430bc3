"""Count what waits in queues, without taking or making anything."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pika
import pika.exceptions

from absah_bridge.delivery import topology
from absah_bridge.errors import BridgeError


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """How much is in a queue and its parking queue; None where that queue is not there."""

    queue: str
    waiting: int | None
    consumers: int
    parked: int | None


def count(
    parameters: Sequence[pika.ConnectionParameters],
    queues: Sequence[str],
    *,
    timeout_seconds: float,
) -> list[Count]:
    """Count on the first broker that answers; raises `BridgeError` where none does in time."""
    try:
        connection = pika.BlockingConnection(list(_impatient(parameters, timeout_seconds)))
    except (pika.exceptions.AMQPError, OSError) as exc:
        raise BridgeError(f"no broker answers: {type(exc).__name__}") from exc
    try:
        return [_counted(connection, queue) for queue in queues]
    except pika.exceptions.AMQPConnectionError as exc:
        raise BridgeError(f"the broker was lost: {type(exc).__name__}") from exc
    finally:
        if connection.is_open:
            connection.close()


def _impatient(
    parameters: Sequence[pika.ConnectionParameters], timeout_seconds: float
) -> Iterator[pika.ConnectionParameters]:
    """The same brokers, which share the time."""
    for each in parameters:
        made = copy.copy(each)
        made.socket_timeout = made.stack_timeout = timeout_seconds / len(parameters)
        made.blocked_connection_timeout = timeout_seconds
        made.connection_attempts = 1
        yield made


def _counted(connection: pika.BlockingConnection, queue: str) -> Count:
    waiting, consumers = _declared(connection, queue)
    parked, _ = _declared(connection, topology.parked(queue))
    return Count(queue=queue, waiting=waiting, consumers=consumers, parked=parked)


def _declared(connection: pika.BlockingConnection, queue: str) -> tuple[int | None, int]:
    """Messages and consumers; a passive declaration makes nothing, and closes its channel where
    there is no such queue."""
    channel = connection.channel()
    try:
        told = channel.queue_declare(queue, passive=True).method
    except pika.exceptions.ChannelClosedByBroker:
        return None, 0
    channel.close()
    return told.message_count, told.consumer_count
