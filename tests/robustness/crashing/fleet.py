"""A PostgreSQL, a server and a worker that are started again whenever they die."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from outages import KillablePostgres, killable_postgres
from robustness.crashing import checkers, processes
from robustness.crashing.points import Order

from absah_server.store import migrations
from absah_server.store.database import Database

ROLES = ("server", "worker")
START_SECONDS = 120.0
LOOK_SECONDS = 0.1
STOP_SECONDS = 60.0
MAX_ATTEMPTS = 60
"""Far more than one validation can lose to kills: none may end for that."""


class Victim:
    """One role, which has a process after the other."""

    def __init__(self, role: str, given: dict[str, Any], log: Path) -> None:
        self.role = role
        self._given = json.dumps({"role": role, **given})
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._up = asyncio.Event()
        self._struck = asyncio.Event()
        self._down = asyncio.Event()
        self._stopping = False
        self._keeping: asyncio.Task[None] | None = None
        self.last_status: int | None = None
        """Of the process that was told to end."""
        self.not_started = 0
        """How often it ended before it was ready, as it does without PostgreSQL."""
        self.fell: Counter[int] = Counter()
        """How its processes ended that neither were killed nor told to end."""
        self.helpers: set[processes.Process] = set()
        """Processes of its own that each of its processes had when it was ready."""
        self.starts = 0
        self.start_seconds = 0.0

    @property
    def pid(self) -> int:
        """The process as it is now."""
        assert self._process
        return self._process.pid

    def start(self) -> None:
        """Run it, and again whenever it has ended, until it is told to stop."""
        self._keeping = asyncio.create_task(self._keep_up())

    async def _keep_up(self) -> None:
        while not self._stopping:
            await self._live()

    async def ready(self) -> None:
        """Wait until it serves or works."""
        async with asyncio.timeout(START_SECONDS):
            await self._up.wait()

    def order(self, order: Order | None) -> None:
        """Have it kill itself, or PostgreSQL, at a point; None takes that back."""
        assert self._process and self._process.stdin
        self._struck.clear()
        line = json.dumps(dataclasses.asdict(order) if order else None)
        self._process.stdin.write(line.encode() + b"\n")

    async def struck(self, timeout_seconds: float) -> bool:
        """Whether it came to the point of its order in time."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._struck.wait()
        except TimeoutError:
            return False
        return True

    def kill(self) -> bool:
        """SIGKILL it; whether it was alive."""
        if self._process is None or self._process.returncode is not None:
            return False
        self._process.kill()
        return True

    async def gone(self) -> None:
        """Wait until the process that was killed is no more."""
        await self._down.wait()

    async def stop(self) -> None:
        """Have it end in order, and start no other; one that takes too long is killed."""
        if self._stopping:
            return
        self._stopping = True
        assert self._process and self._keeping
        if self._process.returncode is None:
            self._process.terminate()
        await asyncio.wait((self._keeping,), timeout=STOP_SECONDS)
        self.kill()
        await self._keeping
        self.last_status = self._process.returncode

    async def _live(self) -> None:
        began = time.monotonic()
        with self._log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(Path(__file__).with_name("victim.py")),
                self._given,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        self._process = process
        self._down.clear()
        assert process.stdout
        try:
            while line := await process.stdout.readline():
                if line == b"ready\n":
                    self.starts += 1
                    self.start_seconds += time.monotonic() - began
                    self.helpers |= processes.descendants(process.pid)
                    self._up.set()
                elif line.startswith(b"struck"):
                    self._struck.set()
        finally:
            self._note(await process.wait())
            self._up.clear()
            self._down.set()

    def _note(self, status: int) -> None:
        if self._stopping or status == -signal.SIGKILL:
            return
        if self._up.is_set():
            self.fell[status] += 1
        else:
            self.not_started += 1


class Fleet:
    """All that runs, and is started again."""

    def __init__(self, folder: Path, postgres: KillablePostgres, postgres_folder: Path) -> None:
        self.folder = folder
        self.postgres = postgres
        self.data = folder / "data"
        self.log = folder / "log"
        self.postgres_folder = postgres_folder
        self.address = f"127.0.0.1:{_free_port()}"
        self._may_revive = asyncio.Event()
        self._may_revive.set()
        self._answering = asyncio.Event()
        self._answering.set()
        given = {"postgres": str(postgres_folder), "settings": self._settings()}
        self.victims = {role: Victim(role, given, self.log) for role in ROLES}

    async def kill_postgres(self) -> bool:
        """SIGKILL PostgreSQL with all its processes; whether it was alive."""
        return await asyncio.to_thread(processes.kill_postgres, self.postgres_folder)

    async def postgres_ready(self) -> None:
        """Wait until PostgreSQL answers, after it was killed."""
        async with asyncio.timeout(START_SECONDS):
            await asyncio.sleep(2 * LOOK_SECONDS)
            await self._answering.wait()

    @asynccontextmanager
    async def without_postgres(self) -> AsyncIterator[None]:
        """Kill PostgreSQL, and leave it dead for the length of the block."""
        self._may_revive.clear()
        try:
            await self.kill_postgres()
            yield
        finally:
            self._may_revive.set()
            await self.postgres_ready()

    async def keep_postgres_up(self) -> None:
        """Start PostgreSQL again whenever it has died, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not processes.is_postgres_alive(self.postgres_folder):
                self._answering.clear()
                await self._may_revive.wait()
                await asyncio.to_thread(self.postgres.revive)
                self._answering.set()

    async def all_ready(self) -> None:
        """Wait until the server serves and the worker works."""
        for victim in self.victims.values():
            await victim.ready()

    async def stop(self) -> None:
        """Have the server and the worker end in order; PostgreSQL goes on."""
        await asyncio.gather(*(victim.stop() for victim in self.victims.values()))

    def left_behind(self) -> list[int]:
        """Processes that outlived the server or worker that they were of."""
        helpers = set().union(*(victim.helpers for victim in self.victims.values()))
        return sorted(each.pid for each in helpers if processes.is_alive(each))

    def _settings(self) -> dict[str, Any]:
        policies, models = self.folder / "policies", self.folder / "models"
        for made in (policies, models, self.data):
            made.mkdir(exist_ok=True)
        checkers.write_policies(policies)
        return {
            "port": int(self.address.rpartition(":")[2]),
            "policies": str(policies),
            "inference": {"model_repository": str(models)},
            "decode_workers": 1,
            "database_url": self.postgres.url,
            "data": str(self.data),
            "drain_seconds": 10.0,
            "store": {"max_connections": 6},
            "jobs": {
                "workers": 4,
                "stalled_after_seconds": 2.0,
                "poll_seconds": 0.3,
                "backoff_seconds": 0.1,
                "max_backoff_seconds": 1.0,
                "max_attempts": MAX_ATTEMPTS,
            },
            "blobs": {"purge_seconds": 0.5, "grace_seconds": 30.0},
            "audit": {"seal_interval_seconds": 0.1},
        }


@asynccontextmanager
async def running(folder: Path, postgres_folder: Path) -> AsyncIterator[Fleet]:
    """A fleet with its data in one folder and its PostgreSQL in another; ended with the block."""
    with killable_postgres(postgres_folder) as postgres:
        await _migrate(postgres.url)
        fleet = Fleet(folder, postgres, postgres_folder)
        for victim in fleet.victims.values():
            victim.start()
        reviving = asyncio.create_task(fleet.keep_postgres_up())
        try:
            await fleet.all_ready()
            yield fleet
        finally:
            await fleet.stop()
            reviving.cancel()
            await asyncio.gather(reviving, return_exceptions=True)


async def _migrate(url: str) -> None:
    database = Database(url)
    await database.open()
    try:
        await migrations.migrate(database)
    finally:
        await database.close()


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
