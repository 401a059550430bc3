"""Processes that end, or are ended, are replaced; none is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from absah_sdk import DocumentUnreadable
from absah_server.decode.process import SandboxFailed
from absah_server.decode.sandbox import ProcessSandbox


async def test_a_worker_killed_while_idle_costs_no_job(soon, photo):
    others = zygotes()
    sandbox = ProcessSandbox(workers=1)
    await sandbox.start()
    try:
        (zygote,) = zygotes() - others
        (idle,) = children_of(zygote)
        os.kill(idle, signal.SIGKILL)
        assert (await sandbox.decode(photo, "image/jpeg", deadline=soon())).pages
    finally:
        await sandbox.close()


async def test_a_killed_zygote_is_replaced_and_its_job_done_again(soon, photo, parsers):
    others = zygotes()
    sandbox = ProcessSandbox(workers=1)
    await sandbox.start()
    try:
        (zygote,) = zygotes() - others
        running = asyncio.create_task(sandbox.isolate(parsers.sleep, (0.5,), deadline=soon()))
        await asyncio.sleep(0.2)
        os.kill(zygote, signal.SIGKILL)
        assert await running == 0.5
        assert (await sandbox.decode(photo, "image/jpeg", deadline=soon())).pages
    finally:
        await sandbox.close()


async def test_a_job_whose_worker_is_killed_twice_is_given_up(soon, parsers):
    others = zygotes()
    sandbox = ProcessSandbox(workers=1)
    await sandbox.start()
    try:
        running = asyncio.create_task(sandbox.isolate(parsers.sleep, (600,), deadline=soon()))
        (zygote,) = zygotes() - others
        killed: set[int] = set()
        while not running.done():
            for worker in set(children_of(zygote)) - killed:
                await asyncio.sleep(0.2)
                os.kill(worker, signal.SIGKILL)
                killed.add(worker)
            await asyncio.sleep(0.02)
        with pytest.raises(DocumentUnreadable, match="short of memory"):
            await running
        assert len(killed) >= 2
    finally:
        await sandbox.close()


async def test_closing_ends_every_process_and_running_job(soon, parsers):
    others = zygotes()
    sandbox = ProcessSandbox(workers=2)
    await sandbox.start()
    running = asyncio.create_task(sandbox.isolate(parsers.sleep, (600,), deadline=soon()))
    await asyncio.sleep(0.1)
    waiting = [
        asyncio.create_task(sandbox.isolate(parsers.sleep, (600,), deadline=soon()))
        for _ in range(4)
    ]
    await asyncio.sleep(0.1)
    (zygote,) = zygotes() - others
    workers = children_of(zygote)
    assert len(workers) == 2
    await sandbox.close()
    outcomes = await asyncio.gather(running, *waiting, return_exceptions=True)
    assert all(isinstance(outcome, SandboxFailed) for outcome in outcomes)
    assert not [pid for pid in (zygote, *workers) if Path(f"/proc/{pid}").exists()]
    with pytest.raises(SandboxFailed, match="closed"):
        await sandbox.isolate(parsers.identity, (), deadline=soon())


def zygotes() -> set[int]:
    """The processes that decoders are forked from, of this process's sandboxes."""
    return set(children_of(os.getpid(), "zygote.run"))


def children_of(parent: int, command: str = "") -> list[int]:
    """List the living child processes of one, newest last."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            line = (folder / "cmdline").read_text()
        except OSError:
            continue
        if int(status[1]) == parent and status[0] != "Z" and command in line:
            found.append(int(folder.name))
    return sorted(found)
