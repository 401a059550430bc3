"""Operators list, show, retry, cancel and purge jobs, and the audit log names who did it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import psycopg
from click.testing import CliRunner
from durable import (
    AlwaysBusy,
    Caller,
    attempts,
    durable_server,
    durable_settings,
    eventually,
    outcomes,
    rows,
)
from support import Length, Slow

import absah
from absah.v1 import validation_pb2
from absah_ops.main import main

SUCCEEDED = validation_pb2.STATE_SUCCEEDED


async def command(caller: Caller, *arguments: str) -> Any:
    """Run `absah jobs ARGUMENTS` against a server, and give its result."""
    whole = ["jobs", *arguments, "--server", caller.address, "--as", "operator:sri"]
    return await asyncio.to_thread(CliRunner().invoke, main, whole)


async def printed(caller: Caller, *arguments: str) -> list[dict[str, Any]]:
    """What `absah jobs ARGUMENTS --json` prints."""
    result = await command(caller, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def acts(database_url: str) -> list[tuple[str, str]]:
    """Who did what of that which operators do."""
    found = rows(database_url, "select * from audit_events where actor = 'operator:sri'")
    return [(event["action"], event["subject"]) for event in found]


async def test_operators_see_jobs_and_the_attempts_at_them(
    tmp_path: Path, database_url: str
) -> None:
    async with durable_server(durable_settings(tmp_path, database_url)) as caller:
        first = await caller.create("halo", "length")
        second = await caller.create("halo lagi", "length")
        await caller.ended(first.name)
        await caller.ended(second.name)
        listed = await printed(caller, "list")
        running = await printed(caller, "list", "--state", "running")
        (shown,) = await printed(caller, "show", first.name)
        table = await command(caller, "show", listed[0]["name"])
    assert [job["validation"] for job in listed] == [second.name, first.name]
    assert {job["state"] for job in listed} == {"SUCCEEDED"}
    assert running == []
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["SUCCEEDED"]
    assert second.name in table.stdout


async def test_what_failed_is_tried_again_by_hand(tmp_path: Path, database_url: str) -> None:
    waiting = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    working = durable_settings(tmp_path, database_url, jobs={"max_attempts": 1})
    async with durable_server(waiting, [Length]) as caller:
        created = await caller.create("halo", "length")
        async with durable_server(working, [Slow]):
            failed = await caller.ended(created.name)
        (retried,) = await printed(caller, "retry", created.name)
        async with durable_server(working, [Length]):
            ended = await caller.ended(created.name)
    assert failed.state == validation_pb2.STATE_FAILED
    assert "length" in failed.error.message
    assert retried["state"] == "WAITING"
    assert ended.state == SUCCEEDED
    assert not ended.HasField("error")
    assert outcomes(database_url, created.name) == ["FAILED", "SUCCEEDED"]
    assert acts(database_url) == [("job.retried", created.name)]


async def test_what_failed_and_is_erased_is_not_tried_again(
    tmp_path: Path, database_url: str
) -> None:
    async with durable_server(durable_settings(tmp_path, database_url), [Length]) as caller:
        created = await caller.create("halo", "length")
        await caller.ended(created.name)
        # Its claims are gone by then, so that another attempt would judge without them.
        rows(
            database_url, "update validations set state = 'FAILED', erase_time = now() returning 1"
        )
        rows(database_url, "update procrastinate_jobs set status = 'failed' returning 1")
        refused = await command(caller, "retry", created.name)
        kept = await caller.get(created.name)
    assert refused.exit_code == 1
    assert "erased" in refused.stderr and "FAILED_PRECONDITION" in refused.stderr
    assert kept.state == validation_pb2.STATE_FAILED


async def test_what_failed_is_tried_again_only_with_its_documents(
    tmp_path: Path, database_url: str
) -> None:
    waiting = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    working = durable_settings(tmp_path, database_url, jobs={"max_attempts": 1})
    async with durable_server(waiting, [Length]) as caller:
        created = await caller.create("halo", "length")
        async with durable_server(working, [Slow]):
            await caller.ended(created.name)
        document = f"documents/{created.record.documents[0].sha256}"
        with absah.Client(caller.address) as client:
            await asyncio.to_thread(client.delete_document, document)
            refused = await command(caller, "retry", created.name)
            kept = await caller.get(created.name)
            await asyncio.to_thread(client.upload, b"halo")
        (retried,) = await printed(caller, "retry", created.name)
    assert refused.exit_code == 1
    assert document in refused.stderr and "FAILED_PRECONDITION" in refused.stderr
    assert kept.state == validation_pb2.STATE_FAILED
    assert retried["state"] == "WAITING"


async def test_what_waits_to_be_tried_again_is_tried_at_once_by_hand(
    tmp_path: Path, database_url: str
) -> None:
    settings = durable_settings(tmp_path, database_url, jobs={"backoff_seconds": 600.0})
    async with durable_server(settings, [AlwaysBusy]) as caller:
        created = await caller.create("halo", "always_busy")
        await caller.until(created.name, validation_pb2.STATE_PENDING)
        await eventually(lambda: outcomes(database_url, created.name) == ["RETRIED"])
        (job,) = await printed(caller, "list", "--state", "waiting")
        await printed(caller, "retry", job["name"])
        await eventually(lambda: outcomes(database_url, created.name) == ["RETRIED", "RETRIED"])
    assert job["schedule_time"]


async def test_what_has_succeeded_is_not_tried_again(tmp_path: Path, database_url: str) -> None:
    async with durable_server(durable_settings(tmp_path, database_url)) as caller:
        created = await caller.create("halo", "length")
        await caller.ended(created.name)
        refused = await command(caller, "retry", created.name)
        unknown = await command(caller, "show", "jobs/4711")
    assert refused.exit_code == 1
    assert "SUCCEEDED" in refused.stderr and "FAILED_PRECONDITION" in refused.stderr
    assert unknown.exit_code == 1
    assert "NOT_FOUND" in unknown.stderr
    assert outcomes(database_url, created.name) == ["SUCCEEDED"]


async def test_a_job_is_cancelled_with_its_validation(tmp_path: Path, database_url: str) -> None:
    settings = durable_settings(tmp_path, database_url, jobs={"workers": 1})
    async with durable_server(settings) as caller:
        running = await caller.create("60", "slow")
        await caller.until(running.name, validation_pb2.STATE_RUNNING)
        waiting = await caller.create("60", "slow")
        for name in (waiting.name, running.name):
            await printed(caller, "cancel", name)
        await eventually(lambda: attempts(database_url, running.name)[0]["outcome"] is not None)
        listed = await printed(caller, "list")
    assert {job["state"] for job in listed} == {"CANCELLED"}
    assert outcomes(database_url, running.name) == ["CANCELLED"]
    assert outcomes(database_url, waiting.name) == []
    assert acts(database_url) == [
        ("validation.cancelled", waiting.name),
        ("validation.cancelled", running.name),
    ]


async def test_purging_removes_jobs_and_keeps_validations_and_attempts(
    tmp_path: Path, database_url: str
) -> None:
    async with durable_server(durable_settings(tmp_path, database_url)) as caller:
        created = await caller.create("halo", "length")
        running = await caller.create("60", "slow")
        await caller.ended(created.name)
        await caller.until(running.name, validation_pb2.STATE_RUNNING)
        young = await printed(caller, "purge", "--older-than", "1h")
        old = await printed(caller, "purge", "--older-than", "0s")
        left = await printed(caller, "list")
        kept = await caller.get(created.name)
        await caller.cancel(running.name)
    assert (young, old) == ([{"purged_jobs": 0}], [{"purged_jobs": 1}])
    assert [job["validation"] for job in left] == [running.name]
    assert kept.state == SUCCEEDED
    assert outcomes(database_url, created.name) == ["SUCCEEDED"]
    assert acts(database_url) == [("jobs.purged", "jobs")]


async def test_a_job_that_is_being_retried_is_not_purged(tmp_path: Path, database_url: str) -> None:
    waiting = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    async with durable_server(waiting) as caller:
        await caller.create("halo", "length")
        rows(database_url, "update validations set state = 'FAILED' returning 1")
        rows(database_url, "update procrastinate_jobs set status = 'failed' returning 1")
        with psycopg.connect(database_url) as retrying:
            retrying.execute("update procrastinate_jobs set status = 'todo'")
            purging = asyncio.create_task(
                printed(caller, "purge", "--state", "failed", "--older-than", "0s")
            )
            await eventually(lambda: purging.done() or waits_for_a_lock(database_url))
        purged = await purging
        (left,) = await printed(caller, "list")
    assert purged == [{"purged_jobs": 0}]
    assert left["state"] == "WAITING"


def waits_for_a_lock(database_url: str) -> bool:
    """Whether a statement waits for another transaction."""
    return bool(
        rows(
            database_url,
            "select from pg_stat_activity"
            " where datname = current_database() and wait_event_type = 'Lock'",
        )
    )


async def test_a_tenant_does_not_see_the_jobs_of_another(tmp_path: Path, database_url: str) -> None:
    async with durable_server(durable_settings(tmp_path, database_url)) as caller:
        created = await caller.create("halo", "length")
        await caller.ended(created.name)
        (job,) = await printed(caller, "list")
        listed = await printed(caller, "list", "--tenant", "lain")
        shown = await command(caller, "show", job["name"], "--tenant", "lain")
        purged = await printed(caller, "purge", "--older-than", "0s", "--tenant", "lain")
    assert listed == []
    assert "NOT_FOUND" in shown.stderr
    assert purged == [{"purged_jobs": 0}]
