"""Consume one system's queue: each message is answered or set aside, and acknowledged last."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass
from typing import Any

import pika
import pika.channel
import pika.exceptions

from absah_bridge.delivery import amqp, dead_letters, measures, topology, tracing
from absah_bridge.delivery.amqp import ConnectionLost, Publication
from absah_bridge.delivery.handling import Delivery, Handler, grouped, order_of
from absah_bridge.delivery.publishing import NotRouted, Publisher
from absah_bridge.delivery.settling import Settled, Settling
from absah_bridge.delivery.turns import Turns
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.requests import Arrived

log = logging.getLogger(__name__)

HOLD_SECONDS = 20 * 60.0
"""How long a message is in hand before it goes to wait. RabbitMQ closes a channel whose message is
unacknowledged for 30 minutes (consumer_timeout)."""
ORDERED_HOLD_SECONDS = 25 * 60.0
"""Where order matters, before it is given back together with those behind it."""
SEND_SECONDS = 5 * 60.0
"""For sending it to wait; the broker may take nothing."""
RETURN_SECONDS = 1.0
"""Before a message is given back that broke the bridge itself, lest it come back at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """What became of a message; `attempts` is given where they were made in place."""

    outcome: str
    cause: str = ""
    attempts: int | None = None


ANSWERED = Ended(outcome="answered")


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
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done when no more messages come: the channel was closed, or the queue deleted."""
        self._handler = handler
        self._settling = settling
        self._connection = connection
        self._publisher = publisher
        self._system = handler.system
        self._consume = handler.system.config.consume
        self._tasks: dict[asyncio.Task[None], float] = {}
        """Since when each is on its way, in seconds of the monotonic clock: since it was set aside
        for the first time where it was, else since this delivery."""
        self._turns = Turns()
        self._reading = asyncio.Lock()
        self._channel: pika.channel.Channel | None = None
        self._tag = ""
        self._stopping = False

    async def start(self) -> None:
        """Declare the queues and begin to consume; raises `ConnectionLost` or `QueueUnusable`."""
        channel = self._channel = await self._connection.channel()
        channel.add_on_close_callback(self._on_close)
        channel.add_on_cancel_callback(self._on_cancel)
        await topology.declare(self._connection, channel, self._system.config)
        await amqp.call(self._connection, channel.basic_qos, prefetch_count=self._consume.prefetch)
        frame = await amqp.call(
            self._connection,
            channel.basic_consume,
            queue=self._consume.queue,
            on_message_callback=self._on_message,
        )
        self._tag = frame.method.consumer_tag

    async def stop(self, *, within_seconds: float) -> None:
        """Take no more messages, and end those under way; what does not is delivered again."""
        self._stopping = True
        try:
            if within_seconds and self._channel is not None and self._channel.is_open:
                await amqp.call(
                    self._connection, self._channel.basic_cancel, consumer_tag=self._tag
                )
            if self._tasks and within_seconds:
                await asyncio.wait(self._tasks, timeout=within_seconds)
        except ConnectionLost as exc:
            log.info("lost while stopping", extra={"why": str(exc)})
        finally:
            left = list(self._tasks)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            if self._channel is not None and self._channel.is_open:
                self._channel.close()

    @property
    def under_way(self) -> int:
        """Messages that are neither answered nor set aside yet."""
        return len(self._tasks)

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest of them has been on its way."""
        now = time.monotonic()
        return now - min(list(self._tasks.values()), default=now)

    def _on_close(self, channel: Any, reason: BaseException) -> None:
        amqp.resolve(self.lost, f"{self._consume.queue}: {reason}")

    def _on_cancel(self, frame: Any) -> None:
        amqp.resolve(self.lost, f"{self._consume.queue}: the broker ended the consumer")

    def _on_message(
        self, channel: Any, method: Any, properties: pika.BasicProperties, body: bytes
    ) -> None:
        if self._stopping:
            return  # on its way when the consumer was cancelled; closing the channel gives it back
        measures.consumed(self._system.name)
        delivery = Delivery(
            body=body, properties=amqp.readable(properties), tag=method.delivery_tag
        )
        task = asyncio.ensure_future(self._settle(delivery))
        self._tasks[task] = time.monotonic() - dead_letters.age_seconds(delivery.properties)
        task.add_done_callback(self._tasks.pop)

    async def _settle(self, delivery: Delivery) -> None:
        """Bring a message to its end, and acknowledge it once that is in the broker's keeping."""
        began = time.monotonic()
        name = self._system.name
        ended = Ended(outcome="lost")
        try:
            with tracing.message(delivery.properties, system=name, queue=self._consume.queue):
                ended = await self._end(delivery)
            self._on_channel("basic_ack", delivery.tag)
        except ConnectionLost as exc:
            # Unacknowledged, it comes again.
            log.info("message not settled", extra={"system": name, "why": str(exc)})
        except Exception:
            log.exception("message not settled", extra={"system": name})
            await asyncio.sleep(RETURN_SECONDS)
            self._on_channel("basic_nack", delivery.tag)
        measures.ended(name, ended.outcome, time.monotonic() - began, cause=ended.cause)

    def _on_channel(self, method: str, tag: int) -> None:
        if self._channel is not None and self._channel.is_open:
            with contextlib.suppress(pika.exceptions.AMQPError):  # it comes again
                getattr(self._channel, method)(tag)

    async def _end(self, delivery: Delivery) -> Ended:
        """Answer a message, or set it aside; all is confirmed then. Neither the core, nor a store,
        nor the broker holds it up for longer than the broker lets it be in hand."""
        ordered = self._consume.ordered_by is not None
        seconds = ORDERED_HOLD_SECONDS if ordered else HOLD_SECONDS
        try:
            async with asyncio.timeout(seconds) as hold:
                ended = await self._answer_or_set_aside(delivery)
        except TimeoutError:
            if not hold.expired():
                raise
            return await self._held(delivery, seconds)
        if ended.outcome == ANSWERED.outcome:
            await self._settling.answered(delivery, attempts=ended.attempts)
        return ended

    async def _held(self, delivery: Delivery, seconds: float) -> Ended:
        if self._consume.ordered_by is not None:
            # It and those behind it are delivered again in their order, once the channel is gone.
            why = f"{self._consume.queue}: held a message for {seconds:g} s, and gives back all"
            amqp.resolve(self.lost, why)
            raise ConnectionLost(why)
        async with asyncio.timeout(SEND_SECONDS):
            return await self._set_aside(await self._settling.held(delivery, seconds=seconds))

    async def _answer_or_set_aside(self, delivery: Delivery) -> Ended:
        error = self._settling.delivered_too_often(delivery)
        if error is not None:
            return await self._set_aside(await self._settling.park(delivery, error))
        async with contextlib.AsyncExitStack() as stack:
            try:
                arrived = await self._read(delivery, stack)
            except Exception as exc:
                return await self._set_aside(await self._settling.failed(delivery, exc))
            try:
                return await self._answer(arrived, delivery)
            except NotRouted as exc:
                problem = MessageInvalid(Cause.NOT_ROUTED, f"its answer: {exc}")
                return await self._set_aside(await self._settling.park(delivery, problem))

    async def _read(self, delivery: Delivery, stack: contextlib.AsyncExitStack) -> Arrived:
        """Read a message and, where order matters, wait for its turn, which `stack` holds until
        its answer is confirmed, so that answers keep the order too."""
        path = self._consume.ordered_by
        if path is None:
            return await self._handler.read(delivery)
        # One after another, so that turns are asked for in the order in which messages came.
        async with self._reading:
            arrived = await self._handler.read(delivery)
        await stack.enter_async_context(self._turns.turn(order_of(arrived, path)))
        return arrived

    async def _answer(self, arrived: Arrived, delivery: Delivery) -> Ended:
        ended = ANSWERED
        try:
            if self._consume.ordered_by is None:
                publication = await self._handler.answer(arrived, delivery)
            else:
                publication, attempts = await self._asked_in_place(arrived, delivery)
                ended = Ended(outcome=ANSWERED.outcome, attempts=attempts)
        except _Exhausted as exc:
            parked = await self._settling.exhausted(delivery, exc.error, attempts=exc.attempts)
            return await self._set_aside(parked)
        except Exception as exc:
            return await self._set_aside(await self._settling.failed(delivery, grouped(exc)))
        await self._publisher.publish(publication)
        return ended

    async def _asked_in_place(
        self, arrived: Arrived, delivery: Delivery
    ) -> tuple[Publication, int]:
        """Where order matters a message keeps its place while it waits for its next attempt; all
        of its waits fit into the time that it may be in hand, or bridge.yaml is refused.

        It keeps it while the core is away, too: given back, it and those behind it are delivered
        again in their order.
        """
        attempt = 1
        while True:
            try:
                return await self._handler.answer(arrived, delivery), attempt
            except Exception as exc:
                error = grouped(exc)
                if isinstance(error, MessageInvalid):
                    raise error from exc
                delay_seconds = self._settling.delay_seconds(attempt)
                if delay_seconds is None:
                    raise _Exhausted(error, attempt) from exc
                await self._settling.retried_in_place(delivery, error, attempt=attempt)
            attempt += 1
            await asyncio.sleep(delay_seconds)

    async def _set_aside(self, settled: Settled) -> Ended:
        """Publish to one of the bridge's own queues; where it is gone, all are declared again."""
        try:
            await self._publisher.publish(settled.publication)
        except NotRouted as exc:
            amqp.resolve(self.lost, str(exc))
            raise ConnectionLost(str(exc)) from exc
        return Ended(outcome=settled.outcome, cause=settled.cause)


class _Exhausted(Exception):
    """All attempts were made in place."""

    def __init__(self, error: BaseException, attempts: int) -> None:
        super().__init__(str(error))
        self.error = error
        self.attempts = attempts
