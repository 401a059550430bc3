"""FastStream doing the same: `faststream_consumer.py URL QUEUE PREFETCH`.

Its broker confirms what it publishes, `prefetch` messages are handled at once, and each is
acknowledged when its handler has returned, which is when its answer is confirmed.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitMessage, RabbitQueue


async def main() -> None:
    url, queue, prefetch = sys.argv[1], sys.argv[2], int(sys.argv[3])
    broker = RabbitBroker(
        url, default_channel=Channel(prefetch_count=prefetch, publisher_confirms=True), logger=None
    )
    incoming = RabbitQueue(queue, queue_type=QueueType.QUORUM, durable=True, declare=False)

    @broker.subscriber(incoming, ack_policy=AckPolicy.NACK_ON_ERROR)
    async def answer(body: dict[str, Any], message: RabbitMessage) -> None:
        await broker.publish(
            {"nomor": body["nomor"], "status": "00"},
            queue=f"{queue}-jawaban",
            persist=True,
            mandatory=True,
            correlation_id=message.message_id,
        )

    await FastStream(broker, logger=None).run()


if __name__ == "__main__":
    asyncio.run(main())
