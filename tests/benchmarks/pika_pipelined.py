"""The same without waiting: confirms come when they come, and then the message is acknowledged."""

from __future__ import annotations

import json
import sys
from typing import Any

import pika
import pika.channel


class Answering:
    """One channel, many answers unconfirmed at once."""

    def __init__(self, queue: str, prefetch: int) -> None:
        self._queue = queue
        self._prefetch = prefetch
        self._sent = 0
        self._unconfirmed: dict[int, int] = {}
        """Delivery tags by the tags of their answers, which count up."""
        self._channel: Any = None

    def on_open(self, connection: pika.SelectConnection) -> None:
        connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: pika.channel.Channel) -> None:
        self._channel = channel
        channel.confirm_delivery(self._on_confirm)
        channel.basic_qos(prefetch_count=self._prefetch)
        channel.basic_consume(self._queue, self._on_message)

    def _on_message(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        message = json.loads(body)
        answer = {"nomor": message["nomor"], "status": "00"}
        channel.basic_publish(
            "",
            f"{self._queue}-jawaban",
            json.dumps(answer).encode(),
            pika.BasicProperties(
                content_type="application/json",
                delivery_mode=pika.DeliveryMode.Persistent.value,
                correlation_id=properties.message_id,
            ),
            mandatory=True,
        )
        self._sent += 1
        self._unconfirmed[self._sent] = method.delivery_tag

    def _on_confirm(self, frame: Any) -> None:
        last = frame.method.delivery_tag
        tags = [last]
        if frame.method.multiple:
            tags = [tag for tag in self._unconfirmed if tag <= last]
        for tag in tags:
            self._channel.basic_ack(self._unconfirmed.pop(tag))


def main() -> None:
    answering = Answering(sys.argv[2], int(sys.argv[3]))
    parameters = pika.URLParameters(sys.argv[1])
    pika.SelectConnection(parameters, on_open_callback=answering.on_open).ioloop.start()


if __name__ == "__main__":
    main()
