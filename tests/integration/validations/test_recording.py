"""A verdict under a policy is recorded before it is told; what is not under one is not."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
from integration.validations.asking import Rows, column
from policies import SHORT_TEXT
from support import TEXT_ONLY, make_registry, running_server

import absah
from absah.v1 import validation_pb2, validation_service_pb2, validation_service_pb2_grpc
from absah_sdk import Artifact, CheckContext, Checker, Document, Outcome, Result
from absah_server.settings import Settings


async def test_a_verdict_is_recorded_with_its_results_and_documents(
    client: absah.AsyncClient, rows: Rows
) -> None:
    made = await client.validate("short-text", report=absah.Text("halo"), request_id="r-1")
    found = await client.validation(made.name)
    assert found == made
    assert await column(rows, "select count(*) from procrastinate_jobs") == [0]
    assert await column(rows, "select state from documents") == ["READY"]
    actions = await column(rows, "select action from audit_events where subject = %s", made.name)
    assert actions == ["validation.decided"]


async def test_artifacts_are_kept_and_belong_to_the_validation(
    settings: Settings, rows: Rows, data_folder: Path
) -> None:
    policy = SHORT_TEXT.replace("length", "drawing").replace("> 20", "> 99")
    (settings.policies / "short-text.yaml").write_text(policy)
    async with (
        running_server(settings, make_registry(Drawing)) as bound,
        absah.AsyncClient(bound) as client,
    ):
        made = await client.validate("short-text", report=absah.Text("halo"))
        found = await client.validation(made.name)
    digest = hashlib.sha256(b"drawn").hexdigest()
    assert [a.sha256 for a in found.check_results[0].artifacts] == [digest]
    assert await column(
        rows, "select document from validation_documents where artifact and tenant = 'default'"
    ) == ["drawing report heatmap 1"]
    assert await column(
        rows, "select state from documents where sha256 = %s", bytes.fromhex(digest)
    ) == ["READY"]
    assert b"drawn" in [f.read_bytes() for f in (data_folder / "blobs").rglob("*") if f.is_file()]


class Drawing(Checker):
    """Draws something."""

    name = "drawing"
    version = "1.0"
    title = "Draws"
    capabilities = TEXT_ONLY

    async def check(self, document: Document, context: CheckContext) -> Result:
        artifact = Artifact(name="heatmap", media_type="image/png", content=b"drawn")
        return Result(outcome=Outcome.PASS, facts={"length": 1}, artifacts=[artifact])


async def test_a_verdict_of_review_waits_for_a_person(
    client: absah.AsyncClient, rows: Rows
) -> None:
    made = await client.validate("short-text", report=absah.Text("far too long to be accepted"))
    assert made.verdict.decision == validation_pb2.DECISION_REVIEW
    assert await column(rows, "select state from reviews") == ["WAITING"]


async def test_listed_checkers_answer_and_record_nothing(
    client: absah.AsyncClient, rows: Rows
) -> None:
    made = await client.validate(checkers=["length"], report=absah.Text("halo"))
    assert len(made.check_results) == 1
    assert await column(rows, "select count(*) from validations") == [0]
    assert await column(rows, "select count(*) from documents") == [0]


async def test_one_that_comes_again_is_answered_from_the_record(
    client: absah.AsyncClient, rows: Rows
) -> None:
    given: dict[str, Any] = {"report": absah.Text("halo"), "request_id": "r-1"}
    first = await client.validate("short-text", **given)
    assert await client.validate("short-text", **given) == first
    with pytest.raises(absah.CallFailed) as error:
        await client.validate("short-text", **(given | {"report": absah.Text("other")}))
    assert error.value.code is grpc.StatusCode.ALREADY_EXISTS
    assert await column(rows, "select count(*) from validations") == [1]


async def test_many_at_once_under_one_id_are_told_one_verdict(
    client: absah.AsyncClient, rows: Rows
) -> None:
    async def once() -> validation_pb2.Validation:
        try:
            return await client.validate("short-text", report=absah.Text("halo"), request_id="r-1")
        except absah.CallFailed as exc:
            assert exc.code is grpc.StatusCode.RESOURCE_EXHAUSTED
            await asyncio.sleep(exc.retry_after_seconds or 0.1)
            return await once()

    made = await asyncio.gather(*(once() for _ in range(20)))
    assert len({each.name for each in made}) == 1
    assert await column(rows, "select count(*) from validations") == [1]
    assert await column(rows, "select count(*) from check_results") == [1]


async def test_a_stream_records_each_of_its_verdicts(client: absah.AsyncClient, rows: Rows) -> None:
    async def messages() -> Any:
        for number in range(5):
            yield absah.request(
                "short-text", {"report": absah.Text("halo")}, request_id=f"r-{number}"
            )

    names = set()
    async for _, answer in client.validate_stream(messages()):
        assert isinstance(answer, validation_pb2.Validation)
        names.add(answer.name.removeprefix("validations/"))
    recorded = await column(rows, "select replace(id::text, '-', '') from validations")
    assert names == set(recorded)


async def test_a_document_that_was_kept_is_validated_by_its_name(
    client: absah.AsyncClient,
) -> None:
    first = await client.validate("short-text", report=absah.Text("halo"))
    message = absah.request("", {}, checkers=["length"])
    message.documents.add(role="report", name=f"documents/{first.record.documents[0].sha256}")
    made = await client.send(message)
    assert absah.to_dict(made)["check_results"][0]["facts"] == {"length": 4}


async def test_without_the_database_policies_are_refused_at_once_and_checkers_still_answer(
    client: absah.AsyncClient, address: str, rows: Rows, postgres: str
) -> None:
    await client.validate("short-text", report=absah.Text("halo"))
    database = (await column(rows, "select current_database()"))[0]
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as elsewhere:
        await elsewhere.execute(f"alter database {database} allow_connections false".encode())
        await elsewhere.execute(
            b"select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [database]
        )
        await refuse_for_now(address)
        made = await client.validate(checkers=["length"], report=absah.Text("halo"))
        assert len(made.check_results) == 1
        await elsewhere.execute(f"alter database {database} allow_connections true".encode())
    for _ in range(100):
        try:
            made = await client.validate("short-text", report=absah.Text("x"), request_id="r")
            break
        except absah.CallFailed:
            await asyncio.sleep(0.1)
    assert await client.validation(made.name) == made


async def refuse_for_now(address: str) -> None:
    """Both methods must; the client here does not try again by itself."""
    asked = absah.request("short-text", {"report": absah.Text("x")}, request_id="r")
    async with grpc.aio.insecure_channel(address, [("grpc.enable_retries", 0)]) as channel:
        stub = validation_service_pb2_grpc.ValidationServiceStub(channel)
        # The first may meet a dead connection; those after it are not even tried.
        for _ in range(2):
            for call, message in (
                (stub.Validate, asked),
                (
                    stub.CreateValidation,
                    validation_service_pb2.CreateValidationRequest(request=asked),
                ),
            ):
                with pytest.raises(grpc.aio.AioRpcError) as error:
                    await call(message)
                failed = absah.errors.from_rpc_error(error.value)
                assert failed.code is grpc.StatusCode.UNAVAILABLE
                assert failed.reason == "STORE_UNAVAILABLE"
                assert failed.retry_after_seconds
