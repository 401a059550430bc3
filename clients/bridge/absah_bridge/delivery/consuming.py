"""Consume one system's queue: each message is answered or set aside, and acknowledged last."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pika
import pika.channel

from absah_bridge.delivery import amqp, topology
from absah_bridge.delivery.amqp import ConnectionLost, NotConfirmed, NotRouted, Publisher
from absah_bridge.delivery.handling import Delivery, Handler, grouped, order_of
from absah_bridge.delivery.settling import Settling
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.requests import Arrived

log = logging.getLogger(__name__)

HOLD_SECONDS = 20 * 60
"""RabbitMQ closes a channel whose message is unacknowledged for 30 minutes (consumer_timeout)."""


class Consumer:
    """One system's messages on one connection, until that is lost or `stop` is called."""

    def __init__(
        self,
        *,
        handler: Handler,
        settling: Settling,
        connection: amqp.Connection,
        publisher: Publisher,
    ) -> None:
        self._handler = handler
        self._settling = settling
        self._connection = connection
        self._publisher = publisher
        self._config = handler.system.config
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: dict[str, _Turn] = {}
        self._channel: pika.channel.Channel | None = None
        self._tag = ""

    async def start(self) -> None:
        """Declare the queues and begin to consume; raises `ConnectionLost` or `BridgeError`."""
        channel = await self._connection.channel()
        await topology.declare(self._connection, channel, self._config)
        await amqp.call(
            self._connection, channel.basic_qos, prefetch_count=self._config.consume.prefetch
        )
        self._channel = channel
        self._tag = channel.basic_consume(self._config.consume.queue, self._on_message)

    async def stop(self, *, within_seconds: float) -> None:
        """Take no more messages, and end those under way; what does not is delivered again."""
        if self._channel is not None and self._channel.is_open:
            await amqp.call(self._connection, self._channel.basic_cancel, consumer_tag=self._tag)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_seconds)
        for task in self._tasks:
            task.cancel()

    @property
    def under_way(self) -> int:
        """Messages that are neither answered nor set aside yet."""
        return len(self._tasks)

    def _on_message(
        self, channel: Any, method: Any, properties: pika.BasicProperties, body: bytes
    ) -> None:
        delivery = Delivery(
            body=body,
            properties=properties,
            tag=method.delivery_tag,
            redelivered=method.redelivered,
        )
        task = asyncio.ensure_future(self._settle(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self, delivery: Delivery) -> None:
        """Bring a message to its end, and acknowledge it once that is in the broker's keeping."""
        try:
            await self._end(delivery)
        except (ConnectionLost, NotConfirmed) as exc:
            # Unacknowledged, it comes again.
            log.info(
                "message not settled",
                extra={"system": self._handler.system.name, "why": str(exc)},
            )
            return
        if self._channel is not None and self._channel.is_open:
            self._channel.basic_ack(delivery.tag)

    async def _end(self, delivery: Delivery) -> None:
        try:
            arrived = self._handler.read(delivery)
        except MessageInvalid as exc:
            await self._publisher.publish(await self._settling.park(delivery, exc))
            return
        # A turn lasts until the answer is confirmed, so that answers keep the order too.
        async with self._turn(arrived):
            try:
                await self._answer(arrived, delivery)
            except NotRouted as exc:
                error = MessageInvalid(Cause.NOT_ROUTED, f"its answer: {exc}")
                await self._publisher.publish(await self._settling.park(delivery, error))

    async def _answer(self, arrived: Arrived, delivery: Delivery) -> None:
        attempt = 1
        while True:
            try:
                async with asyncio.timeout(HOLD_SECONDS) as held:
                    publication = await self._handler.answer(arrived, delivery.properties)
            except Exception as exc:
                if held.expired():
                    publication = self._settling.held(delivery)
                elif not await self._tries_in_place(delivery, attempt, exc):
                    publication = await self._settling.failed(delivery, grouped(exc))
                else:
                    attempt += 1
                    continue
                await self._publisher.publish(publication)
                return
            await self._publisher.publish(publication)
            await self._settling.answered(delivery)
            return

    async def _tries_in_place(self, delivery: Delivery, attempt: int, error: BaseException) -> bool:
        """Where order matters a message keeps its place while it waits for its next attempt."""
        if self._config.consume.ordered_by is None or isinstance(grouped(error), MessageInvalid):
            return False
        delay_seconds = self._settling.delay_seconds(delivery, attempt)
        if delay_seconds is None:
            return False
        await asyncio.sleep(delay_seconds)
        return True

    def _turn(self, arrived: Arrived) -> AbstractAsyncContextManager[Any]:
        """The turn of a message among those of its key, in the order in which they came."""
        key = order_of(arrived, self._config.consume.ordered_by)
        if key is None:
            return contextlib.nullcontext()
        return self._kept_turn(key)

    @contextlib.asynccontextmanager
    async def _kept_turn(self, key: str) -> AsyncIterator[None]:
        turn = self._turns.setdefault(key, _Turn())
        turn.takers += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.takers -= 1
            if not turn.takers:
                del self._turns[key]


class _Turn:
    """Whose turn it is under one key; `takers` count those that have it or wait for it."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.takers = 0
