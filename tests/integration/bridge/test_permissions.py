"""What the broker does not let the bridge do is told, ends in time, and harms no other message."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pika
import pytest
from bridging import (
    answers_of,
    eventually,
    make_config,
    message,
    played,
    queue_of,
    running_bridge,
    write,
)
from legacy import LegacyProgram
from rabbitmq import RabbitMq

from absah_bridge import run
from absah_bridge.delivery import amqp
from absah_bridge.delivery.amqp import Publication
from absah_bridge.delivery.publishing import MayNotPublish, NotRouted, Publisher

EVERYTHING = ".*"
ALL_BUT_DEFAULT = "^(?!amq.default$).*"
DEFAULT = r"^amq\.default$"


@asynccontextmanager
async def user(node: RabbitMq, *, write: str = EVERYTHING, read: str = EVERYTHING) -> Any:
    """The broker's address for a user that may do no more than these patterns say."""
    await asyncio.to_thread(node.control, "add_user", "jembatan", "rahasia")
    await permit(node, write=write, read=read)
    try:
        yield node.url.replace("guest:guest", "jembatan:rahasia")
    finally:
        await asyncio.to_thread(node.control, "delete_user", "jembatan")


async def permit(node: RabbitMq, *, write: str = EVERYTHING, read: str = EVERYTHING) -> None:
    """Have the user do no more than these patterns say."""
    await asyncio.to_thread(
        node.control, "set_permissions", "-p", "/", "jembatan", EVERYTHING, write, read
    )


@asynccontextmanager
async def publisher(url: str) -> AsyncIterator[Publisher]:
    """One on a connection of its own."""
    connection = await amqp.connect([pika.URLParameters(url)])
    try:
        yield Publisher(connection)
    finally:
        await connection.close()


def publication(queue: str, **properties: Any) -> Publication:
    """A message for a queue."""
    return Publication(
        exchange="", routing_key=queue, body=b"", properties=pika.BasicProperties(**properties)
    )


async def test_a_user_who_may_set_nothing_aside_is_told_before_a_message_is_taken(
    tmp_path: Path, core: str, node: RabbitMq
) -> None:
    config = make_config(core, node.url)
    async with running_bridge(tmp_path, config):
        pass  # declares the queues
    async with user(node, write=ALL_BUT_DEFAULT) as url:
        config["brokers"] = [{"url": url}]
        with pytest.raises(MayNotPublish, match=r"write to the exchange amq\.default"):
            await asyncio.wait_for(run.serve(write(tmp_path, config), stop=asyncio.Event()), 60)


async def test_what_may_not_be_published_is_not_tried_for_ever(node: RabbitMq) -> None:
    async with user(node, write=ALL_BUT_DEFAULT) as url, publisher(url) as made:
        with pytest.raises(NotRouted, match=r"amq\.default"):
            await asyncio.wait_for(made.publish(publication("antrean")), 30)


async def test_a_message_for_which_the_broker_closes_the_channel_harms_no_other(
    node: RabbitMq,
) -> None:
    queue = "antrean-bersama"
    await played(node.url, lambda program: program.declare(queue))
    async with publisher(node.url) as made:
        # The broker closes a channel for a user id that is another's, and names no exchange.
        each = [publication(queue, user_id="orang-lain" if n == 5 else None) for n in range(10)]
        ends = await asyncio.wait_for(
            asyncio.gather(*(made.publish(one) for one in each), return_exceptions=True), 60
        )
    assert [n for n, end in enumerate(ends) if end is not None] == [5]
    assert isinstance(ends[5], NotRouted)
    assert await played(node.url, lambda program: program.count(queue)) >= 9


def with_another_system(config: dict[str, Any], broker: str) -> str:
    """Add a system whose queue others declare; returns the queue's name."""
    other = make_config("", broker, consume={"declare": False})
    config["systems"]["lain"] = other["systems"]["simpeg"]
    return queue_of(other)


def asked(queue: str, number: int) -> Any:
    """A program's part: send a message and read its answer's number."""

    def play(program: LegacyProgram) -> Any:
        program.declare(answers_of(queue))
        program.send(queue, message(number))
        return json.loads(program.receive(answers_of(queue))[1])["nomor"]

    return play


async def test_a_queue_that_is_not_there_holds_up_no_other_system(
    tmp_path: Path, core: str, broker: str, caplog: pytest.LogCaptureFixture
) -> None:
    config = make_config(core, broker)
    queue = queue_of(config)
    other = with_another_system(config, broker)
    async with running_bridge(tmp_path, config, connected=False) as status:
        await eventually(lambda: "simpeg" in status.consumers)
        await eventually(lambda: told(caplog, "lain"))
        assert not status.connected
        assert await played(broker, asked(queue, 1)) == 1
        await played(broker, lambda program: program.declare(other))
        await eventually(lambda: status.connected)
        assert await played(broker, asked(other, 2)) == 2
        await played(broker, lambda program: program.channel.queue_delete(other))
        await eventually(lambda: "lain" not in status.consumers)
        assert await played(broker, asked(queue, 3)) == 3
    assert not [record for record in caplog.records if record.message == "broker lost"]


def told(caplog: pytest.LogCaptureFixture, system: str) -> list[logging.LogRecord]:
    """What was logged of a queue that could not be consumed."""
    return [
        record
        for record in caplog.records
        if record.message == "queue not consumed" and record.__dict__["system"] == system
    ]


async def test_a_queue_that_may_not_be_read_holds_up_no_other_system(
    tmp_path: Path, core: str, node: RabbitMq, caplog: pytest.LogCaptureFixture
) -> None:
    config = make_config(core, node.url)
    queue = queue_of(config)
    other = with_another_system(config, node.url)
    await played(node.url, lambda program: program.declare(other))
    async with user(node, write=DEFAULT, read=f"^(?!{other}$).*") as url:
        config["brokers"] = [{"url": url}]
        async with running_bridge(tmp_path, config, connected=False) as status:
            await eventually(lambda: told(caplog, "lain"))
            assert "refused" in told(caplog, "lain")[0].__dict__["why"]
            assert await played(node.url, asked(queue, 1)) == 1
            await permit(node, write=DEFAULT)
            await eventually(lambda: status.connected)
            assert await played(node.url, asked(other, 2)) == 2
    assert not [record for record in caplog.records if record.message == "broker lost"]
