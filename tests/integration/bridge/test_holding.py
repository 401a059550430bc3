"""A message is in hand no longer than the broker allows; what was reached by then is not lost."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from bridging import (
    LONG,
    POLICY,
    SYSTEM,
    answers_of,
    eventually,
    make_config,
    message,
    played,
    queue_of,
    running_bridge,
    running_core,
)
from durable import durable_settings
from legacy import LegacyProgram
from rabbitmq import free_ports
from support import Length, Slow, running_server

import absah
from absah_bridge.delivery import consuming, core, settling

SLOW_POLICY = POLICY.replace("length: {documents", "slow: {documents").replace(
    "result.facts.length < 10", "false"
)


class FileServer:
    """Sends the same text under every name, after a while each time."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self.url = ""
        self.answered: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(self._seconds)
                body = LONG.encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
                self.answered[request.split(b" ")[1].decode()] += 1
        writer.close()


@contextlib.asynccontextmanager
async def serving_files(*, seconds: float) -> AsyncIterator[FileServer]:
    files = FileServer(seconds=seconds)
    server = await asyncio.start_server(files.serve, "127.0.0.1")
    files.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    try:
        yield files
    finally:
        server.close()


def with_files(config: dict[str, Any], url: str, **request: Any) -> dict[str, Any]:
    """The configuration where each record's report is fetched, one file at a time."""
    config["stores"] = {"berkas": {"kind": "http", "url": url, "max_bytes": 100}}
    config["systems"][SYSTEM]["request"] = {
        "policy": "short-report",
        "max_fetched_bytes": 100,
        "claims": {"name": "nama"},
        "documents": [{"role": "report", "reference": "berkas", "store": "berkas"}],
        **request,
    }
    return config


async def story(address: str, key: str) -> list[tuple[str, int, str]]:
    """Outcome, attempt and problem of all that befell a message."""

    def ask() -> list[tuple[str, int, str]]:
        found = []
        with absah.AdminClient(address) as admin:
            for state in ("PARKED", "RETRIED", "ANSWERED"):
                for letter in admin.dead_letters(state=state):
                    if letter.message_key == key:
                        found = list(admin.dead_letter(letter.name).attempts)
            names = absah.admin.v1.admin_service_pb2.MessageOutcome
            return [
                (
                    names.Name(each.outcome).removeprefix("MESSAGE_OUTCOME_"),
                    each.attempt,
                    each.problem,
                )
                for each in found
            ]

    return await asyncio.to_thread(ask)


async def test_a_batch_that_takes_longer_goes_on_where_it_was(
    tmp_path: Path, core: str, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "HOLD_SECONDS", 1.0)
    config = make_config(core, broker)
    queue = queue_of(config)
    fields = config["systems"][SYSTEM]["answer"]["fields"]
    fields["status"] = {"from": "count"}
    body = {"nomor": 1, "baris": [{"nama": f"N-{n}", "berkas": f"{n}.txt"} for n in range(10)]}

    def legacy(program: LegacyProgram) -> Any:
        program.declare(answers_of(queue))
        program.send(queue, json.dumps(body).encode(), message_id="M-1")
        return json.loads(program.receive(answers_of(queue))[1])

    async with serving_files(seconds=0.2) as files:
        with_files(config, files.url, each="baris")
        async with running_bridge(tmp_path, config):
            answer = await played(broker, legacy)
            await eventually_story(core, "M-1", "ANSWERED")
    assert answer == {"nomor": 1, "status": 10}
    # But for those that were on their way when it was held.
    assert len(files.answered) == 10
    assert sum(files.answered.values()) < 20
    told = await story(core, "M-1")
    assert {outcome for outcome, _, _ in told[:-1]} == {"RETRIED"}
    assert {attempt for _, attempt, _ in told} == {1}
    assert "not counted" in told[0][2]


async def eventually_story(address: str, key: str, outcome: str) -> list[tuple[str, int, str]]:
    """What befell a message, once that is the last of it."""
    async with asyncio.timeout(30):
        while True:
            told = await story(address, key)
            if told and told[-1][0] == outcome:
                return told
            await asyncio.sleep(0.05)


async def test_a_validation_that_never_ends_is_given_up_in_the_end(
    tmp_path: Path, database_url: str, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "HOLD_SECONDS", 0.5)
    monkeypatch.setattr(core, "LEAST_WATCH_SECONDS", 0.1)
    settings = durable_settings(tmp_path, database_url, drain_seconds=0.1)
    (tmp_path / "policies" / "short.yaml").write_text(SLOW_POLICY)
    async with running_server(settings, [Length, Slow]) as address:
        config = make_config(address, broker, timeout_seconds=1.2)
        queue = queue_of(config)

        def legacy(program: LegacyProgram) -> Mapping[str, Any]:
            program.send(queue, message(1, "60"), message_id="M-1")
            return program.headers_of_parked(queue)

        async with running_bridge(tmp_path, config):
            headers = await played(broker, legacy)
        told = await story(address, "M-1")
    assert headers["x-absah-cause"] == "RETRIES_EXHAUSTED"
    assert "has not ended in 1.2 s" in headers["x-absah-problem"]
    # Held without being counted at first, then counted.
    assert (told[0][:2], told[-1][:2]) == (("RETRIED", 1), ("PARKED", 2))
    assert "not counted" in told[0][2]


async def test_files_are_fetched_no_faster_than_the_core_takes_them(
    tmp_path: Path, database_url: str, broker: str
) -> None:
    (port,) = free_ports(1)
    config = make_config(f"127.0.0.1:{port}", broker)
    queue = queue_of(config)
    count = 12

    def send(program: LegacyProgram) -> None:
        program.declare(answers_of(queue))
        for number in range(count):
            body = {"nomor": number, "nama": "Siti", "berkas": f"{number}.txt"}
            program.send(queue, json.dumps(body).encode())

    def receive(program: LegacyProgram) -> list[int]:
        answers = [program.receive(answers_of(queue))[1] for _ in range(count)]
        return sorted(json.loads(answer)["nomor"] for answer in answers)

    async with serving_files(seconds=0.0) as files:
        # Room for five files of what LONG has, once they are there.
        with_files(config, files.url, max_fetched_bytes=100 + 4 * len(LONG))
        async with running_bridge(tmp_path, config) as status:
            await played(broker, send)
            await eventually(lambda: status.consumers[SYSTEM].under_way == count)
            await eventually(lambda: len(files.answered) == 5)
            await asyncio.sleep(0.3)
            assert len(files.answered) == 5
            async with running_core(tmp_path, database_url, port=port):
                assert await played(broker, receive) == list(range(count))
    assert set(files.answered.values()) == {1}


async def test_a_message_that_cannot_be_noted_waits_where_the_broker_does_not_count(
    tmp_path: Path, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "HOLD_SECONDS", 0.3)
    monkeypatch.setattr(settling, "NOTE_SECONDS", 0.1)
    (port,) = free_ports(1)
    config = make_config(f"127.0.0.1:{port}", broker, retries={"delays_seconds": [60]})
    queue = queue_of(config)

    def legacy(program: LegacyProgram) -> Any:
        program.send(queue, b"{", message_id="M-1")
        return program.receive(f"{queue}.retry.60")[0].headers

    async with running_bridge(tmp_path, config) as status:
        headers = await played(broker, legacy)
        assert status.connected
    assert headers["x-absah-attempt"] == 1
    assert "x-absah-first-time" in headers


async def test_a_message_whose_answer_finds_no_room_waits_and_is_answered_later(
    tmp_path: Path, core: str, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "HOLD_SECONDS", 0.5)
    config = make_config(core, broker)
    queue = queue_of(config)

    def fill(program: LegacyProgram) -> None:
        arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
        program.channel.queue_declare(answers_of(queue), durable=True, arguments=arguments)
        program.send(answers_of(queue), b"penuh")
        program.send(queue, message(1), message_id="M-1")

    def empty(program: LegacyProgram) -> Any:
        assert program.receive(answers_of(queue))[1] == b"penuh"
        return json.loads(program.receive(answers_of(queue))[1])

    async with running_bridge(tmp_path, config):
        await played(broker, fill)
        await eventually_story(core, "M-1", "RETRIED")
        assert (await played(broker, empty))["nomor"] == 1
        await eventually_story(core, "M-1", "ANSWERED")


async def test_messages_that_must_keep_their_order_are_given_back_together(
    tmp_path: Path, database_url: str, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "ORDERED_HOLD_SECONDS", 0.5)
    (port,) = free_ports(1)
    config = make_config(f"127.0.0.1:{port}", broker, consume={"ordered_by": "nama"})
    queue = queue_of(config)

    def send(program: LegacyProgram) -> None:
        program.declare(answers_of(queue))
        for number in range(10):
            program.send(queue, message(number))

    def receive(program: LegacyProgram) -> list[int]:
        answers = [program.receive(answers_of(queue))[1] for _ in range(10)]
        return [json.loads(answer)["nomor"] for answer in answers]

    async with running_bridge(tmp_path, config) as status:
        await played(broker, send)
        for _ in range(2):
            await eventually(lambda: status.connected)
            await eventually(lambda: not status.connected)
        monkeypatch.setattr(consuming, "ORDERED_HOLD_SECONDS", 60.0)
        async with running_core(tmp_path, database_url, port=port):
            assert await played(broker, receive) == list(range(10))


async def test_attempts_that_keep_their_place_are_noted(
    tmp_path: Path, core: str, broker: str
) -> None:
    (port,) = free_ports(1)
    config = make_config(
        core, broker, consume={"ordered_by": "nama"}, retries={"delays_seconds": [0.1, 0.1]}
    )
    # Nobody serves files there.
    with_files(config, f"http://127.0.0.1:{port}/")
    queue = queue_of(config)

    def legacy(program: LegacyProgram) -> Mapping[str, Any]:
        body = {"nomor": 1, "nama": "Siti", "berkas": "1.txt"}
        program.send(queue, json.dumps(body).encode(), message_id="M-1")
        return program.headers_of_parked(queue)

    async with running_bridge(tmp_path, config):
        headers = await played(broker, legacy)
    assert "after 3 attempts" in headers["x-absah-problem"]
    told = await story(core, "M-1")
    assert [each[:2] for each in told] == [("RETRIED", 1), ("RETRIED", 2), ("PARKED", 3)]


async def test_the_oldest_message_is_as_old_as_since_it_was_first_set_aside(
    tmp_path: Path, broker: str
) -> None:
    (port,) = free_ports(1)
    config = make_config(f"127.0.0.1:{port}", broker)
    queue = queue_of(config)
    then = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    aside = {"x-absah-attempt": 2, "x-absah-first-time": then.isoformat(timespec="seconds")}

    def send(program: LegacyProgram) -> None:
        program.send(queue, message(1))
        program.send(queue, message(2), headers=aside)

    async with running_bridge(tmp_path, config) as status:
        await played(broker, send)
        await eventually(lambda: status.consumers[SYSTEM].under_way == 2)
        assert 3600 <= status.consumers[SYSTEM].oldest_seconds < 3700
