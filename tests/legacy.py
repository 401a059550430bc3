"""A legacy program, as tests play it: it publishes messages, reads answers and knows no more."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pika
import pika.exceptions

ANSWER_SECONDS = 30.0


class LegacyProgram:
    """A blocking AMQP client with one channel that confirms."""

    def __init__(self, url: str) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self.channel = self._connection.channel()
        self.channel.confirm_delivery()

    def declare(self, queue: str) -> None:
        """A durable queue of its own, for answers."""
        self.channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})

    def send(self, queue: str, body: bytes, **properties: Any) -> str:
        """Publish with confirm; returns the message id, which is its own unless one is given."""
        properties.setdefault("message_id", uuid.uuid4().hex)
        self.channel.basic_publish(
            "",
            queue,
            body,
            pika.BasicProperties(delivery_mode=2, **properties),
            mandatory=True,
        )
        return str(properties["message_id"])

    def receive(self, queue: str, *, seconds: float = ANSWER_SECONDS) -> tuple[Any, bytes]:
        """The next message of a queue, taken; raises AssertionError if none comes in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            method, properties, body = self.channel.basic_get(queue, auto_ack=True)
            if method is not None:
                assert body is not None
                return properties, body
            self._connection.process_data_events(0.02)
        raise AssertionError(f"nothing came to {queue} in {seconds} s")

    def count(self, queue: str) -> int:
        """Messages that are ready in a queue; raises pika's error if it is not there."""
        probe = self._connection.channel()
        count: int = probe.queue_declare(queue, passive=True).method.message_count
        probe.close()
        return count

    def call(
        self, queue: str, body: bytes, *, seconds: float = ANSWER_SECONDS
    ) -> tuple[Any, bytes]:
        """Ask and read the answer by direct reply-to, as remote procedure calls do."""
        answers: list[tuple[Any, bytes]] = []
        channel = self._connection.channel()
        channel.basic_consume(
            "amq.rabbitmq.reply-to",
            lambda _, __, properties, content: answers.append((properties, content)),
            auto_ack=True,
        )
        properties = pika.BasicProperties(
            reply_to="amq.rabbitmq.reply-to", message_id=uuid.uuid4().hex, correlation_id="tanya"
        )
        channel.basic_publish("", queue, body, properties)
        end = time.monotonic() + seconds
        while not answers and time.monotonic() < end:
            self._connection.process_data_events(0.02)
        channel.close()
        assert answers, f"no reply came in {seconds} s"
        return answers[0]

    def headers_of_parked(self, queue: str) -> Mapping[str, Any]:
        """The headers of the next message in a queue's parking queue, taken."""
        properties, _ = self.receive(f"{queue}.parked")
        headers: Mapping[str, Any] = properties.headers
        return headers

    def close(self) -> None:
        """Close the connection."""
        # A broker that is stopped or killed meanwhile has closed it already.
        with contextlib.suppress(pika.exceptions.AMQPError):
            if self._connection.is_open:
                self._connection.close()


@contextmanager
def legacy_program(url: str) -> Iterator[LegacyProgram]:
    """One that is closed at the end."""
    program = LegacyProgram(url)
    try:
        yield program
    finally:
        program.close()
