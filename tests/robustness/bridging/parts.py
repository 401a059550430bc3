"""The whole way of a message: programs, broker, bridge, core, database, each in its own process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bridging import POLICY, eventually, make_config, played, queue_of, write
from durable import durable_settings
from legacy import LegacyProgram
from outages import KillablePostgres, killable_postgres
from proxies import Proxy, proxy
from rabbitmq import RabbitMq, free_ports

from absah_server.store import migrations
from absah_server.store.database import Database

HERE = Path(__file__).parent
TESTS = HERE.parents[1]
START_SECONDS = 120.0


class Process:
    """A script that is started again whenever it ends, until it is told to stop."""

    def __init__(self, script: str, *arguments: str, log: Path) -> None:
        self._command = (sys.executable, str(HERE / script), *arguments)
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._ready = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self.statuses: Counter[int] = Counter()
        """How its processes ended; -9 is by SIGKILL."""

    async def start(self) -> None:
        """Start it, and return once it says a line."""
        self._keeping = asyncio.create_task(self._keep())
        await self.ready()

    async def ready(self) -> None:
        """Wait until it is up."""
        async with asyncio.timeout(START_SECONDS):
            await self._ready.wait()

    async def kill(self) -> None:
        """SIGKILL; it is up again when this returns."""
        ended = self.ended()
        assert self._process
        self._process.kill()
        await eventually(lambda: self.ended() > ended)
        await self.ready()

    async def strike(self, line: str) -> bool:
        """Send it a line that has it end, and say whether it did; it is up again then."""
        ended = self.ended()
        assert self._process and self._process.stdin
        self._process.stdin.write(line.encode() + b"\n")
        try:
            await eventually(lambda: self.ended() > ended, seconds=START_SECONDS / 2)
        except TimeoutError:
            return False
        await self.ready()
        return True

    def ended(self) -> int:
        """How many times it has ended."""
        return self.statuses.total()

    async def stop(self) -> int:
        """Stop it in order, and for good; its exit status."""
        assert self._process and self._keeping
        self._keeping.cancel()
        await asyncio.gather(self._keeping, return_exceptions=True)
        self._process.terminate()
        try:
            async with asyncio.timeout(START_SECONDS):
                return await self._process.wait()
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()

    async def _keep(self) -> None:
        while True:
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                    env={**os.environ, "PYTHONPATH": str(TESTS)},
                )
            assert self._process.stdout
            if await self._process.stdout.readline():
                self._ready.set()
            status = await self._process.wait()
            self._ready.clear()
            self.statuses[status] += 1


class Platform:
    """All parts but the programs, each of which can be made to fail."""

    def __init__(
        self, *, node: RabbitMq, postgres: KillablePostgres, between: Proxy, folder: Path
    ) -> None:
        self.node = node
        self.postgres = postgres
        self.between = between
        """What the bridge reaches the broker by."""
        (port,) = free_ports(1)
        broker = f"amqp://guest:guest@127.0.0.1:{between.port}/%2F"
        config = make_config(f"127.0.0.1:{port}", broker)
        self.queue = queue_of(config)
        (folder / "policies").mkdir()
        (folder / "policies" / "short.yaml").write_text(POLICY)
        settings = durable_settings(folder, postgres.url, port=port)
        given = settings.model_dump(mode="json", exclude_defaults=True)
        given["database_url"] = postgres.url
        self.core = Process("core_process.py", json.dumps(given), log=folder / "core.log")
        self.bridge = Process("victim.py", str(write(folder, config)), log=folder / "bridge.log")

    async def start(self) -> None:
        """Start core and bridge; the queues are declared when this returns."""
        await migrate(self.postgres.url)
        await self.core.start()
        await self.bridge.start()
        await eventually(lambda: self.between.connections >= 2, seconds=START_SECONDS)

    def declare(self, program: LegacyProgram) -> None:
        """A program's part: the queue for answers, once the bridge's queues are there."""
        program.declare(f"{self.queue}-jawaban")

    async def stop(self) -> list[str]:
        """Stop both; what was wrong about it."""
        wrong = []
        for name, process in (("bridge", self.bridge), ("core", self.core)):
            status = await process.stop()
            if status:
                wrong.append(f"the {name} ended with {status}")
        return wrong


@asynccontextmanager
async def running(node: RabbitMq, folder: Path) -> AsyncIterator[Platform]:
    """A platform on this broker, with a database of its own below a folder."""
    with killable_postgres(folder / "postgres") as postgres:
        async with proxy(node.port) as between:
            made = Platform(node=node, postgres=postgres, between=between, folder=folder)
            try:
                await made.start()
                await played(node.url, made.declare)
                yield made
            finally:
                with contextlib.suppress(ProcessLookupError, AssertionError):
                    await made.stop()


async def migrate(url: str) -> None:
    """Bring a database to the newest schema."""
    database = Database(url)
    await database.open()
    try:
        await migrations.migrate(database)
    finally:
        await database.close()
