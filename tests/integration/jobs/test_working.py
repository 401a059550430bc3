"""What is accepted is worked at, by workers in the server and beside it."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from pathlib import Path

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

from absah.v1 import validation_pb2

RUNNING = validation_pb2.STATE_RUNNING


def same_outcomes(database_url: str, name: str, expected: list[str | None]) -> bool:
    return outcomes(database_url, name) == expected


async def test_what_is_created_is_validated_by_the_servers_own_workers(
    tmp_path: Path, database_url: str
) -> None:
    async with durable_server(durable_settings(tmp_path, database_url)) as caller:
        created = await caller.create("halo", "length")
        ended = await caller.ended(created.name)
    assert ended.state == validation_pb2.STATE_SUCCEEDED
    assert [result.checker for result in ended.check_results] == ["length"]
    assert ended.create_time == created.create_time
    assert outcomes(database_url, created.name) == ["SUCCEEDED"]
    assert [row["status"] for row in rows(database_url, "select * from procrastinate_jobs")] == [
        "succeeded"
    ]


async def test_a_worker_process_takes_what_a_server_without_workers_accepts(
    tmp_path: Path, database_url: str
) -> None:
    settings = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    working = durable_settings(tmp_path, database_url)
    async with durable_server(settings) as caller:
        created = await caller.create("halo", "length")
        async with worker_process(working):
            ended = await caller.ended(created.name)
    assert ended.state == validation_pb2.STATE_SUCCEEDED


async def test_another_worker_finishes_what_a_killed_one_began(
    tmp_path: Path, database_url: str
) -> None:
    settings = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    working = durable_settings(tmp_path, database_url, jobs={"stalled_after_seconds": STALLED_SOON})
    async with durable_server(settings) as caller:
        created = await caller.create("1.5", "slow")
        async with worker_process(working) as killed:
            await caller.until(created.name, RUNNING)
            killed.kill()
            await killed.wait()
        async with worker_process(working):
            ended = await caller.ended(created.name)
    assert ended.state == validation_pb2.STATE_SUCCEEDED
    assert outcomes(database_url, created.name) == ["LOST", "SUCCEEDED"]
    assert len({attempt["worker"] for attempt in attempts(database_url, created.name)}) == 2
    decided = rows(database_url, "select * from audit_events where action like 'validation.%%'")
    assert [event["action"] for event in decided] == ["validation.accepted", "validation.ended"]


async def test_a_validation_that_kills_its_workers_fails_in_the_end(
    tmp_path: Path, database_url: str
) -> None:
    settings = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    working = durable_settings(
        tmp_path, database_url, jobs={"max_attempts": 2, "stalled_after_seconds": STALLED_SOON}
    )
    async with durable_server(settings) as caller:
        created = await caller.create("60", "slow")
        for begun in ([None], ["LOST", None]):
            async with worker_process(working) as killed:
                await eventually(partial(same_outcomes, database_url, created.name, begun))
                killed.kill()
                await killed.wait()
        async with worker_process(working):
            ended = await caller.ended(created.name)
    assert ended.state == validation_pb2.STATE_FAILED
    assert outcomes(database_url, created.name) == ["LOST", "LOST", "FAILED"]


async def test_what_a_stopping_worker_cannot_end_goes_to_another_and_does_not_count(
    tmp_path: Path, database_url: str
) -> None:
    settings = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    working = durable_settings(
        tmp_path, database_url, jobs={"max_attempts": 1, "stalled_after_seconds": 600}
    ).model_copy(update={"drain_seconds": 0.1})
    async with durable_server(settings) as caller:
        created = await caller.create("1.5", "slow")
        async with worker_process(working):
            await caller.until(created.name, RUNNING)
        assert (await caller.get(created.name)).state == validation_pb2.STATE_PENDING
        async with worker_process(working.model_copy(update={"drain_seconds": 30.0})):
            ended = await caller.ended(created.name)
    assert ended.state == validation_pb2.STATE_SUCCEEDED
    assert outcomes(database_url, created.name) == ["CANCELLED", "SUCCEEDED"]


async def test_a_stopping_worker_lets_what_runs_end(tmp_path: Path, database_url: str) -> None:
    settings = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    async with durable_server(settings) as caller:
        created = await caller.create("1", "slow")
        async with worker_process(durable_settings(tmp_path, database_url)):
            await caller.until(created.name, RUNNING)
        assert (await caller.get(created.name)).state == validation_pb2.STATE_SUCCEEDED


async def test_each_validation_ends_once_while_workers_are_killed(
    tmp_path: Path, database_url: str
) -> None:
    waiting = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    jobs = {"workers": 4, "max_attempts": 50, "stalled_after_seconds": STALLED_SOON}
    working = durable_settings(tmp_path, database_url, jobs=jobs)
    chance = random.Random(7)
    async with durable_server(waiting) as caller:
        texts = [f"{chance.uniform(0.01, 0.3):.3f}" for _ in range(40)]
        created = {(await caller.create(text, "slow", "length")).name for text in texts}
        for _ in range(3):
            async with worker_process(working) as killed:
                await asyncio.sleep(chance.uniform(0.1, 0.6))
                killed.kill()
                await killed.wait()
        async with worker_process(working):
            for name in created:
                assert (await caller.ended(name)).state == validation_pb2.STATE_SUCCEEDED
    ended = rows(database_url, "select subject from audit_events where action = 'validation.ended'")
    assert sorted(event["subject"] for event in ended) == sorted(created)
    for name in created:
        *earlier, last = outcomes(database_url, name)
        assert (set(earlier), last) in (({"LOST"}, "SUCCEEDED"), (set(), "SUCCEEDED"))
    assert len(rows(database_url, "select * from check_results")) == 2 * len(created)
    jobs = rows(database_url, "select status from procrastinate_jobs")
    assert {job["status"] for job in jobs} == {"succeeded"}
