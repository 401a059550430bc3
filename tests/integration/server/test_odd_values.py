"""Values of the right type that no store holds are refused for a reason, and log no error."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf import descriptor_pool, duration_pb2, message_factory, timestamp_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from support import Length, make_settings, running_server

import absah
from absah.admin.v1 import admin_service_pb2 as admin
from absah.errors import from_rpc_error
from absah.v1 import document_service_pb2 as documents
from absah_server.rpc import keysets

SERVICES = (
    *("absah.v1.ValidationService", "absah.v1.DocumentService", "absah.v1.ReviewService"),
    *("absah.v1.PolicyService", "absah.v1.CheckerService", "absah.admin.v1.AdminService"),
)
IDLE_SECONDS = 0.5


@pytest.fixture
async def channel(tmp_path: Path, database_url: str) -> AsyncIterator[grpc.aio.Channel]:
    settings = make_settings(
        tmp_path,
        store={"kind": "postgres"},
        database_url=database_url,
        data=tmp_path / "data",
        blobs={"idle_seconds": IDLE_SECONDS},
    )
    async with (
        running_server(settings, (Length,)) as address,
        grpc.aio.insecure_channel(address) as opened,
    ):
        yield opened


@pytest.fixture(autouse=True)
def logs_no_error(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def methods(prefix: str = "") -> list[MethodDescriptor]:
    """All methods whose names begin so."""
    found = [descriptor_pool.Default().FindServiceByName(name) for name in SERVICES]
    return [m for service in found for m in service.methods if m.name.startswith(prefix)]


def path(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


async def ask(
    channel: grpc.aio.Channel,
    method: MethodDescriptor,
    message: Message,
    metadata: tuple[tuple[str, str], ...] = (),
) -> absah.CallFailed | None:
    """How a call failed, None if it did not."""

    async def one() -> AsyncIterator[bytes]:
        yield message.SerializeToString()

    try:
        async for _ in channel.stream_stream(path(method))(one(), timeout=10, metadata=metadata):
            pass
    except grpc.aio.AioRpcError as exc:
        return from_rpc_error(exc)
    return None


async def refusal(
    channel: grpc.aio.Channel, method: MethodDescriptor, message: Message
) -> tuple[str, str]:
    """The reason and the field at fault; fails unless it is the request's."""
    failed = await ask(channel, method, message)
    assert failed is not None
    assert failed.code is grpc.StatusCode.INVALID_ARGUMENT, failed
    return failed.reason, failed.fields[0][0]


async def test_a_filter_with_a_zero_in_it_is_refused_by_every_list(
    channel: grpc.aio.Channel,
) -> None:
    asked = 0
    for method in methods("List"):
        request = message_factory.GetMessageClass(method.input_type)
        holders = [request] + [
            message_factory.GetMessageClass(field.message_type)
            for field in method.input_type.fields
            if field.name == "filter"
        ]
        for holder in holders:
            for field in holder.DESCRIPTOR.fields:
                if field.type == field.TYPE_STRING:
                    odd = holder(**{field.name: "a\0b"})
                    message = odd if holder is request else request(filter=odd)
                    reason, at = await refusal(channel, method, message)
                    assert (reason, at.removeprefix("filter.")) == ("INVALID_REQUEST", field.name)
                    asked += 1
    assert asked > 15


@pytest.mark.parametrize("last", ["", "-1", "abc", "1.5", "9" * 19, "9" * 5000, "f" * 32, "1.x"])
async def test_a_page_token_with_a_last_item_of_nobodys_is_refused(
    channel: grpc.aio.Channel, last: str
) -> None:
    with_pages = ("ListJobs", "ListDeadLetterGroups", "ListDeadLetters")
    for method in methods("List"):
        request = message_factory.GetMessageClass(method.input_type)
        if method.name in with_pages:
            token = first_token(method, last)
            assert await refusal(channel, method, request(page_token=token)) == (
                "INVALID_REQUEST",
                "page_token",
            )
        for token in ("§", "a", base64.b64encode(b"ListNothing:x").decode(), "=" * 9):
            assert await refusal(channel, method, request(page_token=token)) == (
                "INVALID_REQUEST",
                "page_token",
            )


def first_token(method: MethodDescriptor, last: str) -> str:
    """A token as the method makes it for its whole list, but for the last item."""
    query = ["default", "" if method.name == "ListDeadLetterGroups" else {}]
    return keysets.token(method.name, query, last)


async def test_times_and_spans_of_no_calendar_are_refused(channel: grpc.aio.Channel) -> None:
    (purge,), (record,) = methods("PurgeJobs"), methods("RecordMessageAttempts")
    for seconds in (-1, 2**62, -(2**62), 10**11):
        span = duration_pb2.Duration(seconds=seconds)
        told = await refusal(channel, purge, admin.PurgeJobsRequest(older_than=span))
        assert told == ("INVALID_REQUEST", "older_than")
    for seconds in (2**62, -(2**62), 10**12):
        time = timestamp_pb2.Timestamp(seconds=seconds)
        noted = admin.MessageAttempt(
            note_id="n", system="s", message_key="m", attempt=1, outcome=2, event_time=time
        )
        message = admin.RecordMessageAttemptsRequest(attempts=[noted])
        assert await refusal(channel, record, message) == (
            "INVALID_REQUEST",
            "attempts[0].event_time",
        )


async def test_a_model_whose_name_no_file_has_is_not_found(channel: grpc.aio.Channel) -> None:
    for name in ("load", "x" * 300, "../../etc", "a\0b", "/", "é" * 200):
        for method in (*methods("LoadModel"), *methods("SetRollout")):
            request = message_factory.GetMessageClass(method.input_type)
            failed = await ask(channel, method, request(name=f"models/{name}"))
            assert failed is not None
            assert failed.reason == "MODEL_NOT_FOUND", name


async def test_a_tenant_or_client_that_is_said_twice_is_refused(channel: grpc.aio.Channel) -> None:
    (listing,) = methods("ListValidations")
    request = message_factory.GetMessageClass(listing.input_type)()
    for key in ("absah-tenant", "absah-client"):
        failed = await ask(channel, listing, request, ((key, "a"), (key, "b")))
        assert failed is not None
        assert (failed.reason, failed.fields[0][0]) == ("INVALID_REQUEST", key)


async def test_an_upload_that_never_begins_is_ended(channel: grpc.aio.Channel) -> None:
    silence = asyncio.Event()

    async def nothing() -> AsyncIterator[documents.UploadDocumentRequest]:
        await silence.wait()
        yield documents.UploadDocumentRequest()

    (upload,) = methods("UploadDocument")
    call = channel.stream_unary(path(upload), documents.UploadDocumentRequest.SerializeToString)(
        nothing(), timeout=30
    )
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await call
    silence.set()
    assert from_rpc_error(ended.value).reason == "DEADLINE_EXCEEDED"
    assert "nothing came" in (ended.value.details() or "")
