"""A real server answers over gRPC, whatever is sent to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from support import (
    Brightness,
    Broken,
    Doubled,
    Length,
    Slow,
    SlowThread,
    Unreadable,
    make_picture,
    make_registry,
    make_settings,
    running_server,
)

import absah
from absah.v1 import validation_pb2, validation_service_pb2

POLICY = """\
policy: short-text
version: 1
title: {id: Teks, en: Text}
documents:
  report: {title: {id: Laporan, en: Report}, count: [1, 3], media_types: [text/plain]}
claims: {}
checks:
  length: {documents: [report]}
  slow: {documents: [report], after: [length], when: "checks.length[0].facts.length < 5"}
rules:
  - rule: missing
    each: result
    when: result.outcome == "SKIPPED" && result.error == "NO_TIME_LEFT"
    decision: REVIEW
    message: {id: "tidak sempat", en: "there was no time for {result.checker}"}
accepted: {id: Baik, en: Fine}
"""


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    settings = make_settings(tmp_path, max_running=2, max_waiting=2)
    (settings.policies / "short-text.yaml").write_text(POLICY)
    kinds = (Brightness, Broken, Doubled, Length, Slow, SlowThread, Unreadable)
    async with running_server(settings, kinds) as bound:
        yield bound


@pytest.fixture
async def client(address: str) -> AsyncIterator[absah.AsyncClient]:
    async with absah.AsyncClient(address) as opened:
        yield opened


async def refused(client: absah.AsyncClient, **given: object) -> absah.CallFailed:
    with pytest.raises(absah.CallFailed) as error:
        await client.validate(**given)  # type: ignore[arg-type]
    return error.value


async def test_listed_checkers_answer_without_a_verdict(client: absah.AsyncClient) -> None:
    made = await client.validate(checkers=["doubled"], report=absah.Text("halo"))
    plain = absah.to_dict(made)
    assert [r["checker"] for r in plain["check_results"]] == ["length", "doubled"]
    assert plain["check_results"][1]["facts"] == {"doubled": 8.0}
    assert plain["check_results"][0]["outcome"] == "PASS"
    assert not made.HasField("verdict")


async def test_a_policy_gives_a_verdict_and_a_record(client: absah.AsyncClient) -> None:
    made = await client.validate("short-text", report=absah.Text("long enough"), request_id="r-1")
    assert made.verdict.decision == validation_pb2.DECISION_ACCEPT
    assert made.request_id == "r-1"
    assert made.name.startswith("validations/")
    assert made.record.policy == "short-text@1"
    assert len(made.record.policy_sha256) == 64
    assert made.record.documents[0].media_type == "text/plain"
    assert {c.checker for c in made.record.checkers} == {"length", "slow"}


async def test_a_condition_of_the_policy_skips_a_check_and_says_so(
    client: absah.AsyncClient,
) -> None:
    made = await client.validate("short-text", report=absah.Text("long enough"))
    slow = absah.to_dict(made)["check_results"][1]
    assert slow["outcome"] == "SKIPPED"
    assert "condition" in slow["error"]["message"]


async def test_pixels_are_decoded_for_checkers_that_look_at_them(
    client: absah.AsyncClient,
) -> None:
    made = await client.validate(checkers=["brightness"], photo=make_picture())
    assert 100 < absah.to_dict(made)["check_results"][0]["facts"]["mean"] < 155


async def test_a_truncated_picture_is_inconclusive(client: absah.AsyncClient) -> None:
    made = await client.validate(checkers=["brightness"], photo=make_picture(form="JPEG")[:900])
    result = absah.to_dict(made)["check_results"][0]
    assert result["outcome"] == "INCONCLUSIVE"
    assert result["findings"][0]["code"] == "unreadable"


async def test_what_a_checker_finds_unreadable_is_inconclusive(client: absah.AsyncClient) -> None:
    made = await client.validate(checkers=["unreadable"], report=absah.Text("x"))
    result = absah.to_dict(made)["check_results"][0]
    assert result["outcome"] == "INCONCLUSIVE"
    assert result["findings"][0]["message"] == "The ink has run; send it again."


async def test_a_broken_checker_is_an_error_that_harms_no_other_and_tells_no_secret(
    client: absah.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    made = await client.validate(checkers=["broken", "length"], report=absah.Text("secret"))
    plain = {r["checker"]: r for r in absah.to_dict(made)["check_results"]}
    assert plain["broken"]["outcome"] == "ERROR"
    assert plain["length"]["outcome"] == "PASS"
    assert "secret" not in str(plain["broken"])


async def test_an_unknown_policy_is_not_found(client: absah.AsyncClient) -> None:
    error = await refused(client, policy="nothing", report=absah.Text("x"))
    assert error.code is grpc.StatusCode.NOT_FOUND
    assert error.reason == "POLICY_NOT_FOUND"


async def test_an_unknown_checker_is_not_found(client: absah.AsyncClient) -> None:
    error = await refused(client, checkers=["nothing"], report=absah.Text("x"))
    assert error.reason == "CHECKER_NOT_FOUND"


async def test_unexpected_documents_and_claims_name_their_fields(
    client: absah.AsyncClient,
) -> None:
    error = await refused(client, policy="short-text", selfie=absah.Text("x"))
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert error.reason == "UNEXPECTED_DOCUMENTS"
    assert [field for field, _ in error.fields] == ["documents[0].role", "documents"]
    error = await refused(
        client, policy="short-text", report=absah.Text("x"), claims={"colour": "red"}
    )
    assert error.reason == "UNEXPECTED_CLAIMS"


async def test_a_document_that_no_listed_checker_takes_is_refused(
    client: absah.AsyncClient,
) -> None:
    error = await refused(client, checkers=["length"], photo=make_picture())
    assert error.reason == "UNEXPECTED_DOCUMENTS"
    assert "image/png" in error.fields[0][1]


async def test_claims_that_json_cannot_hold_are_refused(client: absah.AsyncClient) -> None:
    error = await refused(
        client, policy="short-text", report=absah.Text("x"), claims={"n": float("nan")}
    )
    assert error.reason == "INVALID_REQUEST"


async def test_a_full_queue_refuses_at_once_with_a_time_to_come_back(
    client: absah.AsyncClient,
) -> None:
    busy = [
        asyncio.create_task(client.validate(checkers=["slow"], report=absah.Text("0.5")))
        for _ in range(4)
    ]
    await asyncio.sleep(0.2)
    error = await refused(client, checkers=["length"], report=absah.Text("x"))
    assert error.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.reason == "OVERLOADED"
    assert error.retry_after_seconds is not None and error.retry_after_seconds > 0
    await asyncio.gather(*busy)


async def test_when_time_runs_short_the_verdict_names_what_was_skipped(
    client: absah.AsyncClient,
) -> None:
    made = await client.validate("short-text", report=absah.Text("30"), timeout_seconds=0.8)
    assert made.verdict.decision == validation_pb2.DECISION_REVIEW
    assert made.verdict.reasons[0].message.en == "there was no time for slow"
    assert absah.to_dict(made)["check_results"][1]["outcome"] == "SKIPPED"


async def test_a_sync_check_that_waits_too_long_is_skipped_too(client: absah.AsyncClient) -> None:
    made = await client.validate(
        checkers=["slow_thread"], report=absah.Text("30"), timeout_seconds=0.8
    )
    assert absah.to_dict(made)["check_results"][0]["outcome"] == "SKIPPED"


async def test_a_stream_answers_each_request_as_it_ends(client: absah.AsyncClient) -> None:
    async def requests() -> AsyncIterator[validation_service_pb2.ValidateRequest]:
        for number, seconds in enumerate(("0.4", "0")):
            yield absah.request(
                "", {"report": absah.Text(seconds)}, checkers=["slow"], request_id=f"r-{number}"
            )
        yield absah.request("nothing", {"report": absah.Text("x")}, request_id="r-2")
        yield absah.request("", {"report": absah.Text("x")}, checkers=["length"], request_id="r-2")
        for number in range(3, 20):
            yield absah.request(
                "", {"report": absah.Text("0")}, checkers=["length"], request_id=f"r-{number}"
            )

    answers = [pair async for pair in client.validate_stream(requests(), timeout_seconds=30)]
    ids = [request_id for request_id, _ in answers]
    assert sorted(ids) == sorted([f"r-{n}" for n in range(20)] + ["r-2"])
    assert ids.index("r-1") < ids.index("r-0")
    errors = [answer for _, answer in answers if isinstance(answer, absah.CallFailed)]
    assert sorted(error.reason for error in errors) == ["INVALID_REQUEST", "POLICY_NOT_FOUND"]


async def test_lists_come_in_pages(address: str) -> None:
    from absah.v1 import checker_service_pb2 as pb2
    from absah.v1 import checker_service_pb2_grpc

    async with grpc.aio.insecure_channel(address) as channel:
        stub = checker_service_pb2_grpc.CheckerServiceStub(channel)
        names, token = [], ""
        while True:
            page = await stub.ListCheckers(pb2.ListCheckersRequest(page_size=3, page_token=token))
            names += [checker.name for checker in page.checkers]
            token = page.next_page_token
            if not token:
                break
        assert len(names) == 7 and names == sorted(names)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stub.ListCheckers(pb2.ListCheckersRequest(page_token="bm9uc2Vuc2U="))
        assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_health_is_told_for_the_server_and_each_service(address: str) -> None:
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    async with grpc.aio.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", "absah.v1.ValidationService", "absah.v1.PolicyService"):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_client_that_cancels_frees_its_work(tmp_path: Path) -> None:
    registry = make_registry(Slow)
    slow = registry.checker("slow")
    assert isinstance(slow, Slow)
    async with (
        running_server(make_settings(tmp_path, max_running=1), registry) as address,
        absah.AsyncClient(address) as client,
    ):
        call = asyncio.create_task(client.validate(checkers=["slow"], report=absah.Text("60")))
        await slow.started.wait()
        call.cancel()
        made = await client.validate(checkers=["slow"], report=absah.Text("0"), timeout_seconds=10)
        assert absah.to_dict(made)["check_results"][0]["outcome"] == "PASS"
        assert (slow.running, slow.cancelled) == (0, 1)


async def test_a_client_that_runs_out_of_time_in_the_queue_frees_its_place(
    tmp_path: Path,
) -> None:
    settings = make_settings(tmp_path, max_running=1, max_waiting=1)
    async with running_server(settings, (Slow,)) as address, absah.AsyncClient(address) as client:
        running = asyncio.create_task(client.validate(checkers=["slow"], report=absah.Text("1")))
        await asyncio.sleep(0.2)
        with pytest.raises(absah.CallFailed) as error:
            await client.validate(checkers=["slow"], report=absah.Text("0"), timeout_seconds=0.2)
        assert error.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
        await client.validate(checkers=["slow"], report=absah.Text("0"), timeout_seconds=10)
        await running
