"""What time may mend is tried again; what it will not mend fails at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from durable import (
    AlwaysBusy,
    Busy,
    attempts,
    durable_server,
    durable_settings,
    eventually,
    outcomes,
    rows,
)
from policies import SHORT_TEXT
from support import Slow

import absah
from absah.v1 import check_result_pb2, validation_pb2


async def test_an_overloaded_check_is_tried_again_until_it_finds_its_turn(
    tmp_path: Path, database_url: str
) -> None:
    async with durable_server(durable_settings(tmp_path, database_url), [Busy]) as caller:
        created = await caller.create("halo", "busy")
        ended = await caller.ended(created.name)
    assert ended.state == validation_pb2.STATE_SUCCEEDED
    assert [result.outcome for result in ended.check_results] == [check_result_pb2.OUTCOME_PASS]
    assert outcomes(database_url, created.name) == ["RETRIED", "RETRIED", "SUCCEEDED"]
    assert attempts(database_url, created.name)[0]["error"]["reason"] == "OVERLOADED"


async def test_after_the_last_attempt_the_result_stands_as_it_is(
    tmp_path: Path, database_url: str
) -> None:
    settings = durable_settings(tmp_path, database_url, jobs={"max_attempts": 2})
    async with durable_server(settings, [AlwaysBusy]) as caller:
        created = await caller.create("halo", "always_busy")
        ended = await caller.ended(created.name)
    assert ended.state == validation_pb2.STATE_SUCCEEDED
    assert [result.outcome for result in ended.check_results] == [check_result_pb2.OUTCOME_SKIPPED]
    assert outcomes(database_url, created.name) == ["RETRIED", "SUCCEEDED"]


async def test_a_checker_that_breaks_is_no_reason_to_try_again(
    tmp_path: Path, database_url: str
) -> None:
    async with durable_server(durable_settings(tmp_path, database_url)) as caller:
        created = await caller.create("halo", "broken")
        ended = await caller.ended(created.name)
    assert [result.outcome for result in ended.check_results] == [check_result_pb2.OUTCOME_ERROR]
    assert outcomes(database_url, created.name) == ["SUCCEEDED"]


async def test_a_document_whose_content_is_gone_fails_the_validation(
    tmp_path: Path, database_url: str
) -> None:
    waiting = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    async with durable_server(waiting) as caller:
        created = await caller.create("halo", "length")
        digest = created.record.documents[0].sha256
        (tmp_path / "data" / "blobs" / digest[:2] / digest[2:]).unlink()
        async with durable_server(durable_settings(tmp_path, database_url)):
            ended = await caller.ended(created.name)
    assert ended.state == validation_pb2.STATE_FAILED
    assert outcomes(database_url, created.name) == ["FAILED"]
    assert attempts(database_url, created.name)[0]["error"]["reason"] == "DOCUMENT_NOT_FOUND"
    (job,) = rows(database_url, "select * from procrastinate_jobs")
    assert job["status"] == "failed"


async def test_a_request_that_this_version_cannot_read_fails_and_holds_up_nobody(
    tmp_path: Path, database_url: str
) -> None:
    waiting = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    async with durable_server(waiting) as caller:
        odd = await caller.create("halo", "length")
        rows(database_url, "update validations set request = '{}' returning id")
        rows(
            database_url,
            "insert into procrastinate_jobs (queue_name, task_name, args)"
            " values ('validations', 'validate', '{\"validation_id\": 3}') returning id",
        )
        good = await caller.create("halo juga", "length")
        async with durable_server(durable_settings(tmp_path, database_url)):
            assert (await caller.ended(odd.name)).state == validation_pb2.STATE_FAILED
            assert (await caller.ended(good.name)).state == validation_pb2.STATE_SUCCEEDED


async def test_what_one_worker_does_not_know_is_left_to_another_that_does(
    tmp_path: Path, database_url: str
) -> None:
    waiting = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    older = durable_settings(tmp_path, database_url, jobs={"backoff_seconds": 600.0})
    async with durable_server(waiting) as caller:
        created = await caller.create("halo", "length")
        async with durable_server(older, [Slow]):
            await eventually(lambda: outcomes(database_url, created.name) == ["RETRIED"])
        rows(database_url, "update procrastinate_jobs set scheduled_at = null returning 1")
        async with durable_server(durable_settings(tmp_path, database_url)):
            ended = await caller.ended(created.name)
    assert ended.state == validation_pb2.STATE_SUCCEEDED
    assert outcomes(database_url, created.name) == ["RETRIED", "SUCCEEDED"]
    assert attempts(database_url, created.name)[0]["error"]["reason"] == "CHECKER_NOT_FOUND"


async def test_what_no_worker_knows_fails_for_that_reason_after_the_last_attempt(
    tmp_path: Path, database_url: str
) -> None:
    waiting = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    working = durable_settings(tmp_path, database_url, jobs={"max_attempts": 3})
    (tmp_path / "policies" / "short-text.yaml").write_text(SHORT_TEXT)
    async with durable_server(waiting) as caller:
        unread = await caller.create("halo", "length")
        rows(database_url, "update validations set request = '{}' returning id")
        unknown = await caller.create("halo juga", policy="short-text")
        (tmp_path / "policies" / "short-text.yaml").unlink()
        async with durable_server(working):
            for name in (unread.name, unknown.name):
                assert (await caller.ended(name)).state == validation_pb2.STATE_FAILED
    for name, reason in ((unread.name, "INVALID_REQUEST"), (unknown.name, "POLICY_NOT_FOUND")):
        assert outcomes(database_url, name) == ["RETRIED", "RETRIED", "FAILED"]
        reasons = {attempt["error"]["reason"] for attempt in attempts(database_url, name)}
        assert reasons == {reason}


async def test_while_the_store_of_documents_is_not_mounted_no_validation_fails(
    tmp_path: Path, database_url: str
) -> None:
    waiting = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    working = durable_settings(tmp_path, database_url, jobs={"max_attempts": 1})
    folder = tmp_path / "data" / "blobs"
    async with durable_server(waiting) as caller:
        created = await caller.create("halo", "length")
        rows(
            database_url,
            "update procrastinate_jobs set scheduled_at = now() + interval '1 hour' returning 1",
        )
        async with durable_server(working):
            folder.rename(tmp_path / "away")
            folder.mkdir()
            rows(database_url, "update procrastinate_jobs set scheduled_at = null returning 1")
            await eventually(lambda: "RETRIED" in outcomes(database_url, created.name))
            folder.rmdir()
            (tmp_path / "away").rename(folder)
            ended = await caller.ended(created.name)
    assert ended.state == validation_pb2.STATE_SUCCEEDED
    assert attempts(database_url, created.name)[0]["error"]["reason"] == "STORE_UNAVAILABLE"


async def test_a_damaged_document_is_validated_once_it_was_uploaded_again(
    tmp_path: Path, database_url: str
) -> None:
    waiting = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    working = durable_settings(tmp_path, database_url, jobs={"backoff_seconds": 0.5})
    async with durable_server(waiting) as caller:
        created = await caller.create("halo", "length")
        digest = created.record.documents[0].sha256
        (tmp_path / "data" / "blobs" / digest[:2] / digest[2:]).write_bytes(b"HALO")
        async with durable_server(working):
            await eventually(lambda: "RETRIED" in outcomes(database_url, created.name))
            with absah.Client(caller.address) as client:
                await asyncio.to_thread(client.upload, b"halo", anew=True)
            ended = await caller.ended(created.name)
    assert ended.state == validation_pb2.STATE_SUCCEEDED
    assert attempts(database_url, created.name)[0]["error"]["reason"] == "CONTENT_DAMAGED"
