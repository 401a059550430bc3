"""Go through a parking queue: send messages on their way again, or take them out for good.

Written for people at a command line: it blocks, and does one message at a time.
"""

from __future__ import annotations

import contextlib
import datetime
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pika
import pika.exceptions
from pika.adapters.blocking_connection import BlockingChannel

from absah_bridge.delivery import amqp, dead_letters, topology
from absah_bridge.errors import BridgeError

ROUND_SECONDS = 10 * 60.0
"""What is passed over is held until the end of a round, and RabbitMQ closes a channel that holds a
message for 30 minutes (consumer_timeout)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ParkedMessage:
    """A message as it waits in a parking queue."""

    body: bytes
    properties: pika.BasicProperties

    def header(self, name: str) -> str:
        """A header's text, empty where it has none."""
        value = (self.properties.headers or {}).get(name, "")
        return value if isinstance(value, str) else ""

    @property
    def key(self) -> str:
        """What the ledger knows it by."""
        return self.header(dead_letters.KEY) or dead_letters.key_of(self.body, self.properties)

    @property
    def cause(self) -> str:
        """Why it is parked; the broker says it by itself of what the bridge did not live to see."""
        reason = str(dead_letters.death_of(self.properties).get("reason", ""))
        return self.header(dead_letters.CAUSE) or reason.upper()

    @property
    def since(self) -> datetime.datetime | None:
        """When it was parked; None where nothing of that can be read."""
        told = dead_letters.death_of(self.properties).get("time")
        with contextlib.suppress(ValueError):  # the broker's counts where there is no other
            told = datetime.datetime.fromisoformat(self.header(dead_letters.PARK_TIME))
        if not isinstance(told, datetime.datetime):
            return None
        return told if told.tzinfo else told.replace(tzinfo=datetime.UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Which parked messages are meant; empty fields do not matter."""

    keys: frozenset[str] = frozenset()
    cause: str = ""
    field: str | None = None

    def takes(self, message: ParkedMessage) -> bool:
        """Whether a message is among them."""
        return (
            (not self.keys or message.key in self.keys)
            and (not self.cause or message.cause == self.cause)
            and (self.field is None or message.header(dead_letters.FIELD) == self.field)
        )


class Parking:
    """The parking queue of one system's queue."""

    def __init__(
        self,
        parameters: Sequence[pika.ConnectionParameters],
        queue: str,
        *,
        round_seconds: float = ROUND_SECONDS,
    ) -> None:
        self._parameters = list(parameters)
        self._queue = queue
        self._round_seconds = round_seconds

    def look(self, selection: Selection) -> Iterator[ParkedMessage]:
        """The selected messages; all stay where they are."""
        with self._channel() as channel:
            for _, message in self._selected(channel, selection, of=self._count(channel)):
                yield message

    def redrive(
        self,
        selection: Selection,
        *,
        noted: Callable[[ParkedMessage], None],
        kept: Callable[[ParkedMessage], None],
        per_second: float | None,
    ) -> Iterator[ParkedMessage]:
        """Send the selected messages to their queue again, and yield each once that is sure.

        `noted` is called first, so that in the ledger it comes before what follows from it; if it
        raises, or the broker is lost then, the message stays parked, and doing it again is right. A
        message that is sent twice is answered alike. `kept` is called where a message was noted
        and stays parked nevertheless.
        """

        def send(channel: BlockingChannel, tag: int, message: ParkedMessage) -> None:
            again = dead_letters.for_redriving(message.body, message.properties, queue=self._queue)
            noted(message)
            try:
                channel.basic_publish(
                    again.exchange, again.routing_key, again.body, again.properties, mandatory=True
                )
                channel.basic_ack(tag)
            except BaseException:
                kept(message)
                raise

        return self._in_rounds(selection, send, per_second=per_second)

    def discard(
        self, selection: Selection, *, noted: Callable[[ParkedMessage], None]
    ) -> Iterator[ParkedMessage]:
        """Take the selected messages out for good, each once it is noted."""

        def drop(channel: BlockingChannel, tag: int, message: ParkedMessage) -> None:
            noted(message)
            channel.basic_ack(tag)

        return self._in_rounds(selection, drop, per_second=None)

    def _in_rounds(
        self,
        selection: Selection,
        take: Callable[[BlockingChannel, int, ParkedMessage], None],
        *,
        per_second: float | None,
    ) -> Iterator[ParkedMessage]:
        """Take the selected ones of the messages that are there now, and yield each.

        A long way is gone in rounds: what a round passed over is put back in its place.
        """
        left: int | None = None
        more = True
        while more:
            more = False
            with self._channel() as channel:
                began = time.monotonic()
                left = self._count(channel) if left is None else left
                for tag, message in self._selected(channel, selection, of=left):
                    taken = time.monotonic()
                    take(channel, tag, message)
                    left -= 1
                    yield message
                    if per_second:
                        wait = 1 / per_second - (time.monotonic() - taken)
                        channel.connection.sleep(max(wait, 0.0))  # which keeps heartbeats
                    if more := time.monotonic() - began > self._round_seconds:
                        break

    @contextmanager
    def _channel(self) -> Iterator[BlockingChannel]:
        """Closing it puts back what was taken and not acknowledged."""
        try:
            connection = pika.BlockingConnection(self._parameters)
        except pika.exceptions.AMQPError as exc:
            raise BridgeError(f"no broker answers: {type(exc).__name__}") from exc
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel
        except pika.exceptions.ChannelClosedByBroker as exc:
            raise BridgeError(f"{topology.parked(self._queue)}: {exc.reply_text}") from exc
        except pika.exceptions.UnroutableError as exc:
            raise BridgeError(f"there is no queue {self._queue!r} to send to") from exc
        except pika.exceptions.AMQPError as exc:
            raise BridgeError(f"the broker was lost: {type(exc).__name__}") from exc
        finally:
            if connection.is_open:
                connection.close()

    def _count(self, channel: BlockingChannel) -> int:
        queue = topology.parked(self._queue)
        return int(channel.queue_declare(queue, passive=True).method.message_count)

    def _selected(
        self, channel: BlockingChannel, selection: Selection, *, of: int
    ) -> Iterator[tuple[int, ParkedMessage]]:
        """The selected ones of the first messages; all that are passed are held by the channel."""
        for _ in range(of):
            method, properties, body = channel.basic_get(topology.parked(self._queue))
            if method is None:
                return
            message = ParkedMessage(body=body or b"", properties=amqp.readable(properties))
            if selection.takes(message):
                yield method.delivery_tag, message
