"""Messages are answered once in effect, or parked with their reason; nothing is lost."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from legacy import LegacyProgram, legacy_program
from support import Length, make_settings, running_server

import absah
from absah_bridge import run

POLICY = """
policy: short-report
version: 1
title: {id: Laporan pendek, en: Short report}
documents:
  report:
    title: {id: Laporan, en: Report}
    count: [1, 1]
    media_types: [text/plain]
claims:
  name: {title: {id: Nama, en: Name}, type: string}
checks:
  length: {documents: [report]}
rules:
  - rule: too-short
    each: result
    when: result.facts.length < 10
    decision: REJECT
    message: {id: Terlalu pendek., en: Too short.}
accepted: {id: Cukup panjang., en: Long enough.}
"""


def make_config(address: str, broker: str, **changes: Any) -> dict[str, Any]:
    """A bridge for one system that sends JSON, with queues of the test's own."""
    queue = f"laporan-{uuid.uuid4().hex}"
    system = {
        "consume": {"queue": queue},
        "codec": {"kind": "json"},
        "request": {
            "policy": "short-report",
            "claims": {"name": "nama"},
            "documents": [{"role": "report", "text": {"from": "isi", "required": True}}],
        },
        "answer": {
            "to": {"routing_key": f"{queue}-jawaban"},
            "fields": {
                "nomor": "message.nomor",
                "status": {
                    "from": "verdict.decision",
                    "table": {"ACCEPT": "00", "REVIEW": "10", "REJECT": "20"},
                },
            },
        },
        "retries": {"delays_seconds": [0.2]},
        **changes,
    }
    return {
        "core": {"address": address},
        "brokers": [{"url": broker}],
        "systems": {"simpeg": system},
    }


@asynccontextmanager
async def running_bridge(folder: Path, config: Mapping[str, Any]) -> AsyncIterator[None]:
    file = folder / "bridge.yaml"
    file.write_text(yaml.safe_dump(dict(config)))
    stop = asyncio.Event()
    running = asyncio.create_task(run.serve(file, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await running


@pytest.fixture
async def core(tmp_path: Path, database_url: str) -> AsyncIterator[str]:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "short.yaml").write_text(POLICY)
    settings = make_settings(
        tmp_path,
        store={"kind": "postgres"},
        database_url=database_url,
        data=tmp_path / "data",
    )
    async with running_server(settings, [Length]) as address:
        yield address


async def test_a_message_is_answered_in_the_legacy_words(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = config["systems"]["simpeg"]["consume"]["queue"]

    def legacy() -> list[Any]:
        with legacy_program(broker) as program:
            program.declare(f"{queue}-jawaban")
            wait_for_queue(program, queue)
            answers = []
            for text in ("Rapat di Bandung berjalan lancar.", "Nihil."):
                program.send(queue, json.dumps({"nomor": 7, "nama": "Siti", "isi": text}).encode())
                answers.append(json.loads(program.receive(f"{queue}-jawaban")[1]))
            return answers

    async with running_bridge(tmp_path, config):
        answers = await asyncio.to_thread(legacy)
    assert answers == [{"nomor": 7, "status": "00"}, {"nomor": 7, "status": "20"}]


async def test_a_bad_message_is_parked_with_its_cause_and_the_next_goes_on(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = config["systems"]["simpeg"]["consume"]["queue"]

    def legacy() -> tuple[Mapping[str, Any], Any]:
        with legacy_program(broker) as program:
            program.declare(f"{queue}-jawaban")
            wait_for_queue(program, queue)
            program.send(queue, b'{"nomor": 1}')
            program.send(queue, b'{"nomor": 2, "isi": "cukup panjang untuk diterima"}')
            answer = json.loads(program.receive(f"{queue}-jawaban")[1])
            return program.headers_of_parked(queue), answer

    async with running_bridge(tmp_path, config):
        headers, answer = await asyncio.to_thread(legacy)
    assert answer["nomor"] == 2
    assert headers["x-absah-cause"] == "MISSING_FIELD"
    assert headers["x-absah-field"] == "isi"
    with absah.AdminClient(core) as admin:
        (group,) = await asyncio.to_thread(admin.dead_letter_groups)
    assert (group.system, group.cause, group.field) == ("simpeg", "MISSING_FIELD", "isi")


async def test_a_message_that_comes_twice_gets_the_same_answer(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = config["systems"]["simpeg"]["consume"]["queue"]
    body = b'{"nomor": 1, "isi": "cukup panjang untuk diterima"}'

    def legacy() -> list[tuple[Any, bytes]]:
        with legacy_program(broker) as program:
            program.declare(f"{queue}-jawaban")
            wait_for_queue(program, queue)
            for _ in range(2):
                program.send(queue, body, message_id="M-1")
            return [program.receive(f"{queue}-jawaban") for _ in range(2)]

    async with running_bridge(tmp_path, config):
        (first, told), (second, again) = await asyncio.to_thread(legacy)
    assert told == again
    assert first.message_id == second.message_id
    assert first.correlation_id == "M-1"


def wait_for_queue(program: LegacyProgram, queue: str) -> None:
    """Until the bridge has declared it; a passive declaration of what is not there closes the
    channel, so an unroutable message is what tells."""
    import time

    import pika.exceptions

    for _ in range(300):
        try:
            probe = program._connection.channel()
            probe.queue_declare(queue, passive=True)
            probe.close()
            return
        except pika.exceptions.ChannelClosedByBroker:
            time.sleep(0.05)
    raise AssertionError(f"{queue} was not declared")
