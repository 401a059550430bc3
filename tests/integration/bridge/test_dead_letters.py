"""People see why messages wait for them, send them on their way again, or take them out."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pika
import pytest
from bridging import (
    LONG,
    answers_of,
    make_config,
    message,
    played,
    queue_of,
    running_bridge,
    running_core,
    write,
)
from click.testing import CliRunner
from durable import rows
from legacy import LegacyProgram
from rabbitmq import RabbitMq, free_ports

import absah
from absah_bridge.delivery import topology
from absah_bridge.delivery.parking import Parking, Selection
from absah_ops.main import main


async def absah_command(*arguments: str) -> str:
    """What a command prints; it must succeed."""
    run = await asyncio.to_thread(CliRunner().invoke, main, arguments)
    assert run.exit_code == 0, run.output
    return run.stdout


async def lines(*arguments: str) -> list[dict[str, Any]]:
    """What a command prints as JSON."""
    return [json.loads(line) for line in (await absah_command(*arguments, "--json")).splitlines()]


async def outcomes(core: str, name: str) -> list[str]:
    """What befell a dead letter, in order."""
    (letter,) = await lines("dead-letters", "show", name, "--server", core)
    return [attempt["outcome"].removeprefix("MESSAGE_OUTCOME_") for attempt in letter["attempts"]]


async def test_retries_are_used_up_and_the_ledger_knows_each(
    tmp_path: Path, core: str, broker: str
) -> None:
    (port,) = free_ports(1)
    config = make_config(core, broker, retries={"delays_seconds": [0.1, 0.3]})
    config["stores"] = {"arsip": {"kind": "http", "url": f"http://127.0.0.1:{port}/"}}
    config["systems"]["simpeg"]["request"]["documents"] = [
        {"role": "report", "reference": "berkas", "store": "arsip"}
    ]
    queue = queue_of(config)
    body = json.dumps({"nomor": 1, "berkas": f"http://127.0.0.1:{port}/a.txt"}).encode()

    def legacy(program: LegacyProgram) -> Any:
        program.send(queue, body, message_id="M-1")
        return program.headers_of_parked(queue)

    async with running_bridge(tmp_path, config):
        headers = await played(broker, legacy)
    assert headers["x-absah-cause"] == "RETRIES_EXHAUSTED"
    assert headers["x-absah-attempt"] == 3
    assert "after 3 attempts" in headers["x-absah-problem"]
    (letter,) = await lines(
        "dead-letters", "list", "--cause", "RETRIES_EXHAUSTED", "--server", core
    )
    assert letter["message_key"] == "M-1"
    assert await outcomes(core, letter["name"]) == ["RETRIED", "RETRIED", "PARKED"]


async def test_parked_messages_are_redriven_by_group_and_answered(
    tmp_path: Path, core: str, broker: str, database_url: str
) -> None:
    config = make_config(core, broker)
    file = write(tmp_path, config)
    queue = queue_of(config)
    options = ("--config", str(file), "--server", core)

    def send(program: LegacyProgram) -> None:
        for number in range(3):
            program.send(queue, message(number), message_id=f"M-{number}")
        program.send(queue, b'{"nomor": 9}', message_id="M-9")

    def receive(program: LegacyProgram) -> list[int]:
        answers = [program.receive(answers_of(queue))[1] for _ in range(3)]
        return sorted(json.loads(answer)["nomor"] for answer in answers)

    async with running_bridge(tmp_path, config):
        # Nobody has declared the queue that answers go to.
        await played(broker, send)
        with absah.AdminClient(core) as admin:
            groups = {}
            while sum(groups.values()) < 4:
                found = await asyncio.to_thread(admin.dead_letter_groups)
                groups = {group.cause: group.dead_letter_count for group in found}
        assert groups == {"NOT_ROUTED": 3, "MISSING_FIELD": 1}
        await played(broker, lambda program: program.declare(answers_of(queue)))
        await eventually_parked(broker, queue, 4)
        dry = await absah_command(
            "dead-letters", "redrive", "simpeg", "--cause", "NOT_ROUTED", "--dry-run", *options
        )
        assert all(f"M-{number}" in dry for number in range(3))
        assert "M-9" not in dry
        told = await absah_command(
            *("dead-letters", "redrive", "simpeg", "--cause", "NOT_ROUTED", "--rate", "50"),
            *("--reason", "antrean jawaban kini ada", *options),
        )
        assert told == "3 redriven\n"
        assert await played(broker, receive) == [0, 1, 2]
        again = await absah_command(
            "dead-letters", "redrive", "simpeg", "--cause", "NOT_ROUTED", *options
        )
        assert again == "0 redriven\n"
        answered: list[Any] = []
        while len(answered) < 3:
            answered = await lines("dead-letters", "list", "--state", "ANSWERED", "--server", core)
        discarded = await absah_command(
            "dead-letters", "discard", "simpeg", "M-9", "--reason", "uji coba", *options
        )
        assert discarded == "1 discarded\n"
    for letter in answered:
        assert await outcomes(core, letter["name"]) == ["PARKED", "REDRIVEN", "ANSWERED"]
    actions = rows(
        database_url, "select action from audit_events where action like 'dead_letter.%%'"
    )
    assert sorted(row["action"] for row in actions) == [
        "dead_letter.discarded",
        *["dead_letter.redriven"] * 3,
    ]
    assert await played(broker, lambda program: program.count(f"{queue}.parked")) == 0


async def eventually_parked(broker: str, queue: str, count: int) -> None:
    """Until so many messages are in the parking queue."""
    async with asyncio.timeout(30):
        while await played(broker, lambda program: program.count(f"{queue}.parked")) < count:
            await asyncio.sleep(0.05)


async def test_a_validation_that_ended_without_a_verdict_is_done_anew_when_redriven(
    tmp_path: Path, database_url: str, broker: str
) -> None:
    (port,) = free_ports(1)
    config = make_config(f"127.0.0.1:{port}", broker)
    file = write(tmp_path, config)
    queue = queue_of(config)

    def send(program: LegacyProgram) -> None:
        program.declare(answers_of(queue))
        program.send(queue, message(1, LONG), message_id="M-1")

    async with running_bridge(tmp_path, config):
        async with running_core(tmp_path, database_url, port=port, jobs={"workers": 0}) as core:
            await played(broker, send)
            async with absah.AsyncClient(core) as client:
                names: list[str] = []
                while not names:
                    names = [each.name async for each in client.validations()]
                await client.cancel_validation(names[0])
            await eventually_parked(broker, queue, 1)
        async with running_core(tmp_path, database_url, port=port) as core:
            (letter,) = await lines(
                "dead-letters", "list", "--cause", "VALIDATION_FAILED", "--server", core
            )
            await absah_command(
                *("dead-letters", "redrive", "simpeg", letter["message_key"]),
                *("--config", str(file), "--server", core),
            )
            _, body = await played(broker, lambda program: program.receive(answers_of(queue)))
    assert json.loads(body) == {"nomor": 1, "status": "00"}


def given_up_by_the_broker(queue: str, number: int) -> Any:
    """A program's part: send a message, and fail at it until the broker parks it by itself."""

    def play(program: LegacyProgram) -> None:
        # As one that was tried again before, which the broker notes too.
        waiting = topology.retry(queue, 0.2)
        program.send(waiting, message(number), message_id=f"M-{number}")
        before = program.count(f"{queue}.parked")
        for _ in range(topology.DELIVERY_LIMIT + topology.SPARE_DELIVERIES + 1):
            method = None
            while method is None:
                method, _, _ = program.channel.basic_get(queue)
            program.channel.basic_nack(method.delivery_tag)
        while program.count(f"{queue}.parked") == before:
            program.channel.connection.sleep(0.02)

    return play


async def test_what_the_broker_parked_by_itself_is_told_too(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    file = write(tmp_path, config)
    queue = queue_of(config)
    options = ("--config", str(file), "--server", core)
    async with running_bridge(tmp_path, config):
        await played(broker, lambda program: program.send(queue, b'{"nomor": 9}'))
        await eventually_parked(broker, queue, 1)
    for number in (1, 2):
        await played(broker, given_up_by_the_broker(queue, number))
    groups = await lines("dead-letters", "list", *options)
    assert [(g["cause"], g["field"], g["dead_letter_count"]) for g in groups] == [
        ("DELIVERY_LIMIT", "", "2"),
        ("MISSING_FIELD", "isi", "1"),
    ]
    assert all(group["oldest_time"] <= group["newest_time"] for group in groups)
    listed = await lines("dead-letters", "list", "--cause", "DELIVERY_LIMIT", *options)
    assert [(each["name"], each["message_key"]) for each in listed] == [("", "M-1"), ("", "M-2")]
    (known,) = await lines("dead-letters", "list", "--server", core)
    assert known["cause"] == "MISSING_FIELD"
    told = await absah_command(
        "dead-letters", "redrive", "simpeg", "--cause", "DELIVERY_LIMIT", *options
    )
    assert told == "2 redriven\n"
    (group,) = await lines("dead-letters", "list", *options)
    assert group["cause"] == "MISSING_FIELD"


async def test_what_could_not_be_sent_again_is_listed_as_before(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    file = write(tmp_path, config)
    queue = queue_of(config)

    def send(program: LegacyProgram) -> None:
        program.send(queue, b'{"nomor": 9}', message_id="M-9")

    async with running_bridge(tmp_path, config):
        await played(broker, send)
        await eventually_parked(broker, queue, 1)
    await played(broker, lambda program: program.channel.queue_delete(queue))
    run = await asyncio.to_thread(
        CliRunner().invoke,
        main,
        ("dead-letters", "redrive", "simpeg", "M-9", "--config", str(file), "--server", core),
    )
    assert run.exit_code == 1
    assert "there is no queue" in run.output
    (letter,) = await lines("dead-letters", "list", "--cause", "MISSING_FIELD", "--server", core)
    assert (letter["field"], letter["problem"]) == ("isi", "is missing")
    assert await outcomes(core, letter["name"]) == ["PARKED", "REDRIVEN", "PARKED"]


async def test_what_the_ledger_knows_is_listed_though_no_broker_answers(
    tmp_path: Path, core: str, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ABSAH_AMQP_URL", raising=False)
    config = make_config(core, broker)
    async with running_bridge(tmp_path, config):
        await played(broker, lambda program: program.send(queue_of(config), b"{}"))
        await eventually_parked(broker, queue_of(config), 1)
    (port,) = free_ports(1)
    config["brokers"] = [{"url": f"amqp://guest:guest@127.0.0.1:{port}/%2F"}]
    monkeypatch.setenv("ABSAH_BRIDGE", str(write(tmp_path, config)))
    run = await asyncio.to_thread(
        CliRunner().invoke, main, ("dead-letters", "list", "--server", core)
    )
    assert run.exit_code == 1
    assert "MISSING_FIELD" in run.stdout
    assert "no broker answers" in run.output


async def test_a_redrive_may_take_longer_than_the_broker_lets_messages_be_held(
    tmp_path: Path, core: str, node: RabbitMq
) -> None:
    config = make_config(core, node.url)
    queue = queue_of(config)
    wanted = [f"M-{number}" for number in range(1, 12, 2)]

    def send(program: LegacyProgram) -> None:
        for number in range(12):
            program.send(queue, b'{"nomor": 9}', message_id=f"M-{number}")

    async with running_bridge(tmp_path, config):
        await played(node.url, send)
        await eventually_parked(node.url, queue, 12)
    parking = Parking([pika.URLParameters(node.url)], queue, round_seconds=0.7)
    await set_patience(node, consumer_timeout=1500, channel_tick_interval=200)
    try:
        redriven = await asyncio.to_thread(
            lambda: list(
                parking.redrive(
                    Selection(keys=frozenset(wanted)),
                    noted=lambda message: None,
                    kept=lambda message: None,
                    per_second=2,
                )
            )
        )
    finally:
        await set_patience(node, consumer_timeout=1_800_000, channel_tick_interval=60_000)
    assert sorted(message.key for message in redriven) == sorted(wanted)
    counts = await played(
        node.url, lambda program: [program.count(each) for each in (queue, f"{queue}.parked")]
    )
    assert counts == [6, 6]


async def set_patience(node: RabbitMq, **milliseconds: int) -> None:
    """Change for how long the broker lets a message be unacknowledged, and how often it looks."""
    for name, value in milliseconds.items():
        await asyncio.to_thread(
            node.control, "eval", f"application:set_env(rabbit,{name},{value})."
        )


async def test_what_is_redriven_must_be_named(tmp_path: Path, core: str, broker: str) -> None:
    file = write(tmp_path, make_config(core, broker))
    run = await asyncio.to_thread(
        CliRunner().invoke,
        main,
        ("dead-letters", "redrive", "simpeg", "--config", str(file), "--server", core),
    )
    assert run.exit_code == 2
    assert "--cause" in run.output


@pytest.mark.parametrize("system", ["simpeg", "tidak-ada"])
async def test_a_broker_or_system_that_is_not_there_is_told(
    tmp_path: Path, core: str, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ABSAH_AMQP_URL", raising=False)
    (port,) = free_ports(1)
    file = write(tmp_path, make_config(core, f"amqp://guest:guest@127.0.0.1:{port}/%2F"))
    run = await asyncio.to_thread(
        CliRunner().invoke,
        main,
        ("dead-letters", "redrive", system, "M-1", "--config", str(file), "--server", core),
    )
    assert run.exit_code == 1
    assert ("no broker answers" if system == "simpeg" else "has no system") in run.output
