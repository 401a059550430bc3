"""A worker to measure: `python job_workers.py absah|procrastinate DATABASE_URL FOLDER`.

For each line that it reads it submits as many jobs as the line says, works at all of them, and
prints the jobs a second, from the start of the worker to the end of the last job.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import procrastinate

from absah_sdk import Capabilities, CheckContext, Checker, Document, Form, Outcome, Result
from absah_server import platform, storage, workers
from absah_server.core.acceptance import Acceptance
from absah_server.core.callers import Caller
from absah_server.core.registry import RegisteredChecker, Registry
from absah_server.core.submission import Attachment, Submission
from absah_server.settings import Settings
from absah_server.storage import Storage

CONCURRENCY = 8
Measure = Callable[[int], Awaitable[float]]


class Trivial(Checker):
    """Finds every text in order."""

    name = "trivial"
    version = "1.0"
    title = "Nothing to find"
    capabilities = Capabilities(media_types=("text/plain",), reads=frozenset({Form.TEXT}))

    async def check(self, document: Document, context: CheckContext) -> Result:
        return Result(outcome=Outcome.PASS)


@asynccontextmanager
async def absah(database_url: str, folder: Path) -> AsyncIterator[Measure]:
    """Validations of a text of their own by one trivial checker, accepted before."""
    for name in ("models", "policies"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    settings = Settings.model_validate(
        {
            "database_url": database_url,
            "data": folder,
            "policies": folder / "policies",
            "inference": {"model_repository": folder / "models"},
            "decode_workers": 1,
            "jobs": {"workers": CONCURRENCY},
        }
    )
    checker = Trivial(Trivial.settings_type())
    loaded = Registry(
        checkers={"trivial": RegisteredChecker(checker=checker, plugin="benchmarks")},
        policy_functions={},
    )
    policies = platform.load_policies(settings, loaded)
    async with platform.opened(settings, loaded) as parts, storage.opened(settings) as kept:
        door = platform.validator(settings, parts, policies)
        acceptance = platform.acceptance(settings, door, kept)

        async def measure(count: int) -> float:
            await submit(acceptance, count)
            crew = workers.make(settings, door, kept)
            began = time.perf_counter()
            crew.start(drain_seconds=30)
            await all_ended(kept)
            took = time.perf_counter() - began
            await crew.stop()
            return count / took

        yield measure


async def submit(acceptance: Acceptance, count: int) -> None:
    """Accept validations, as CreateValidation does."""
    room = asyncio.Semaphore(32)
    deadline = asyncio.get_running_loop().time() + 600

    async def one(number: int) -> None:
        text = f"Rapat koordinasi {number} {time.time_ns()}."
        asked = Submission(
            checkers=("trivial",), attachments=[Attachment(role="report", text=text)]
        )
        async with room:
            await acceptance.create(Caller(), asked, deadline=deadline)

    await asyncio.gather(*(one(number) for number in range(count)))


async def all_ended(kept: Storage) -> None:
    """Wait until no validation is left to be run."""
    query = b"select exists(select from validations where state in ('PENDING', 'RUNNING')) as left"
    while True:
        async with kept.database.connection() as connection:
            row = await (await connection.execute(query)).fetchone()
        if row and not row["left"]:
            return
        await asyncio.sleep(0.01)


@asynccontextmanager
async def procrastinates(database_url: str, folder: Path) -> AsyncIterator[Measure]:
    """procrastinate's own worker and a task that does nothing."""
    connector = procrastinate.PsycopgConnector(conninfo=database_url)
    made = procrastinate.App(connector=connector)

    @made.task(name="nothing", queue="nothing")
    async def nothing() -> None:
        return None

    async with made.open_async():

        async def measure(count: int) -> float:
            await nothing.batch_defer_async(*({} for _ in range(count)))
            began = time.perf_counter()
            await made.run_worker_async(
                queues=["nothing"],
                concurrency=CONCURRENCY,
                wait=False,
                install_signal_handlers=False,
            )
            return count / (time.perf_counter() - began)

        yield measure


async def main(side: str, database_url: str, folder: str) -> None:
    sides = {"absah": absah, "procrastinate": procrastinates}
    async with sides[side](database_url, Path(folder)) as measure:
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(await measure(int(line)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
