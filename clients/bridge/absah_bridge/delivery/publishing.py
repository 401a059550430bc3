"""Publish with confirms, mandatory, many at a time."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Iterator
from typing import Any

import pika
import pika.channel
import pika.exceptions
import pika.spec

from absah_bridge.delivery import amqp
from absah_bridge.delivery.amqp import ChannelClosed, Connection, ConnectionLost, Publication
from absah_bridge.errors import BridgeError

log = logging.getLogger(__name__)

DIRECT_REPLY = "amq.rabbitmq.reply-to."
"""Such an address is no queue: before RabbitMQ 4.2 a mandatory message is delivered to it and comes
back as well. Where nobody listens any more, nobody is told."""
DEFAULT_EXCHANGE = "amq.default"
"""What the broker calls the exchange whose name is empty."""
TRIES = 3
"""Beside others, on channels that the broker closes; then by itself, to see whose fault it is."""
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 10.0


class NotConfirmed(BridgeError):
    """The broker refused a message (basic.nack)."""


class NotRouted(BridgeError):
    """No queue took a message that must be taken by one."""


class MayNotPublish(BridgeError):
    """The broker lets the bridge's user set no message aside, which trying again does not mend."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"the broker takes no messages from the bridge: {why}. Let its user write to the "
            f"exchange {DEFAULT_EXCHANGE}, by which messages reach queues."
        )


class Publisher:
    """Publishes on one connection; a channel that the broker closes is replaced."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._channel: _Channel | None = None
        self._opening = asyncio.Lock()

    async def publish(self, publication: Publication) -> None:
        """Publish, and return when the broker has it in a queue's safekeeping.

        A broker that refuses it, as a full queue does, is asked again for as long as it takes.
        Raises `ConnectionLost` (it may have arrived) or `NotRouted`.
        """
        wait = FIRST_WAIT_SECONDS
        closed = 0
        while True:
            try:
                await self._connection.until_unblocked()
                if closed < TRIES:
                    await (await self._opened()).publish(publication)
                else:
                    await self._publish_alone(publication)
                return
            except ChannelClosed as exc:
                if _names(exc.text, publication.exchange) or closed == TRIES:
                    raise NotRouted(exc.text) from exc
                closed += 1
            except NotConfirmed:
                log.warning("refused by the broker", extra={"queue": publication.routing_key})
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)

    async def checked(self) -> Publisher:
        """Itself, once the broker took a message that is for nobody.

        Raises `MayNotPublish` where messages could not be set aside, or `ConnectionLost`.
        """
        nowhere = Publication(
            exchange="",
            routing_key=f"absah.nowhere.{uuid.uuid4().hex}",
            body=b"",
            properties=pika.BasicProperties(),
        )
        try:
            await self._publish_alone(nowhere)
        except ChannelClosed as exc:
            if exc.code == pika.spec.ACCESS_REFUSED:
                raise MayNotPublish(exc.text) from exc
            raise
        except NotRouted:
            pass  # the broker took it, and found no such queue
        return self

    async def _publish_alone(self, publication: Publication) -> None:
        channel = await _Channel.open(self._connection)
        try:
            await channel.publish(publication)
        finally:
            channel.close()

    async def _opened(self) -> _Channel:
        if self._channel is not None and self._channel.is_open:
            return self._channel
        async with self._opening:
            if self._channel is None or not self._channel.is_open:
                self._channel = await _Channel.open(self._connection)
            return self._channel


class _Channel:
    """One channel in confirm mode."""

    def __init__(self, channel: pika.channel.Channel) -> None:
        self._channel = channel
        self._tag = 0
        self._waiting: dict[int, tuple[Publication, asyncio.Future[None]]] = {}
        """By delivery tag, which counts up."""
        self._returned: dict[int, str] = {}
        channel.add_on_return_callback(self._on_return)
        channel.add_on_close_callback(self._on_close)

    @classmethod
    async def open(cls, connection: Connection) -> _Channel:
        channel = await connection.channel()
        made = cls(channel)
        await amqp.call(connection, channel.confirm_delivery, ack_nack_callback=made._on_confirm)
        return made

    @property
    def is_open(self) -> bool:
        return bool(self._channel.is_open)

    def close(self) -> None:
        if self.is_open:
            self._channel.close()

    async def publish(self, publication: Publication) -> None:
        """Raises `ConnectionLost`, `ChannelClosed`, `NotConfirmed` or `NotRouted`."""
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            self._channel.basic_publish(
                publication.exchange,
                publication.routing_key,
                publication.body,
                publication.properties,
                mandatory=not _replies_directly(publication),
            )
        except pika.exceptions.AMQPError as exc:
            raise ConnectionLost(str(exc)) from exc
        self._tag += 1
        self._waiting[self._tag] = (publication, confirmed)
        await confirmed

    def _on_confirm(self, frame: Any) -> None:
        method = frame.method
        tags = [method.delivery_tag]
        if method.multiple:
            # They count up, so that the first ones are meant.
            tags = list(_up_to(self._waiting, method.delivery_tag))
        acked = isinstance(method, pika.spec.Basic.Ack)
        for tag in tags:
            _, confirmed = self._waiting.pop(tag)
            returned = self._returned.pop(tag, None) if self._returned else None
            if returned is not None:
                amqp.fail(confirmed, NotRouted(returned))
            elif acked:
                amqp.resolve(confirmed, None)
            else:
                amqp.fail(confirmed, NotConfirmed("the broker refused it"))

    def _on_return(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        # What cannot be routed comes back before it is confirmed, in the order of publishing. Two
        # that are alike in these are alike in their fate.
        wanted = (method.exchange, method.routing_key, properties.message_id)
        for tag, (sent, _) in self._waiting.items():
            if tag not in self._returned and wanted == (
                sent.exchange,
                sent.routing_key,
                sent.properties.message_id,
            ):
                self._returned[tag] = (
                    f"no queue takes it: {method.exchange or '(default)'} "
                    f"{method.routing_key!r}, {method.reply_text}"
                )
                return

    def _on_close(self, channel: Any, reason: BaseException) -> None:
        error = amqp.lost_by(reason)
        if isinstance(error, ChannelClosed):
            extra = {"why": str(error), "unconfirmed": len(self._waiting)}
            log.warning("channel closed by the broker", extra=extra)
        for _, confirmed in self._waiting.values():
            amqp.fail(confirmed, error)
        self._waiting.clear()
        self._returned.clear()


def _up_to(waiting: dict[int, Any], last: int) -> Iterator[int]:
    for tag in waiting:
        if tag > last:
            return
        yield tag


def _names(text: str, exchange: str) -> bool:
    """Whether what the broker says of a closed channel is about an exchange."""
    return f"exchange '{exchange or DEFAULT_EXCHANGE}'" in text


def _replies_directly(publication: Publication) -> bool:
    # A reply-to that is not UTF-8 comes as bytes.
    key: str | bytes = publication.routing_key
    return not publication.exchange and isinstance(key, str) and key.startswith(DIRECT_REPLY)
