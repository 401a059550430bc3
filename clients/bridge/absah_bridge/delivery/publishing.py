"""Publish with confirms, mandatory, many at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pika.channel
import pika.exceptions
import pika.spec

from absah_bridge.delivery import amqp
from absah_bridge.delivery.amqp import ChannelClosed, Connection, ConnectionLost, Publication
from absah_bridge.errors import BridgeError

log = logging.getLogger(__name__)

TRIES = 3
"""On a channel that the broker closes again and again without naming an exchange."""
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 10.0


class NotConfirmed(BridgeError):
    """The broker refused a message (basic.nack)."""


class NotRouted(BridgeError):
    """No queue took a message that must be taken by one."""


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
                channel = self._channel
                if channel is None or not channel.is_open:
                    channel = await self._opened()
                await channel.publish(publication)
                return
            except ChannelClosed as exc:
                if f"exchange '{publication.exchange}'" in exc.text:
                    raise NotRouted(exc.text) from exc
                closed += "exchange '" not in exc.text
                if closed == TRIES:
                    raise NotRouted(f"the broker closes the channel: {exc.text}") from exc
            except NotConfirmed:
                log.warning("refused by the broker", extra={"queue": publication.routing_key})
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)

    async def _opened(self) -> _Channel:
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

    async def publish(self, publication: Publication) -> None:
        """Raises `ConnectionLost`, `ChannelClosed`, `NotConfirmed` or `NotRouted`."""
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            self._channel.basic_publish(
                publication.exchange,
                publication.routing_key,
                publication.body,
                publication.properties,
                mandatory=True,
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
        for _, confirmed in self._waiting.values():
            amqp.fail(confirmed, amqp.lost_by(reason))
        self._waiting.clear()
        self._returned.clear()


def _up_to(waiting: dict[int, Any], last: int) -> Iterator[int]:
    for tag in waiting:
        if tag > last:
            return
        yield tag
