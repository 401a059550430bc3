"""Legacy programs that go on whatever happens to their broker: one sends, one reads."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pika
import pika.exceptions
from bridging import LONG, SHORT, answers_of, message
from robustness.bridging.history import Answered, History, Parked, Sent

MAX_WAITING = 300
"""Messages that are sent ahead of their answers."""
PAUSE_SECONDS = 0.2
Part = Callable[[pika.BlockingConnection, threading.Event], None]
LOST = (pika.exceptions.AMQPError, OSError)


class Program(threading.Thread):
    """A program in a thread of its own, which connects again whenever it must."""

    def __init__(self, url: str, part: Part) -> None:
        super().__init__(daemon=True)
        self._parameters = pika.URLParameters(url)
        self._parameters.socket_timeout = 5.0
        self._parameters.blocked_connection_timeout = 30.0
        self._part = part
        self.ending = threading.Event()
        self.start()

    def run(self) -> None:
        while not self.ending.is_set():
            try:
                connection = pika.BlockingConnection(self._parameters)
                try:
                    self._part(connection, self.ending)
                finally:
                    if connection.is_open:
                        connection.close()
            except LOST:
                time.sleep(PAUSE_SECONDS)

    def end(self) -> None:
        """Have it end, and wait for that."""
        self.ending.set()
        self.join(30.0)


def made(number: int, chance: random.Random) -> tuple[Sent, bytes]:
    """The message of a number: most are in order, some too short, some cannot be read."""
    id_ = f"pesan-{number:06}"
    draw = chance.random()
    if draw < 0.05:
        return Sent(id=id_, cause="MISSING_FIELD"), json.dumps({"nomor": number}).encode()
    text, status = (SHORT, "20") if draw < 0.15 else (LONG, "00")
    answer = json.dumps({"nomor": number, "status": status}, separators=(",", ":")).encode()
    return Sent(id=id_, answer=answer), message(number, text)


def sender(url: str, queue: str, count: int, history: History, seed: int) -> Program:
    """Sends so many messages with confirms, each again until it is confirmed."""
    chance = random.Random(seed)
    messages = iter([made(number, chance) for number in range(count)])
    pending: list[tuple[Sent, bytes]] = []

    def part(connection: pika.BlockingConnection, ending: threading.Event) -> None:
        channel = connection.channel()
        channel.confirm_delivery()
        while not ending.is_set():
            if not pending and (following := next(messages, None)) is not None:
                pending.append(following)
            if not pending or history.waiting >= MAX_WAITING:
                connection.process_data_events(PAUSE_SECONDS / 4)
                continue
            sent, body = pending[0]
            properties = pika.BasicProperties(delivery_mode=2, message_id=sent.id)
            # From now on it may be answered, though it is owed an answer once it is confirmed.
            channel.basic_publish("", queue, body, properties, mandatory=True)
            history.sent[sent.id] = sent
            pending.clear()

    return Program(url, part)


def reader(url: str, queue: str, history: History) -> Program:
    """Reads answers and parked messages; it acknowledges once it has noted them."""

    def on_answer(channel: Any, method: Any, properties: Any, body: bytes) -> None:
        history.add(
            Answered(id=properties.correlation_id, answer_id=properties.message_id, body=body)
        )
        channel.basic_ack(method.delivery_tag)

    def on_parked(channel: Any, method: Any, properties: Any, body: bytes) -> None:
        headers = properties.headers or {}
        history.add(Parked(id=properties.message_id, cause=headers.get("x-absah-cause", "")))
        channel.basic_ack(method.delivery_tag)

    def part(connection: pika.BlockingConnection, ending: threading.Event) -> None:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=200)
        channel.basic_consume(answers_of(queue), on_answer)
        channel.basic_consume(f"{queue}.parked", on_parked)
        while not ending.is_set():
            connection.process_data_events(PAUSE_SECONDS)

    return Program(url, part)
