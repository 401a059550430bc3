"""Validations are found, listed in pages and cancelled, each tenant's own alone."""

from __future__ import annotations

import datetime
from typing import Any

import grpc
import pytest
from integration.validations.asking import Rows, column

import absah
from absah.v1 import validation_pb2, validation_service_pb2, validation_service_pb2_grpc
from absah_server.core import names

LATER = datetime.timedelta(days=1)


async def create(client: absah.AsyncClient, count: int = 1) -> list[str]:
    """Names of new validations, the newest first."""
    made = [
        await client.create_validation("short-text", report=absah.Text(f"text {number}"))
        for number in range(count)
    ]
    return sorted((each.name for each in made), reverse=True)


async def listed(client: absah.AsyncClient, **wanted: Any) -> list[str]:
    return [each.name async for each in client.validations(**wanted)]


async def test_pages_hold_every_validation_once_though_others_come_in(
    client: absah.AsyncClient,
) -> None:
    there = await create(client, 7)
    seen = []
    async for each in client.validations(page_size=2):
        seen.append(each.name)
        await create(client)
    assert seen == there


async def test_a_filter_shows_what_it_asks_for(client: absah.AsyncClient) -> None:
    await client.validate("short-text", report=absah.Text("halo"), request_id="r-1")
    await client.validate("short-text", report=absah.Text("far too long to be accepted"))
    await client.create_validation("short-text", report=absah.Text("halo"))
    await client.create_validation(checkers=["length"], report=absah.Text("halo"))
    now = datetime.datetime.now(datetime.UTC)
    counts: list[tuple[dict[str, Any], int]] = [
        ({}, 4),
        ({"state": "PENDING"}, 2),
        ({"state": "SUCCEEDED"}, 2),
        ({"decision": "ACCEPT"}, 1),
        ({"decision": "REVIEW"}, 1),
        ({"decision": "REJECT"}, 0),
        ({"decision": "ACCEPT", "state": "PENDING"}, 0),
        ({"policy": "short-text"}, 3),
        ({"policy": "short-text@1", "state": "SUCCEEDED"}, 2),
        ({"policy": "short-text@2"}, 0),
        ({"policy": "short"}, 0),
        ({"request_id": "r-1"}, 1),
        ({"request_id": "r-1", "policy": "other"}, 0),
        ({"start_time": now - LATER}, 4),
        ({"start_time": now + LATER}, 0),
        ({"end_time": now - LATER}, 0),
    ]
    shown = [(wanted, len(await listed(client, **wanted))) for wanted, _ in counts]
    assert shown == counts


async def test_times_of_a_filter_are_exact_to_the_millisecond(client: absah.AsyncClient) -> None:
    made = await client.create_validation("short-text", report=absah.Text("halo"))
    at = made.create_time.ToDatetime(tzinfo=datetime.UTC)
    after = at + datetime.timedelta(milliseconds=1)
    assert await listed(client, start_time=at) == [made.name]
    assert await listed(client, start_time=after) == []
    assert await listed(client, end_time=at) == []
    assert await listed(client, end_time=after) == [made.name]


async def test_a_page_token_of_another_filter_or_tenant_is_refused(
    address: str, client: absah.AsyncClient
) -> None:
    await create(client, 2)
    async with grpc.aio.insecure_channel(address) as channel:
        stub = validation_service_pb2_grpc.ValidationServiceStub(channel)
        message = validation_service_pb2.ListValidationsRequest(page_size=1)
        token = (await stub.ListValidations(message)).next_page_token
        for asked, metadata in (
            ({"filter": {"state": validation_pb2.STATE_PENDING}, "page_token": token}, ()),
            ({"page_token": token}, (("absah-tenant", "elsewhere"),)),
            ({"page_token": token[:-2]}, ()),
            ({"page_token": "é"}, ()),
            ({"page_token": "AAAA"}, ()),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await stub.ListValidations(
                    validation_service_pb2.ListValidationsRequest(**asked), metadata=metadata
                )
            failed = absah.errors.from_rpc_error(error.value)
            assert failed.code is grpc.StatusCode.INVALID_ARGUMENT
            assert [field for field, _ in failed.fields] == ["page_token"]


async def test_a_negative_page_size_or_an_unknown_state_is_refused(address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        stub = validation_service_pb2_grpc.ValidationServiceStub(channel)
        for asked, field in (
            ({"page_size": -1}, "page_size"),
            ({"filter": {"state": 77}}, "filter.state"),
            ({"filter": {"start_time": {"seconds": 2**62}}}, "filter.start_time"),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await stub.ListValidations(
                    validation_service_pb2.ListValidationsRequest(**asked)  # type: ignore[arg-type]
                )
            failed = absah.errors.from_rpc_error(error.value)
            assert [name for name, _ in failed.fields] == [field]


async def test_tenants_see_nothing_of_each_other(address: str, client: absah.AsyncClient) -> None:
    made = (await create(client))[0]
    async with absah.AsyncClient(address, tenant="elsewhere") as other:
        assert await listed(other) == []
        for call in (other.validation, other.cancel_validation):
            with pytest.raises(absah.CallFailed) as error:
                await call(made)
            assert error.value.reason == "VALIDATION_NOT_FOUND"
    assert (await client.validation(made)).state == validation_pb2.STATE_PENDING


async def test_what_is_no_name_of_a_validation_is_not_found(client: absah.AsyncClient) -> None:
    for name in ("", "validations/", "validations/xyz", f"documents/{names.new_id().hex}"):
        with pytest.raises(absah.CallFailed) as error:
            await client.validation(name)
        assert error.value.code is grpc.StatusCode.NOT_FOUND


async def test_results_of_a_running_validation_are_shown_as_far_as_they_go(
    client: absah.AsyncClient, rows: Rows
) -> None:
    made = (await create(client))[0]
    ended = await client.validate("short-text", report=absah.Text("halo"))
    await rows.execute(b"update validations set state = 'RUNNING' where state = 'PENDING'")
    await rows.execute(
        b"update check_results set position = 3, validation_id = "
        b"(select id from validations where state = 'RUNNING')"
    )
    shown = await client.validation(made)
    assert shown.state == validation_pb2.STATE_RUNNING
    assert list(shown.check_results) == list(ended.check_results)
    assert not shown.HasField("verdict")


async def test_cancelling_one_that_waits_cancels_its_job(
    client: absah.AsyncClient, rows: Rows
) -> None:
    made = (await create(client))[0]
    cancelled = await client.cancel_validation(made)
    assert cancelled.state == validation_pb2.STATE_CANCELLED
    assert absah.errors.from_status(cancelled.error).reason == "CANCELLED"
    assert await client.cancel_validation(made) == cancelled
    assert await client.validation(made) == cancelled
    assert await column(rows, "select status::text from procrastinate_jobs") == ["cancelled"]
    events = await column(rows, "select actor from audit_events where action like %s", "%cancelled")
    assert events == ["ministry"]


async def test_one_that_ended_cannot_be_cancelled(client: absah.AsyncClient) -> None:
    made = await client.validate("short-text", report=absah.Text("halo"))
    with pytest.raises(absah.CallFailed) as error:
        await client.cancel_validation(made.name)
    assert error.value.code is grpc.StatusCode.FAILED_PRECONDITION
    assert error.value.reason == "WRONG_STATE"
    assert await client.validation(made.name) == made


async def test_cancelling_one_that_runs_is_told_to_its_worker(
    client: absah.AsyncClient, rows: Rows
) -> None:
    made = (await create(client))[0]
    await rows.execute(b"update validations set state = 'RUNNING', attempt = 1")
    await rows.execute(b"listen absah_validations")
    assert (await client.cancel_validation(made)).state == validation_pb2.STATE_CANCELLED
    async for told in rows.notifies(timeout=5, stop_after=1):
        assert told.payload == made.removeprefix("validations/")
        return
    pytest.fail("nothing was told")
