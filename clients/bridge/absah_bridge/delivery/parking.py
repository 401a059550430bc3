"""Go through a parking queue: send messages on their way again, or take them out for good.

Written for people at a command line: it blocks, and does one message at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pika
import pika.exceptions
from pika.adapters.blocking_connection import BlockingChannel

from absah_bridge.delivery import dead_letters, topology
from absah_bridge.errors import BridgeError


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
        return self.header(dead_letters.CAUSE) or self.header(dead_letters.FIRST_DEATH).upper()


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

    def __init__(self, parameters: Sequence[pika.ConnectionParameters], queue: str) -> None:
        self._parameters = list(parameters)
        self._queue = queue

    def look(self, selection: Selection) -> list[ParkedMessage]:
        """The selected messages; all stay where they are."""
        with self._channel() as channel:
            return [message for _, message in self._selected(channel, selection)]

    def redrive(
        self,
        selection: Selection,
        *,
        noted: Callable[[ParkedMessage], None],
        per_second: float | None,
    ) -> Iterator[ParkedMessage]:
        """Send the selected messages to their queue again, and yield each once that is sure.

        `noted` is called first, so that in the ledger it comes before what follows from it; if it
        raises, or the broker is lost then, the message stays parked, and doing it again is right. A
        message that is sent twice is answered alike.
        """
        with self._channel() as channel:
            for tag, message in self._selected(channel, selection):
                began = time.monotonic()
                again = dead_letters.for_redriving(
                    message.body, message.properties, queue=self._queue
                )
                noted(message)
                channel.basic_publish(
                    again.exchange,
                    again.routing_key,
                    again.body,
                    again.properties,
                    mandatory=True,
                )
                channel.basic_ack(tag)
                yield message
                if per_second:
                    left = 1 / per_second - (time.monotonic() - began)
                    channel.connection.sleep(max(left, 0.0))  # which keeps heartbeats

    def discard(
        self, selection: Selection, *, noted: Callable[[ParkedMessage], None]
    ) -> Iterator[ParkedMessage]:
        """Take the selected messages out for good, each once it is noted."""
        with self._channel() as channel:
            for tag, message in self._selected(channel, selection):
                noted(message)
                channel.basic_ack(tag)
                yield message

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

    def _selected(
        self, channel: BlockingChannel, selection: Selection
    ) -> Iterator[tuple[int, ParkedMessage]]:
        queue = topology.parked(self._queue)
        count = channel.queue_declare(queue, passive=True).method.message_count
        for _ in range(count):
            method, properties, body = channel.basic_get(queue)
            if method is None:
                return
            message = ParkedMessage(body=body or b"", properties=properties)
            if selection.takes(message):
                yield method.delivery_tag, message
