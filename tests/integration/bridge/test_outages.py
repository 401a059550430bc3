"""What the bridge depends on goes away and comes back; messages wait for it and are answered."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from bridging import (
    answers_of,
    eventually,
    make_config,
    message,
    played,
    queue_of,
    running_bridge,
    running_core,
    write,
)
from legacy import LegacyProgram
from proxies import proxy
from rabbitmq import RabbitMq, free_ports
from support import Length, make_settings, running_server

from absah_bridge import run
from absah_bridge.delivery import brokers
from absah_bridge.delivery.topology import QueueUnusable


def sent(queue: str, count: int) -> Any:
    """A program's part: declare its queue for answers, and send messages numbered from 0."""

    def play(program: LegacyProgram) -> None:
        program.declare(answers_of(queue))
        for number in range(count):
            program.send(queue, message(number))

    return play


def received(queue: str, count: int) -> Any:
    """A program's part: the numbers of so many answers, in order of number."""

    def play(program: LegacyProgram) -> list[int]:
        answers = [program.receive(answers_of(queue)) for _ in range(count)]
        return sorted(json.loads(body)["nomor"] for _, body in answers)

    return play


async def test_messages_wait_for_a_core_that_is_away(
    tmp_path: Path, database_url: str, broker: str
) -> None:
    (port,) = free_ports(1)
    config = make_config(f"127.0.0.1:{port}", broker)
    queue = queue_of(config)
    async with running_bridge(tmp_path, config) as status:
        await played(broker, sent(queue, 5))
        await eventually(lambda: status.consumers["simpeg"].under_way == 5)
        assert not status.healthy
        async with running_core(tmp_path, database_url, port=port):
            assert await played(broker, received(queue, 5)) == list(range(5))
            await eventually(lambda: status.healthy)
        await eventually(lambda: not status.healthy)


async def test_messages_wait_while_the_core_keeps_nothing(
    tmp_path: Path, database_url: str, broker: str
) -> None:
    (port,) = free_ports(1)
    config = make_config(f"127.0.0.1:{port}", broker)
    queue = queue_of(config)
    async with running_bridge(tmp_path, config) as status:
        await played(broker, sent(queue, 3))
        async with running_server(make_settings(tmp_path, port=port), [Length]):
            await eventually(lambda: status.consumers["simpeg"].under_way == 3)
        async with running_core(tmp_path, database_url, port=port):
            assert await played(broker, received(queue, 3)) == list(range(3))


async def test_a_core_that_is_busy_is_asked_less(
    tmp_path: Path, database_url: str, broker: str
) -> None:
    async with running_core(tmp_path, database_url, max_accepting=1) as core:
        config = make_config(core, broker)
        queue = queue_of(config)
        async with running_bridge(tmp_path, config) as status:
            before = status.core_limit
            await played(broker, sent(queue, 50))
            assert await played(broker, received(queue, 50)) == list(range(50))
            assert status.core_limit < before


async def test_a_bridge_goes_on_when_the_broker_is_back(
    tmp_path: Path, core: str, node: RabbitMq
) -> None:
    config = make_config(core, node.url)
    queue = queue_of(config)
    async with running_bridge(tmp_path, config) as status:
        await played(node.url, sent(queue, 200))
        await asyncio.to_thread(node.halt)
        await eventually(lambda: not status.connected)
        await asyncio.to_thread(node.start)
        numbers = await played(node.url, all_answers(queue, 200))
    assert sorted(set(numbers)) == list(range(200))


def all_answers(queue: str, count: int) -> Any:
    """A program's part: the numbers of all answers until each of `count` messages has one."""

    def play(program: LegacyProgram) -> list[int]:
        numbers: list[int] = []
        while len(set(numbers)) < count:
            _, body = program.receive(answers_of(queue), seconds=60)
            numbers.append(json.loads(body)["nomor"])
        return numbers

    return play


async def test_a_connection_that_is_cut_in_the_middle_of_a_publish_loses_nothing(
    tmp_path: Path, core: str, node: RabbitMq
) -> None:
    async with proxy(node.port) as between:
        config = make_config(core, f"amqp://guest:guest@127.0.0.1:{between.port}/%2F")
        queue = queue_of(config)
        async with running_bridge(tmp_path, config) as status:
            for cut in range(3):
                await eventually(lambda: status.connected)
                # An answer takes some 200 bytes on the wire.
                between.cut_after(1500 + 77 * cut)
                connections = between.connections
                await played(node.url, sent(queue, 30) if not cut else numbered(queue, cut))
                await eventually(lambda seen=connections: between.connections > seen)
            numbers = await played(node.url, all_answers(queue, 90))
    assert sorted(set(numbers)) == list(range(90))


def numbered(queue: str, batch: int) -> Any:
    """A program's part: send 30 messages of a later batch."""

    def play(program: LegacyProgram) -> None:
        for number in range(30 * batch, 30 * batch + 30):
            program.send(queue, message(number))

    return play


async def test_another_broker_is_used_when_the_first_does_not_answer(
    tmp_path: Path, core: str, broker: str
) -> None:
    (port,) = free_ports(1)
    config = make_config(core, broker)
    config["brokers"] = [{"url": f"amqp://guest:guest@127.0.0.1:{port}/%2F"}, {"url": broker}]
    queue = queue_of(config)
    async with running_bridge(tmp_path, config):
        await played(broker, sent(queue, 1))
        assert await played(broker, received(queue, 1)) == [0]


async def test_messages_wait_while_the_broker_takes_no_answers(
    tmp_path: Path, core: str, node: RabbitMq
) -> None:
    config = make_config(core, node.url)
    queue = queue_of(config)
    async with running_bridge(tmp_path, config) as status:
        await played(node.url, sent(queue, 1))
        assert await played(node.url, received(queue, 1)) == [0]
        await asyncio.to_thread(node.control, "set_vm_memory_high_watermark", "absolute", "1MB")
        try:
            # Blocked itself at its first message, the program waits for its confirm.
            sending = asyncio.create_task(played(node.url, sent(queue, 3)))
            await asyncio.sleep(1.0)
            assert status.connected
            assert not sending.done()
        finally:
            await asyncio.to_thread(node.control, "set_vm_memory_high_watermark", "0.4")
        await sending
        assert await played(node.url, received(queue, 3)) == [0, 1, 2]


async def test_a_queue_that_is_deleted_is_declared_again(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = queue_of(config)

    def delete(program: LegacyProgram) -> None:
        program.channel.queue_delete(queue)

    async with running_bridge(tmp_path, config) as status:
        await played(broker, delete)
        await eventually(lambda: not status.connected)
        await eventually(lambda: status.connected)
        await played(broker, sent(queue, 1))
        assert await played(broker, received(queue, 1)) == [0]


async def test_a_queue_of_another_kind_is_told_with_what_to_do(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = queue_of(config)
    await played(broker, lambda program: program.channel.queue_declare(queue, durable=True))
    with pytest.raises(QueueUnusable, match=r"inequivalent arg.*consume\.declare: false"):
        await run.serve(write(tmp_path, config), stop=asyncio.Event())


async def test_a_queue_that_others_declare_is_waited_for(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker, consume={"declare": False})
    queue = queue_of(config)

    def declare(program: LegacyProgram) -> None:
        program.channel.queue_declare(queue, durable=True)

    async with running_bridge(tmp_path, config, connected=False) as status:
        await asyncio.sleep(0.3)
        assert not status.connected
        await played(broker, declare)
        await played(broker, sent(queue, 1))
        assert await played(broker, received(queue, 1)) == [0]


@pytest.mark.parametrize("url", ["http://127.0.0.1", "amqp://x:y@127.0.0.1:noport/%2F"])
async def test_a_broker_that_cannot_be_is_told_without_its_password(
    tmp_path: Path, core: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ABSAH_AMQP_URL", raising=False)
    config = make_config(core, url)
    with pytest.raises(brokers.BrokerInvalid, match=r"amqps://") as raised:
        await run.serve(write(tmp_path, config), stop=asyncio.Event())
    assert url not in str(raised.value)
