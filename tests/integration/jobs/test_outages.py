"""While PostgreSQL is gone nothing is lost, and when it is back all goes on by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
import pytest
from click.testing import CliRunner
from durable import durable_server, durable_settings, eventually, outcomes, rows, watched
from outages import KillablePostgres, killable_postgres

from absah.v1 import validation_pb2
from absah_ops.main import main
from absah_server.store import migrations
from absah_server.store.database import Database

RUNNING = validation_pb2.STATE_RUNNING
SUCCEEDED = validation_pb2.STATE_SUCCEEDED


@pytest.fixture
def killable() -> Iterator[KillablePostgres]:
    # Not below tmp_path, which another run of pytest may close to PostgreSQL's own user.
    with TemporaryDirectory() as folder, killable_postgres(Path(folder) / "postgres") as made:
        asyncio.run(migrated(made.url))
        yield made


async def migrated(url: str) -> None:
    database = Database(url)
    await database.open()
    await migrations.migrate(database)
    await database.close()


async def test_a_verdict_that_is_reached_in_an_outage_is_recorded_after_it(
    tmp_path: Path, killable: KillablePostgres
) -> None:
    settings = durable_settings(tmp_path, killable.url, jobs={"stalled_after_seconds": 60.0})
    async with durable_server(settings) as caller:
        created = await caller.create("1", "slow", "length")
        await caller.until(created.name, RUNNING)
        watching = asyncio.create_task(watched(caller, created.name))
        await asyncio.sleep(0.3)
        killable.kill()
        await asyncio.sleep(2)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await caller.create("halo", "length")
        words = ["jobs", "list", "--server", caller.address]
        told = await asyncio.to_thread(CliRunner().invoke, main, words)
        await asyncio.to_thread(killable.revive)
        seen = await watching
        ended = await caller.ended(created.name)
        later = await caller.create("halo lagi", "length")
        assert (await caller.ended(later.name)).state == SUCCEEDED
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert told.exit_code == 1
    assert "looks at its database" in told.stderr
    assert "Is a server running" not in told.stderr
    assert ended.state == SUCCEEDED
    assert seen[-1] == "SUCCEEDED"
    assert sorted(seen[1:-1]) == ["length", "slow"]
    assert outcomes(killable.url, created.name) == ["SUCCEEDED"]


async def test_what_waits_through_many_outages_is_validated_once_each(
    tmp_path: Path, killable: KillablePostgres
) -> None:
    waiting = durable_settings(tmp_path, killable.url, jobs={"workers": 0})
    async with durable_server(waiting) as caller:
        created = [await caller.create(f"0.0{number}", "slow") for number in range(1, 9)]
        created += [await caller.create(f"0.1{number}", "slow") for number in range(10, 40)]
        async with durable_server(durable_settings(tmp_path, killable.url)):
            for _ in range(3):
                await asyncio.sleep(0.4)
                killable.kill()
                await asyncio.sleep(0.5)
                await asyncio.to_thread(killable.revive)
            await eventually(lambda: all_ended(killable.url))
    states = rows(killable.url, "select state from validations")
    assert [row["state"] for row in states] == ["SUCCEEDED"] * len(created)
    verdicts = rows(
        killable.url,
        "select subject from audit_events where action = 'validation.ended'",
    )
    assert sorted(row["subject"] for row in verdicts) == sorted(each.name for each in created)
    results = rows(killable.url, "select * from check_results")
    assert len(results) == len(created)
    jobs = rows(killable.url, "select status from procrastinate_jobs")
    assert {row["status"] for row in jobs} <= {"succeeded", "aborted"}


def all_ended(url: str) -> bool:
    return not rows(url, "select id from validations where state in ('PENDING', 'RUNNING')")


async def test_workers_that_no_one_could_hear_in_an_outage_keep_their_jobs(
    tmp_path: Path, killable: KillablePostgres
) -> None:
    settings = durable_settings(tmp_path, killable.url, jobs={"stalled_after_seconds": 6.0})
    async with durable_server(settings) as caller:
        created = await caller.create("14", "slow")
        await caller.until(created.name, RUNNING)
        watching = asyncio.create_task(watched(caller, created.name))
        await asyncio.sleep(0.3)
        killable.kill()
        await asyncio.sleep(8)
        await asyncio.to_thread(killable.revive)
        seen = await watching
    assert seen[-1] == "SUCCEEDED"
    assert outcomes(killable.url, created.name) == ["SUCCEEDED"]
