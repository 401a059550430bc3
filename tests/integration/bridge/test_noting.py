"""What befell messages is kept by the core, whatever else is to be kept with it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from bridging import eventually, make_config, played, queue_of, running_bridge, running_core
from legacy import LegacyProgram
from rabbitmq import free_ports

import absah
from absah.admin.v1 import admin_service_pb2 as pb2
from absah_bridge.delivery import ledger
from absah_bridge.delivery.ledger import CoreLedger
from absah_bridge.errors import Cause, MessageInvalid


def make_note(key: str, *, problem: str = "kosong") -> pb2.MessageAttempt:
    return ledger.attempt(
        system="simpeg",
        message_key=key,
        queue="laporan",
        attempt=1,
        outcome="PARKED",
        error=MessageInvalid(Cause.BAD_VALUE, problem, field="nik", position="line 1"),
    )


def noted(core: str) -> list[str]:
    """The keys of all that are parked."""
    with absah.AdminClient(core) as admin:
        return sorted(letter.message_key for letter in admin.dead_letters())


async def test_a_note_that_is_refused_takes_no_other_with_it(core: str) -> None:
    notes = [make_note(f"M-{number}") for number in range(20)]
    notes[7].system = ""
    notes[12].message_key = "a\0b"
    async with absah.AsyncClient(core) as client:
        kept = CoreLedger(client)
        # At once, so that they go together.
        await asyncio.gather(*(kept.note(note) for note in notes))
        await kept.close()
    expected = sorted(f"M-{number}" for number in range(20) if number not in (7, 12))
    assert await asyncio.to_thread(noted, core) == expected


async def test_a_note_is_fit_for_a_database(core: str) -> None:
    async with absah.AsyncClient(core) as client:
        kept = CoreLedger(client)
        await kept.note(make_note("a\0b", problem="c\0d"))
        await kept.close()
    assert await asyncio.to_thread(noted, core) == ["a?b"]


async def test_a_message_with_an_id_that_cannot_be_shown_is_found_among_the_dead_letters(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = queue_of(config)

    def legacy(program: LegacyProgram) -> list[str]:
        for id_ in ("M-1", "M\0-2", "M-3"):
            program.send(queue, b"{", message_id=id_)
        return sorted(program.headers_of_parked(queue)["x-absah-key"] for _ in range(3))

    async with running_bridge(tmp_path, config):
        parked = await played(broker, legacy)
    assert parked == ["M-1", "M-3", "M?-2"]
    assert await asyncio.to_thread(noted, core) == parked


async def test_notes_wait_for_a_core_that_is_away_and_are_withdrawn_when_nobody_waits(
    tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, ledger.log.name)
    (port,) = free_ports(1)
    async with absah.AsyncClient(f"127.0.0.1:{port}") as client:
        kept = CoreLedger(client)
        waiting = [asyncio.create_task(kept.note(make_note(f"M-{n}"))) for n in range(3)]
        await eventually(lambda: "messages wait to be noted" in caplog.messages)
        waiting[1].cancel()
        async with running_core(tmp_path, database_url, port=port) as core:
            await asyncio.gather(waiting[0], waiting[2])
            assert await asyncio.to_thread(noted, core) == ["M-0", "M-2"]
        await kept.close()
    # Once, however often it was tried.
    assert caplog.messages.count("messages wait to be noted") == 1
    assert caplog.messages[-1] == "messages are noted again"
