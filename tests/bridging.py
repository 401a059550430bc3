"""A bridge for one system that writes JSON, its core, and what tests ask of both."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pika.exceptions
import yaml
from durable import durable_settings
from legacy import LegacyProgram, legacy_program
from support import Length, Slow, running_server

from absah_bridge import run
from absah_bridge.delivery.status import Status

T = TypeVar("T")

SYSTEM = "simpeg"
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
LONG, SHORT = "Rapat di Bandung berjalan lancar.", "Nihil."
"""Texts that are accepted and rejected."""


def make_config(address: str, broker: str, **changes: Any) -> dict[str, Any]:
    """A bridge for one system that sends JSON, with queues of the test's own.

    `consume` adds to how its queue is consumed, other `changes` replace parts of the system.
    """
    queue = f"laporan-{uuid.uuid4().hex}"
    system = {
        "consume": {"queue": queue, **changes.pop("consume", {})},
        "codec": {"kind": "json"},
        "request": {
            "policy": "short-report",
            "claims": {"name": "nama"},
            "documents": [{"role": "report", "text": {"from": "isi", "required": True}}],
        },
        "answer": {
            "to": {"routing_key": answers_of(queue)},
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
        "systems": {SYSTEM: system},
    }


def queue_of(config: Mapping[str, Any]) -> str:
    """The queue that the system's messages come by."""
    queue: str = config["systems"][SYSTEM]["consume"]["queue"]
    return queue


def answers_of(queue: str) -> str:
    """The queue that answers go to."""
    return f"{queue}-jawaban"


def message(number: int, text: str = LONG) -> bytes:
    """A message as the system writes it."""
    return json.dumps({"nomor": number, "nama": "Siti", "isi": text}).encode()


def write(folder: Path, config: Mapping[str, Any]) -> Path:
    """Write bridge.yaml."""
    file = folder / "bridge.yaml"
    file.write_text(yaml.safe_dump(dict(config)))
    return file


@asynccontextmanager
async def running_bridge(
    folder: Path, config: Mapping[str, Any], *, connected: bool = True
) -> AsyncIterator[Status]:
    """A bridge in this event loop; if `connected`, once it consumes."""
    stop = asyncio.Event()
    told: asyncio.Future[Status] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(
        run.serve(write(folder, config), stop=stop, ready=told.set_result)
    )
    try:
        await asyncio.wait((told, running), return_when=asyncio.FIRST_COMPLETED)
        if connected and not running.done():
            await eventually(lambda: running.done() or told.result().connected)
        if running.done():
            running.result()
        yield told.result()
    finally:
        stop.set()
        await running


@asynccontextmanager
async def running_core(
    folder: Path, database_url: str, *, kinds: Any = (Length, Slow), **changes: Any
) -> AsyncIterator[str]:
    """A core that keeps what it accepts and has the policy; yields its address."""
    settings = durable_settings(folder, database_url, **changes)
    (folder / "policies" / "short.yaml").write_text(POLICY)
    async with running_server(settings, kinds) as address:
        yield address


async def played(broker: str, part: Callable[[LegacyProgram], T]) -> T:
    """What a legacy program comes to, in a thread of its own."""

    def play() -> T:
        with legacy_program(broker) as program:
            return part(program)

    return await asyncio.to_thread(play)


async def eventually(holds: Callable[[], Any], *, seconds: float = 30.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)


def wait_for_queue(program: LegacyProgram, queue: str) -> None:
    """Until it is declared; a passive declaration of what is not there closes the channel."""
    for _ in range(300):
        try:
            program.count(queue)
            return
        except pika.exceptions.ChannelClosedByBroker:
            time.sleep(0.05)
    raise AssertionError(f"{queue} was not declared")
