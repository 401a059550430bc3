"""A bare pika consumer that answers with confirms: `pika_consumer.py URL QUEUE PREFETCH`.

One thread and one channel, as pika's documentation shows it: each answer is published, mandatory
and persistent, its confirm is waited for, and then the message is acknowledged.
"""

from __future__ import annotations

import json
import sys

import pika


def main() -> None:
    url, queue, prefetch = sys.argv[1], sys.argv[2], int(sys.argv[3])
    channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
    channel.confirm_delivery()
    channel.basic_qos(prefetch_count=prefetch)
    for method, properties, body in channel.consume(queue):
        message = json.loads(body)
        answer = {"nomor": message["nomor"], "status": "00"}
        channel.basic_publish(
            "",
            f"{queue}-jawaban",
            json.dumps(answer).encode(),
            pika.BasicProperties(
                content_type="application/json",
                delivery_mode=pika.DeliveryMode.Persistent.value,
                correlation_id=properties.message_id,
            ),
            mandatory=True,
        )
        channel.basic_ack(method.delivery_tag)


if __name__ == "__main__":
    main()
