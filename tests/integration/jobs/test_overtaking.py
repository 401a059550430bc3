"""What was taken over, cancelled or lost on the way is validated once, whoever comes late."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from durable import (
    STALLED_SOON,
    attempts,
    durable_server,
    durable_settings,
    eventually,
    outcomes,
    rows,
    worker_process,
)
from support import Slow, make_registry

from absah.v1 import validation_pb2
from absah_server.core.errors import StoreHindered
from absah_server.core.slots import PolicySlots
from absah_server.store.database import Database
from absah_server.store.jobs import QUEUE
from absah_server.store.sweeping import PURGED_TOGETHER, Sweeper

RUNNING = validation_pb2.STATE_RUNNING
SUCCEEDED = validation_pb2.STATE_SUCCEEDED


async def test_a_worker_that_was_held_for_dead_cannot_write_what_it_came_to(
    tmp_path: Path, database_url: str
) -> None:
    waiting = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    working = durable_settings(tmp_path, database_url, jobs={"stalled_after_seconds": STALLED_SOON})
    async with durable_server(waiting) as caller:
        created = await caller.create("1", "slow")
        async with worker_process(working) as sleeper:
            await caller.until(created.name, RUNNING)
            sleeper.send_signal(signal.SIGSTOP)
            async with durable_server(working):
                ended = await caller.ended(created.name)
            sleeper.send_signal(signal.SIGCONT)
            later = await caller.create("halo", "length")
            assert (await caller.ended(later.name)).state == SUCCEEDED
        assert await caller.get(created.name) == ended
    assert ended.state == SUCCEEDED
    assert outcomes(database_url, created.name) == ["LOST", "SUCCEEDED"]
    verdicts = rows(
        database_url,
        "select * from audit_events where action = 'validation.ended' and subject = %s",
        created.name,
    )
    assert len(verdicts) == 1


async def test_cancelling_ends_checks_that_are_under_way(tmp_path: Path, database_url: str) -> None:
    registry = make_registry(Slow)
    checker = registry.checkers["slow"].checker
    assert isinstance(checker, Slow)
    async with durable_server(durable_settings(tmp_path, database_url), registry) as caller:
        created = await caller.create("60", "slow")
        await checker.started.wait()
        await caller.cancel(created.name)
        await eventually(lambda: not checker.running)
        await eventually(lambda: outcomes(database_url, created.name) == ["CANCELLED"])
        assert (await caller.get(created.name)).state == validation_pb2.STATE_CANCELLED
    assert checker.cancelled == 1


async def test_a_cancelled_validation_that_waits_is_never_begun(
    tmp_path: Path, database_url: str
) -> None:
    waiting = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    async with durable_server(waiting) as caller:
        cancelled = await caller.create("halo", "length")
        await caller.cancel(cancelled.name)
        other = await caller.create("halo juga", "length")
        async with durable_server(durable_settings(tmp_path, database_url)):
            await caller.ended(other.name)
    assert attempts(database_url, cancelled.name) == []
    jobs = rows(database_url, "select status from procrastinate_jobs order by id")
    assert [job["status"] for job in jobs] == ["cancelled", "succeeded"]


async def test_a_validation_whose_job_is_gone_is_given_another(
    tmp_path: Path, database_url: str
) -> None:
    waiting = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    async with durable_server(waiting) as caller:
        created = await caller.create("halo", "length")
        rows(database_url, "delete from procrastinate_jobs returning id")
        async with sweeping(database_url) as sweeper:
            await sweeper.defer_orphans(older_than_seconds=0.0)
            await sweeper.defer_orphans(older_than_seconds=0.0)
        assert len(rows(database_url, "select id from procrastinate_jobs")) == 1
        async with durable_server(durable_settings(tmp_path, database_url)):
            assert (await caller.ended(created.name)).state == SUCCEEDED


@asynccontextmanager
async def sweeping(
    database_url: str, *, stalled_after_seconds: float = 60.0, statement_seconds: float = 30.0
) -> AsyncIterator[Sweeper]:
    """A sweeper that keeps ended jobs for a minute."""
    database = Database(database_url, statement_seconds=statement_seconds)
    await database.open()
    try:
        yield Sweeper(
            database=database,
            queue=QUEUE,
            slots=PolicySlots(),
            stalled_after_seconds=stalled_after_seconds,
            keep_ended_seconds=60.0,
        )
    finally:
        await database.close()


async def test_old_ended_jobs_are_removed_and_young_or_unended_ones_stay(
    tmp_path: Path, database_url: str
) -> None:
    async with durable_server(durable_settings(tmp_path, database_url)) as caller:
        for text in ("halo", "halo juga"):
            await caller.ended((await caller.create(text, "length")).name)
        running = await caller.create("60", "slow")
        await caller.until(running.name, RUNNING)
        rows(
            database_url,
            "update procrastinate_events set at = at - interval '2 minutes'"
            " where job_id <> 2 returning id",
        )
        async with sweeping(database_url) as sweeper:
            await sweeper.purge()
        left = rows(database_url, "select id from procrastinate_jobs order by id")
        await caller.cancel(running.name)
    assert [job["id"] for job in left] == [2, 3]


async def test_more_ended_jobs_than_are_removed_together_are_removed_in_one_sweep(
    database_url: str,
) -> None:
    count = 2 * PURGED_TOGETHER + 1
    rows(
        database_url,
        "insert into procrastinate_jobs (queue_name, task_name, status)"
        " select 'validations', 'validate', 'succeeded' from generate_series(1, %s) returning id",
        count,
    )
    # One that has only just ended is among the oldest.
    rows(
        database_url,
        "insert into procrastinate_events (job_id, type, at)"
        " select min(id), 'succeeded', now() from procrastinate_jobs returning id",
    )
    async with sweeping(database_url) as sweeper:
        await sweeper.purge()
    assert len(rows(database_url, "select id from procrastinate_jobs")) == 1


async def test_a_job_is_taken_over_though_its_worker_cannot_be_forgotten(
    database_url: str,
) -> None:
    (worker,) = rows(
        database_url,
        "insert into procrastinate_workers (last_heartbeat) values (now() - interval '1 hour')"
        " returning id",
    )
    (taken, kept) = rows(
        database_url,
        "insert into procrastinate_jobs (queue_name, task_name, status, worker_id)"
        " values ('validations', 'validate', 'doing', %s),"
        " ('validations', 'validate', 'failed', %s) returning id",
        worker["id"],
        worker["id"],
    )
    rows(
        database_url,
        "insert into procrastinate_jobs (queue_name, task_name, status)"
        " values ('validations', 'validate', 'succeeded') returning id",
    )
    find = "select status, worker_id from procrastinate_jobs where id = %s"
    async with sweeping(database_url, stalled_after_seconds=0.0, statement_seconds=1.0) as sweeper:
        with psycopg.connect(database_url) as other:
            # As though to let go of all its jobs took longer than a statement may.
            other.execute("select from procrastinate_jobs where id = %s for update", (kept["id"],))
            with pytest.raises(StoreHindered):
                await sweeper.sweep()
        assert rows(database_url, find, taken["id"])[0]["status"] == "todo"
        assert rows(database_url, "select from procrastinate_jobs where status = 'succeeded'") == []
        await sweeper.forget_workers()
    assert rows(database_url, find, kept["id"]) == [{"status": "failed", "worker_id": None}]
    assert rows(database_url, "select id from procrastinate_workers") == []


async def test_a_worker_is_forgotten_without_looking_through_the_jobs_that_it_ended(
    tmp_path: Path, database_url: str
) -> None:
    waiting = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    working = durable_settings(tmp_path, database_url)
    async with durable_server(waiting) as caller, worker_process(working) as worker:
        for text in ("halo", "halo juga"):
            await caller.ended((await caller.create(text, "length")).name)
        worker.kill()
        await worker.wait()
    jobs = rows(database_url, "select status, worker_id from procrastinate_jobs")
    assert jobs == [{"status": "succeeded", "worker_id": None}] * 2
    # What PostgreSQL does to jobs of a worker that is deleted.
    with psycopg.connect(database_url) as connection:
        connection.execute("set enable_seqscan = off")
        plan = connection.execute(
            "explain update only procrastinate_jobs set worker_id = null where worker_id = 1"
        ).fetchall()
    assert any("jobs_of_workers" in line for (line,) in plan)
