"""Whatever a publisher writes into a message's properties, it harms no message, its own neither."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pika
import pika.data
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
from click.testing import CliRunner
from legacy import LegacyProgram

import absah
from absah_bridge.delivery import tables
from absah_ops.main import main

NUMBER = 0x1122334455667788
MILLISECONDS = 1_767_225_600_000


class Raw(pika.BasicProperties):  # type: ignore[misc]
    """Properties with a header `aneh` of any type: pika itself writes few."""

    def __init__(self, value: bytes, **properties: Any) -> None:
        super().__init__(headers={"aneh": NUMBER}, **properties)
        self._value = value

    def encode(self) -> list[bytes]:
        pieces: list[bytes] = []
        pika.data.encode_value(pieces, NUMBER)
        written = b"".join(super().encode())
        made = written.replace(b"".join(pieces), self._value)
        # The table's length stands before its first name.
        at = written.index(b"\x04aneh") - 4
        size = struct.unpack_from(">I", written, at)[0] + len(made) - len(written)
        return [made[:at] + struct.pack(">I", size) + made[at + 4 :]]


def nested(levels: int) -> bytes:
    """Lists within each other."""
    value = b"V"
    for _ in range(levels):
        value = b"A" + struct.pack(">I", len(value)) + value
    return value


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (b"T" + struct.pack(">Q", MILLISECONDS), str(MILLISECONDS)),
        (b"T" + struct.pack(">Q", 2**64 - 1), str(2**64 - 1)),
        (b"d" + struct.pack(">d", 1e300), "1e+300"),
        (nested(5000), None),
    ],
)
async def test_a_header_that_pika_cannot_read_ends_no_connection(
    tmp_path: Path, core: str, broker: str, value: bytes, read: str | None
) -> None:
    config = make_config(core, broker)
    file = write(tmp_path, config)
    queue = queue_of(config)

    def send(program: LegacyProgram) -> Any:
        program.declare(answers_of(queue))
        for body in (message(1), b'{"nomor": 2}'):
            properties = Raw(value, delivery_mode=2, message_id="M-1")
            program.channel.basic_publish("", queue, body, properties, mandatory=True)
        return json.loads(program.receive(answers_of(queue))[1])

    async with running_bridge(tmp_path, config):
        assert (await played(broker, send))["nomor"] == 1
        await eventually_parked(broker, queue)
    command = ("dead-letters", "redrive", "simpeg", "M-1", "--dry-run", "--config", str(file))
    run = await asyncio.to_thread(CliRunner().invoke, main, [*command, "--server", core])
    assert "MISSING_FIELD" in run.output
    headers = await played(broker, lambda program: program.headers_of_parked(queue))
    if read is not None:
        assert headers["aneh"] == read


async def eventually_parked(broker: str, queue: str) -> None:
    """Until a message is in the parking queue."""
    async with asyncio.timeout(30):
        while not await played(broker, lambda program: program.count(f"{queue}.parked")):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (b"d" + struct.pack(">d", float("nan")), "nan"),
        (b"d" + struct.pack(">d", float("-inf")), "-inf"),
        (b"f" + struct.pack(">f", float("inf")), "inf"),
    ],
)
def test_a_number_that_is_none_is_a_text(value: bytes, read: str) -> None:
    # RabbitMQ 3 closes the connection of who sends one; that of other versions may not.
    assert pika.data.decode_value(value + b"V", 0) == (read, len(value))


def test_a_header_is_read_as_pika_reads_it_where_it_can() -> None:
    pieces: list[bytes] = []
    given = {"a": [1, "dua", None, True, {"b": b"\xff"}], "c": 2**40}
    pika.data.encode_table(pieces, given)
    assert tables.decode_value(b"F" + b"".join(pieces), 0) == (given, 1 + len(b"".join(pieces)))


async def test_a_parked_message_is_not_sent_again_to_where_copies_of_it_went(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = queue_of(config)

    def legacy(program: LegacyProgram) -> Mapping[str, Any]:
        program.declare(f"{queue}-arsip")
        program.send(f"{queue}-arsip", b'{"nomor": 1}', headers={"CC": [queue], "BCC": [queue]})
        return program.headers_of_parked(queue)

    async with running_bridge(tmp_path, config) as status:
        headers = await played(broker, legacy)
        assert not {"CC", "BCC"} & headers.keys()
        await eventually(lambda: not status.consumers["simpeg"].under_way)
        counts = await played(
            broker, lambda program: [program.count(each) for each in (queue, f"{queue}.parked")]
        )
    assert counts == [0, 0]


async def test_properties_that_are_not_utf_8_name_a_message_all_the_same(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = queue_of(config)
    names = {"message_id": b"LAP-\xe9", "content_type": b"\xff", "headers": {b"\xfe": 1}}

    def legacy(program: LegacyProgram) -> tuple[Any, Mapping[str, Any]]:
        program.declare(answers_of(queue))
        for body in (message(1), b'{"nomor": 2}'):
            properties = pika.BasicProperties(delivery_mode=2, **names)
            program.channel.basic_publish("", queue, body, properties, mandatory=True)
        return program.receive(answers_of(queue))[0], program.headers_of_parked(queue)

    async with running_bridge(tmp_path, config):
        answer, headers = await played(broker, legacy)
    assert answer.correlation_id == b"LAP-\xe9"
    assert (headers["x-absah-key"], headers["x-absah-cause"]) == ("LAP-é", "MISSING_FIELD")
    with absah.AdminClient(core) as admin:
        (letter,) = await asyncio.to_thread(lambda: list(admin.dead_letters()))
    assert letter.message_key == "LAP-é"


async def test_an_id_that_is_too_long_as_a_text_is_named_by_its_digest(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = queue_of(config)

    def legacy(program: LegacyProgram) -> Mapping[str, Any]:
        properties = pika.BasicProperties(delivery_mode=2, message_id=b"\xe9" * 255)
        program.channel.basic_publish("", queue, b'{"nomor": 1}', properties, mandatory=True)
        return program.headers_of_parked(queue)

    async with running_bridge(tmp_path, config):
        headers = await played(broker, legacy)
    assert headers["x-absah-key"].startswith("sha256:")


async def test_a_count_of_attempts_that_is_none_hinders_nothing(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = queue_of(config)

    def legacy(program: LegacyProgram) -> Mapping[str, Any]:
        program.send(queue, b'{"nomor": 1}', headers={"x-absah-attempt": 2**40})
        return program.headers_of_parked(queue)

    async with running_bridge(tmp_path, config):
        headers = await played(broker, legacy)
    assert headers["x-absah-cause"] == "MISSING_FIELD"
    with absah.AdminClient(core) as admin:
        (letter,) = await asyncio.to_thread(lambda: list(admin.dead_letters()))
    assert letter.cause == "MISSING_FIELD"
