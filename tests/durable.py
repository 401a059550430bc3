"""Servers over a real database, and validations that are accepted there to be run later."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import psycopg
from psycopg.rows import dict_row
from support import TEXT_ONLY, Broken, Doubled, Length, Slow, make_settings, running_server

import absah
from absah.v1 import validation_pb2, validation_service_pb2, validation_service_pb2_grpc
from absah_sdk import CheckContext, Checker, Document, Outcome, Result
from absah_server.core.errors import Overloaded
from absah_server.settings import Settings

KINDS = (Length, Doubled, Slow, Broken)
ENDED = (
    validation_pb2.STATE_SUCCEEDED,
    validation_pb2.STATE_FAILED,
    validation_pb2.STATE_CANCELLED,
)
QUICK = {"stalled_after_seconds": 20.0, "poll_seconds": 0.2, "backoff_seconds": 0.05}
"""Timing of jobs in tests, of which none takes a living worker for dead on a busy machine."""
STALLED_SOON = 2.0
"""`stalled_after_seconds` where a test waits for what a killed worker had."""


def durable_settings(folder: Path, database_url: str, **changes: Any) -> Settings:
    """Settings of a server that keeps what it accepts, in this database and below this folder."""
    jobs = {**QUICK, **changes.pop("jobs", {})}
    return make_settings(
        folder,
        store={"kind": "postgres"},
        database_url=database_url,
        data=folder / "data",
        jobs=jobs,
        **changes,
    )


class Caller:
    """Calls ValidationService of one server, which listens at `address`."""

    def __init__(self, address: str, channel: grpc.aio.Channel) -> None:
        self.address = address
        self.stub: Any = validation_service_pb2_grpc.ValidationServiceStub(channel)

    async def create(self, text: str, *checkers: str, **fields: Any) -> validation_pb2.Validation:
        """Submit a text for later; these checkers look at it, or the policy in `fields` says."""
        request = absah.request(
            fields.pop("policy", ""), {"report": absah.Text(text)}, checkers=checkers or None
        )
        for name, value in fields.items():
            setattr(request, name, value)
        created = await self.stub.CreateValidation(
            validation_service_pb2.CreateValidationRequest(request=request), timeout=10
        )
        return created.validation

    async def get(self, name: str) -> validation_pb2.Validation:
        request = validation_service_pb2.GetValidationRequest(name=name)
        return (await self.stub.GetValidation(request, timeout=10)).validation

    async def cancel(self, name: str) -> validation_pb2.Validation:
        request = validation_service_pb2.CancelValidationRequest(name=name)
        return (await self.stub.CancelValidation(request, timeout=10)).validation

    async def until(self, name: str, *states: int) -> validation_pb2.Validation:
        """The validation once it is in one of these states; waits for it."""
        async with asyncio.timeout(30):
            while True:
                found = await self.get(name)
                if found.state in states:
                    return found
                await asyncio.sleep(0.05)

    async def ended(self, name: str) -> validation_pb2.Validation:
        """The validation once it has ended."""
        return await self.until(name, *ENDED)


class Busy(Checker):
    """Is overloaded as many times as `refusals` says, at any text."""

    name = "busy"
    version = "1.0"
    title = "Is overloaded at first"
    capabilities = TEXT_ONLY
    refusals = 2

    async def check(self, document: Document, context: CheckContext) -> Result:
        if self.refusals:
            self.refusals -= 1
            raise Overloaded(retry_after_seconds=1.0)
        return Result(outcome=Outcome.PASS)


class AlwaysBusy(Busy):
    """Is overloaded at any time."""

    name = "always_busy"
    refusals = 1_000_000


@asynccontextmanager
async def durable_server(settings: Settings, kinds: Any = KINDS) -> AsyncIterator[Caller]:
    """A real server in this event loop."""
    async with (
        running_server(settings, kinds) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        yield Caller(address, channel)


@asynccontextmanager
async def worker_process(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    """An `absah worker` of its own process, with the checkers of tests."""
    given = settings.model_dump(
        mode="json",
        include={"database_url", "data", "policies", "decode_workers", "jobs", "drain_seconds"},
    )
    given["database_url"] = settings.database_url.get_secret_value()
    repository = str(settings.inference.model_repository)
    given["inference"] = {"model_repository": repository}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("work.py")),
        json.dumps(given),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    try:
        async with asyncio.timeout(30):
            assert await process.stdout.readline() == b"working\n"
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()


def rows(database_url: str, query: str, *parameters: Any) -> list[dict[str, Any]]:
    """What a query finds in the database."""
    with psycopg.connect(database_url, autocommit=True, row_factory=dict_row) as connection:
        return connection.execute(query.encode(), parameters).fetchall()


def attempts(database_url: str, validation: str) -> list[Mapping[str, Any]]:
    """The attempts at a validation, the first one first."""
    return list(
        rows(
            database_url,
            "select * from attempts where validation_id = %s order by attempt",
            validation.removeprefix("validations/"),
        )
    )


def outcomes(database_url: str, validation: str) -> list[str | None]:
    """How the attempts at a validation ended."""
    return [attempt["outcome"] for attempt in attempts(database_url, validation)]


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.05)


async def watched(caller: Caller, name: str) -> list[str]:
    """What a watcher of a validation sees until it ends: states, and checkers that have ended."""
    seen = []
    request = validation_service_pb2.WatchValidationRequest(name=name)
    async for event in caller.stub.WatchValidation(request, timeout=30):
        if event.HasField("validation"):
            state = validation_pb2.State.Name(event.validation.state)
            seen.append(state.removeprefix("STATE_"))
        else:
            seen.append(event.check_result.checker)
    return seen
