"""Celery doing the same: `celery_consumer.py URL QUEUE PREFETCH COUNT`.

It sends COUNT tasks of 1 KB, says so, and at a line on standard input works at them: late
acknowledgement, a quorum queue, and answers published with confirms by the pool of Celery's own.
"""

from __future__ import annotations

import sys
from typing import Any

from celery import Celery
from kombu import Exchange, Queue

url, queue, prefetch, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
PROCESSES = 2
app = Celery("answering", broker=url)
app.conf.update(
    task_queues=[
        Queue(
            queue,
            Exchange("", type="direct"),
            routing_key=queue,
            queue_arguments={"x-queue-type": "quorum"},
            no_declare=True,
        )
    ],
    task_default_queue=queue,
    task_default_queue_type="quorum",
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=prefetch // PROCESSES,
    worker_enable_remote_control=False,
    broker_transport_options={"confirm_publish": True},
    broker_connection_retry_on_startup=True,
)


@app.task(name="answer", bind=True)
def answer(self: Any, message: dict[str, Any]) -> None:
    """Answer one message, and wait for the confirm."""
    with app.producer_pool.acquire(block=True) as producer:
        producer.publish(
            {"nomor": message["nomor"], "status": "00"},
            exchange="",
            routing_key=f"{queue}-jawaban",
            serializer="json",
            delivery_mode=2,
            mandatory=True,
            correlation_id=self.request.id,
        )


if __name__ == "__main__":
    text = {"nomor": 7, "nama": "Siti", "isi": "x" * 940}
    with app.producer_pool.acquire(block=True) as sending:
        for _ in range(count):
            answer.apply_async((text,), producer=sending, queue=queue)
    print("sent", flush=True)
    sys.stdin.readline()
    app.worker_main(
        [
            *("worker", "--loglevel=ERROR", f"--concurrency={PROCESSES}", "--pool=prefork"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat", "-Q", queue),
        ]
    )
