"""Uploads arrive whole or can be gone on with; what is wrong is refused by its documented code."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
from support import Length, make_picture, make_settings, running_server

import absah
from absah.v1 import document_service_pb2 as pb2
from absah_server.rpc import reading

from .conftest import CHUNK, Asking, digest_of, files, messages, name_of, refusal

INVALID = grpc.StatusCode.INVALID_ARGUMENT
CONTENT = bytes(range(256)) * 4096  # 1 MiB: four chunks
LARGE = CONTENT * 24
"""More than a connection takes before somebody reads."""


def partials(data_folder: Path) -> list[Path]:
    return list((data_folder / "blobs" / "uploads").glob("*/*"))


async def break_off(asking: Asking, content: bytes, *, at: int) -> None:
    """Send the first `at` bytes, see that they arrived, and vanish."""
    arrived = asyncio.Event()

    async def sent() -> Any:
        for message in messages(content, until=at):
            yield message
        arrived.set()
        await asyncio.Event().wait()

    channel = grpc.aio.insecure_channel(asking.address)
    call = channel.stream_unary(
        "/absah.v1.DocumentService/UploadDocument",
        request_serializer=pb2.UploadDocumentRequest.SerializeToString,
        response_deserializer=pb2.UploadDocumentResponse.FromString,
    )(sent(), metadata=asking.metadata)
    await arrived.wait()
    await asyncio.sleep(0.1)
    call.cancel()
    await channel.close()
    async with asyncio.timeout(10):
        while (await asking.get(name_of(content))).received_bytes < at:
            await asyncio.sleep(0.02)


async def test_an_upload_is_ready_with_its_media_type(asking: Asking) -> None:
    picture = make_picture(400, 300)
    document = await asking.upload(messages(picture))
    assert document.name == name_of(picture)
    assert document.state == pb2.DOCUMENT_STATE_READY
    assert document.size_bytes == document.received_bytes == len(picture)
    assert document.media_type == "image/png"
    assert document.HasField("expire_time")
    assert await asking.get(document.name) == document
    assert await asking.download(document.name) == picture


async def test_an_upload_that_broke_off_goes_on_where_it_ended(
    asking: Asking, data_folder: Path
) -> None:
    await break_off(asking, CONTENT, at=2 * CHUNK + 5)
    found = await asking.get(name_of(CONTENT))
    assert found.state == pb2.DOCUMENT_STATE_UPLOADING
    assert found.size_bytes == len(CONTENT)
    assert found.received_bytes == 2 * CHUNK + 5
    await asking.upload(messages(CONTENT, offset=found.received_bytes))
    assert await asking.download(name_of(CONTENT)) == CONTENT
    assert partials(data_folder) == []


async def test_a_gap_is_refused_and_told_where_to_go_on(asking: Asking) -> None:
    await break_off(asking, CONTENT, at=CHUNK)
    failed = await refusal(asking.upload(messages(CONTENT, offset=2 * CHUNK)))
    assert (failed.code, failed.reason) == (INVALID, "UPLOAD_GAP")
    assert failed.fields[0][0] == "header.offset_bytes"
    assert str(CHUNK) in failed.fields[0][1]


async def test_an_overlap_is_refused_and_told_where_to_go_on(asking: Asking) -> None:
    await break_off(asking, CONTENT, at=2 * CHUNK)
    failed = await refusal(asking.upload(messages(CONTENT, offset=CHUNK)))
    assert (failed.code, failed.reason) == (INVALID, "UPLOAD_GAP")
    assert str(2 * CHUNK) in failed.fields[0][1]
    assert (await asking.get(name_of(CONTENT))).received_bytes == 2 * CHUNK


async def test_a_gap_at_the_beginning_is_told_to_begin(asking: Asking) -> None:
    failed = await refusal(asking.upload(messages(CONTENT, offset=CHUNK)))
    assert (failed.code, failed.reason) == (INVALID, "UPLOAD_GAP")
    assert "must be 0," in failed.fields[0][1]


async def test_beginning_anew_is_always_possible(asking: Asking, data_folder: Path) -> None:
    await break_off(asking, CONTENT, at=CHUNK)
    await asking.upload(messages(CONTENT))
    assert await asking.download(name_of(CONTENT)) == CONTENT
    assert partials(data_folder) == []


async def test_a_stream_that_ends_early_can_be_gone_on_with(asking: Asking) -> None:
    failed = await refusal(asking.upload(messages(CONTENT, until=CHUNK)))
    assert (failed.code, failed.reason) == (INVALID, "UPLOAD_GAP")
    assert (await asking.get(name_of(CONTENT))).received_bytes == CHUNK
    await asking.upload(messages(CONTENT, offset=CHUNK))
    assert await asking.download(name_of(CONTENT)) == CONTENT


async def test_a_wrong_digest_leaves_nothing(asking: Asking, data_folder: Path) -> None:
    wrong = digest_of(b"something else")
    failed = await refusal(asking.upload(messages(CONTENT, digest=wrong)))
    assert (failed.code, failed.reason) == (INVALID, "CONTENT_MISMATCH")
    assert failed.fields[0][0] == "header.sha256"
    assert (await asking.get(f"documents/{wrong}")).received_bytes == 0
    assert partials(data_folder) == files(data_folder) == []


async def test_more_bytes_than_announced_leave_nothing(asking: Asking, data_folder: Path) -> None:
    failed = await refusal(asking.upload(messages(CONTENT, size=CHUNK + 1)))
    assert (failed.code, failed.reason) == (INVALID, "CONTENT_MISMATCH")
    assert failed.fields[0][0] == "header.size_bytes"
    assert partials(data_folder) == files(data_folder) == []


async def test_a_document_too_large_is_refused_before_it_is_sent(asking: Asking) -> None:
    failed = await refusal(asking.upload(messages(b"", size=33 * 2**20, digest="0" * 64)))
    assert failed.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (failed.reason, failed.subject) == ("LIMIT_EXCEEDED", "limits.max_document_bytes")


async def test_malformed_headers_are_refused_by_their_fields(asking: Asking) -> None:
    for parts, field in (
        (messages(b"halo", digest="A" * 64), "header.sha256"),
        (messages(b"halo", digest=""), "header.sha256"),
        (messages(b"halo", size=0), "header.size_bytes"),
        (messages(b"halo", size=-1), "header.size_bytes"),
        (messages(b"halo", offset=-1), "header.offset_bytes"),
        (messages(b"halo", offset=5), "header.offset_bytes"),
        (iter([pb2.UploadDocumentRequest(chunk=b"halo")]), "header"),
        (iter([pb2.UploadDocumentRequest()]), "header"),
        (iter([]), "header"),
        (iter([*messages(b"halo"), *messages(b"halo")]), "chunk"),
        (iter([next(messages(b"halo")), pb2.UploadDocumentRequest(chunk=b"")]), "chunk"),
    ):
        failed = await refusal(asking.upload(parts))
        assert (failed.code, failed.reason) == (INVALID, "INVALID_REQUEST"), field
        assert field in dict(failed.fields)


async def test_a_chunk_too_large_is_refused(asking: Asking) -> None:
    header = next(messages(CONTENT))
    parts = [header, pb2.UploadDocumentRequest(chunk=CONTENT[: CHUNK + 1])]
    failed = await refusal(asking.upload(parts))
    assert (failed.code, failed.reason) == (INVALID, "INVALID_REQUEST")
    assert "chunk" in dict(failed.fields)


async def test_what_is_there_is_answered_before_it_is_sent(asking: Asking) -> None:
    first = await asking.upload(messages(CONTENT))

    async def header_alone() -> Any:
        yield next(messages(CONTENT))
        await asyncio.Event().wait()

    async with asyncio.timeout(10):
        call = asking.stub.UploadDocument(header_alone(), metadata=asking.metadata)
        again = (await call).document
    assert (again.name, again.state) == (first.name, pb2.DOCUMENT_STATE_READY)


@pytest.mark.parametrize("left", ["now() + interval '1 minute'", "null"])
async def test_uploading_what_is_there_keeps_it_as_long_as_if_it_were_new(
    asking: Asking, client: absah.AsyncClient, database_url: str, left: str
) -> None:
    first = await asking.upload(messages(CONTENT))
    for upload in (lambda: asking.upload(messages(CONTENT)), lambda: client.upload(CONTENT)):
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            await connection.execute(f"update documents set expire_time = {left}".encode())
        again = await upload()
        assert again.expire_time.ToSeconds() >= first.expire_time.ToSeconds()
        assert await asking.get(first.name) == again


async def test_uploading_what_is_there_shortens_no_time(asking: Asking, database_url: str) -> None:
    await asking.upload(messages(CONTENT))
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await connection.execute("update documents set expire_time = expire_time + interval '1 y'")
    longer = (await asking.get(name_of(CONTENT))).expire_time
    assert (await asking.upload(messages(CONTENT))).expire_time == longer


async def test_beginning_anew_lets_go_of_what_had_arrived(
    asking: Asking, data_folder: Path
) -> None:
    for at in (2 * CHUNK, CHUNK, 5):
        await refusal(asking.upload(messages(CONTENT, until=at)))
        (partial,) = partials(data_folder)
        assert partial.stat().st_size == at


async def test_another_tenant_must_send_it_to_have_it(asking: Asking) -> None:
    await asking.upload(messages(CONTENT))
    other = Asking(asking.address, tenant="..")
    for call in (other.get, other.download, other.delete):
        failed = await refusal(call(name_of(CONTENT)))
        assert failed.code is grpc.StatusCode.NOT_FOUND
        assert (failed.reason, failed.subject) == ("DOCUMENT_NOT_FOUND", name_of(CONTENT))
    failed = await refusal(other.upload(messages(CONTENT, until=CHUNK)))
    assert failed.reason == "UPLOAD_GAP"
    await other.upload(messages(CONTENT, offset=CHUNK))
    assert await other.download(name_of(CONTENT)) == CONTENT
    await other.channel.close()


async def test_many_uploaders_of_one_content_do_not_meet(asking: Asking, data_folder: Path) -> None:
    wrong = bytes(len(CONTENT))
    calls = [asking.upload(messages(CONTENT)) for _ in range(4)]
    calls += [asking.upload(messages(wrong, digest=digest_of(CONTENT))) for _ in range(4)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert all(answer.state == pb2.DOCUMENT_STATE_READY for answer in answers[:4])
    assert await asking.download(name_of(CONTENT)) == CONTENT
    assert len(files(data_folder)) == 1


async def test_an_upload_of_which_nothing_comes_is_ended(settings: Any, tmp_path: Path) -> None:
    impatient = settings.model_copy(
        update={"blobs": settings.blobs.model_copy(update={"idle_seconds": 0.1})}
    )
    async with running_server(impatient, (Length,)) as address:
        asking = Asking(address)

        async def stalling() -> Any:
            for message in messages(CONTENT, until=CHUNK):
                yield message
            await asyncio.Event().wait()

        call = asking.stub.UploadDocument(stalling(), metadata=asking.metadata)
        failed = await refusal(call)
        assert failed.code is grpc.StatusCode.DEADLINE_EXCEEDED
        assert (await asking.get(name_of(CONTENT))).received_bytes == CHUNK
        await asking.channel.close()


async def test_slow_uploads_hold_up_nobody_else(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PATIENCE_SECONDS", 1000.0)
    async with running_server(settings, (Length,)) as address:
        asking = Asking(address)

        async def stalling(number: int) -> Any:
            yield next(messages(bytes([number]) * CHUNK))
            await asyncio.Event().wait()

        uploads = [
            asking.stub.UploadDocument(stalling(number), metadata=asking.metadata)
            for number in range(reading.READ_AT_A_TIME + 4)
        ]
        async with asyncio.timeout(20), absah.AsyncClient(address) as client:
            found = 0
            while found < len(uploads):  # all of them wait for their second message
                found = len(partials(settings.data))
                await asyncio.sleep(0.02)
            await client.validate(checkers=["length"], report=absah.Text("halo"))
        for upload in uploads:
            upload.cancel()
        await asking.channel.close()


async def test_more_calls_than_there_are_places_are_refused_at_once(settings: Any) -> None:
    few = settings.blobs.model_copy(update={"max_uploads": 1, "max_downloads": 1})
    async with running_server(settings.model_copy(update={"blobs": few}), (Length,)) as address:
        asking = Asking(address)
        await asking.upload(messages(LARGE))
        arrived = asyncio.Event()

        async def holding() -> Any:
            for message in messages(CONTENT, until=CHUNK):
                yield message
            arrived.set()
            await asyncio.Event().wait()

        uploading = asking.stub.UploadDocument(holding(), metadata=asking.metadata)
        await arrived.wait()
        request = pb2.DownloadDocumentRequest(name=name_of(LARGE))
        downloading = asking.stub.DownloadDocument(request, metadata=asking.metadata)
        await downloading.read()  # and no more: flow control holds the rest up
        for call in (asking.upload(messages(b"halo")), asking.download(name_of(LARGE))):
            failed = await refusal(call)
            assert failed.code is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert failed.reason == "OVERLOADED"
        uploading.cancel()
        downloading.cancel()
        async with asyncio.timeout(10):
            while True:
                try:
                    await asking.upload(messages(b"halo"))
                    break
                except grpc.RpcError:
                    await asyncio.sleep(0.02)
        await asking.channel.close()


async def test_who_reads_nothing_for_long_keeps_no_place(settings: Any) -> None:
    few = settings.blobs.model_copy(update={"max_downloads": 1, "idle_seconds": 0.3})
    async with running_server(settings.model_copy(update={"blobs": few}), (Length,)) as address:
        asking, other = Asking(address), Asking(address)
        await asking.upload(messages(LARGE))
        request = pb2.DownloadDocumentRequest(name=name_of(LARGE))
        stalled = other.stub.DownloadDocument(request, metadata=other.metadata)
        await stalled.read()  # and no more
        assert (await refusal(asking.download(name_of(LARGE)))).reason == "OVERLOADED"
        async with asyncio.timeout(10):
            while True:
                try:
                    assert await asking.download(name_of(LARGE)) == LARGE
                    break
                except grpc.RpcError:
                    await asyncio.sleep(0.05)

            async def rest() -> None:
                while await stalled.read() is not grpc.aio.EOF:
                    pass

            failed = await refusal(rest())
        assert failed.code is grpc.StatusCode.DEADLINE_EXCEEDED
        for each in (asking, other):
            await each.channel.close()


async def test_who_leaves_in_the_midst_is_no_error(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    one = settings.blobs.model_copy(update={"max_downloads": 1})
    async with running_server(settings.model_copy(update={"blobs": one}), (Length,)) as address:
        asking, other = Asking(address), Asking(address)
        await asking.upload(messages(LARGE))
        request = pb2.DownloadDocumentRequest(name=name_of(LARGE))
        left = other.stub.DownloadDocument(request, metadata=other.metadata)
        await left.read()
        await asyncio.sleep(0.2)  # until the server waits to send more
        left.cancel()
        async with asyncio.timeout(10):
            while True:
                try:
                    assert await asking.download(name_of(LARGE)) == LARGE
                    break
                except grpc.RpcError:
                    await asyncio.sleep(0.05)
        for each in (asking, other):
            await each.channel.close()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_the_client_mends_what_is_damaged(
    client: absah.AsyncClient, address: str, data_folder: Path
) -> None:
    document = await client.upload(CONTENT)
    (file,) = files(data_folder)
    with absah.Client(address) as other:
        for upload in (client.upload, lambda c: asyncio.to_thread(other.upload, c)):
            file.write_bytes(CONTENT[:-1] + b"?")
            await upload(CONTENT)
            assert await client.download(document.name) == CONTENT


async def test_a_damaged_document_is_mended_by_uploading_it(
    asking: Asking, data_folder: Path
) -> None:
    await asking.upload(messages(CONTENT))
    (file,) = files(data_folder)
    file.write_bytes(CONTENT[:-1] + b"?")
    failed = await refusal(asking.download(name_of(CONTENT)))
    assert failed.code is grpc.StatusCode.DATA_LOSS
    assert (failed.reason, failed.subject) == ("CONTENT_DAMAGED", name_of(CONTENT))
    await asking.upload(messages(CONTENT))
    assert await asking.download(name_of(CONTENT)) == CONTENT


async def test_downloads_begin_where_they_are_asked_to(asking: Asking) -> None:
    await asking.upload(messages(CONTENT))
    name = name_of(CONTENT)
    assert await asking.download(name, offset=CHUNK + 7) == CONTENT[CHUNK + 7 :]
    assert await asking.download(name, offset=len(CONTENT)) == b""
    failed = await refusal(asking.download(name, offset=len(CONTENT) + 1))
    assert failed.code is grpc.StatusCode.OUT_OF_RANGE
    failed = await refusal(asking.download(name, offset=-1))
    assert failed.code is INVALID


async def test_a_name_of_another_form_is_refused(asking: Asking) -> None:
    for name in ("", "documents/", "documents/abc", f"documents/{'A' * 64}", "validations/1"):
        for call in (asking.get, asking.download, asking.delete):
            failed = await refusal(call(name))
            assert (failed.code, failed.reason) == (INVALID, "INVALID_REQUEST")
            assert "name" in dict(failed.fields)


async def test_a_deleted_document_is_told_of_but_not_sent(asking: Asking) -> None:
    await asking.upload(messages(CONTENT))
    deleted = await asking.delete(name_of(CONTENT))
    assert deleted.state == pb2.DOCUMENT_STATE_DELETED
    assert (await asking.get(deleted.name)).state == pb2.DOCUMENT_STATE_DELETED
    assert (await asking.delete(deleted.name)).state == pb2.DOCUMENT_STATE_DELETED
    failed = await refusal(asking.download(deleted.name))
    assert failed.code is grpc.StatusCode.NOT_FOUND
    await asking.upload(messages(CONTENT))
    assert await asking.download(deleted.name) == CONTENT


async def test_deleting_what_has_arrived_lets_go_of_it(asking: Asking, data_folder: Path) -> None:
    await break_off(asking, CONTENT, at=CHUNK)
    await asking.delete(name_of(CONTENT))
    assert partials(data_folder) == []


async def test_the_client_uploads_and_downloads(client: absah.AsyncClient, tmp_path: Path) -> None:
    path = tmp_path / "evidence.bin"
    path.write_bytes(CONTENT)
    told: list[int] = []
    await client.upload(path, told=lambda sent, size: told.append(sent))
    assert told == [0, CHUNK, 2 * CHUNK, 3 * CHUNK, 4 * CHUNK]
    document = await client.upload(path, told=lambda sent, size: told.append(sent))
    assert told[5:] == [4 * CHUNK]  # it is there already
    assert await client.download(document.name) == CONTENT
    assert (await client.document(document.name)) == document


async def test_the_client_begins_anew_where_what_had_arrived_is_wrong(
    asking: Asking, address: str
) -> None:
    await refusal(
        asking.upload(messages(bytes(CHUNK), digest=digest_of(CONTENT), size=len(CONTENT)))
    )
    assert (await asking.get(name_of(CONTENT))).received_bytes == CHUNK
    with absah.Client(address) as client:
        document = await asyncio.to_thread(client.upload, CONTENT)
        assert await asyncio.to_thread(client.download, document.name) == CONTENT


async def test_a_server_without_a_store_has_no_documents(tmp_path: Path) -> None:
    async with running_server(make_settings(tmp_path), (Length,)) as address:
        asking = Asking(address)
        failed = await refusal(asking.get(name_of(CONTENT)))
        assert failed.code is grpc.StatusCode.UNIMPLEMENTED
        await asking.channel.close()
