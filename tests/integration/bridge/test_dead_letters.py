"""People see why messages wait for them, send them on their way again, or take them out."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

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
from rabbitmq import free_ports

import absah
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
