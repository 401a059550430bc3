"""Documents in an S3-compatible store behave as those in files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from support import Length, make_settings, running_server

import absah
from absah.v1 import document_service_pb2 as pb2
from absah_server.blobs.s3 import S3Blobs
from absah_server.core.errors import StoreUnavailable

from .bucket import BUCKET, KEY, SECRET, Bucket
from .conftest import CHUNK, Asking, digest_of, messages, name_of, refusal

CONTENT = bytes(range(256)) * 4096
LARGE = bytes(range(256)) * 4096 * 12
"""More than an upload in one part may have."""


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    return Bucket(tmp_path / "s3")


@pytest.fixture
def served(bucket: Bucket) -> Iterator[Bucket]:
    with bucket.served():
        yield bucket


@pytest.fixture
def settings(tmp_path: Path, database_url: str, data_folder: Path, bucket: Bucket) -> Any:
    blobs = {
        "kind": "s3",
        "bucket": BUCKET,
        "endpoint": bucket.endpoint,
        "prefix": "absah",
        "grace_seconds": 0.0,
    }
    return make_settings(
        tmp_path,
        store={"kind": "postgres"},
        database_url=database_url,
        data=data_folder,
        blobs=blobs,
    )


@pytest.fixture
async def address(settings: Any, served: Bucket) -> AsyncIterator[str]:
    async with running_server(settings, (Length,)) as address:
        yield address


def blobs_of(bucket: Bucket, *, name: str = BUCKET, endpoint: str = "") -> S3Blobs:
    return S3Blobs(
        bucket=name, endpoint=endpoint or bucket.endpoint, region="us-east-1", prefix="absah"
    )


async def test_a_document_goes_to_the_bucket_and_comes_back(asking: Asking, served: Bucket) -> None:
    document = await asking.upload(messages(LARGE))
    assert document.state == pb2.DOCUMENT_STATE_READY
    assert served.keys() == {f"absah/{digest_of(LARGE)}"}
    assert await asking.download(document.name, offset=CHUNK) == LARGE[CHUNK:]


async def test_an_upload_is_gone_on_with(asking: Asking, served: Bucket) -> None:
    failed = await refusal(asking.upload(messages(CONTENT, until=CHUNK)))
    assert failed.reason == "UPLOAD_GAP"
    assert served.keys() == set()
    await asking.upload(messages(CONTENT, offset=CHUNK))
    assert await asking.download(name_of(CONTENT)) == CONTENT


async def test_a_validations_document_is_kept_in_the_bucket(
    client: absah.AsyncClient, served: Bucket
) -> None:
    await client.validate(checkers=["length"], report=await client.upload(b"halo"))
    created = await client.create_validation(checkers=["length"], report=absah.Text("apa kabar"))
    assert len(created.record.documents) == 1
    assert served.keys() == {f"absah/{digest_of(c)}" for c in (b"halo", b"apa kabar")}


async def test_a_deleted_document_leaves_the_bucket(
    asking: Asking, address: str, served: Bucket
) -> None:
    await asking.upload(messages(CONTENT))
    await asking.upload(messages(b"halo"))
    await asking.delete(name_of(CONTENT))
    with absah.AdminClient(address) as admin:
        done = await asyncio.to_thread(admin.purge_documents)
    assert done.removed_contents == 1
    assert served.keys() == {f"absah/{digest_of(b'halo')}"}


async def test_a_damaged_object_is_named_and_not_sent(asking: Asking, served: Bucket) -> None:
    await asking.upload(messages(CONTENT))
    (served.folder / "absah" / digest_of(CONTENT)).write_bytes(CONTENT[:-1] + b"?")
    failed = await refusal(asking.download(name_of(CONTENT)))
    assert failed.code is grpc.StatusCode.DATA_LOSS
    assert (failed.reason, failed.subject) == ("CONTENT_DAMAGED", name_of(CONTENT))


async def test_while_the_bucket_is_away_uploads_wait_with_what_has_arrived(
    settings: Any, bucket: Bucket
) -> None:
    with bucket.served():
        serving = running_server(settings, (Length,))
        asking = Asking(await serving.__aenter__())
    try:
        failed = await refusal(asking.upload(messages(CONTENT)))
        assert failed.code is grpc.StatusCode.UNAVAILABLE
        assert failed.reason == "STORE_UNAVAILABLE"
        assert (await asking.get(name_of(CONTENT))).received_bytes == len(CONTENT)
        with bucket.served():
            await asking.upload(messages(CONTENT, offset=len(CONTENT)))
            assert await asking.download(name_of(CONTENT)) == CONTENT
    finally:
        await asking.channel.close()
        await serving.__aexit__(None, None, None)


async def test_what_is_there_is_told_by_age(served: Bucket) -> None:
    blobs = blobs_of(served)
    await blobs.put(digest_of(b"halo"), b"halo")
    (served.folder / "absah" / "notes.txt").write_text("no document")
    (served.folder / ("0" * 64)).write_text("another's")
    assert [d async for d in blobs.digests(older_than_seconds=-60)] == [digest_of(b"halo")]
    assert [d async for d in blobs.digests(older_than_seconds=60)] == []


async def test_what_is_missing_is_deleted_already(served: Bucket) -> None:
    await blobs_of(served).delete("0" * 64)


@pytest.mark.parametrize("changes", [{"name": "another"}, {"endpoint": "http://127.0.0.1:9"}])
async def test_a_bucket_that_is_not_there_is_told_at_the_start(
    served: Bucket, changes: dict[str, str]
) -> None:
    with pytest.raises(StoreUnavailable, match="bucket"):
        await blobs_of(served, **changes).start()


async def test_a_wrong_secret_is_told_at_the_start(
    served: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(StoreUnavailable, match="bucket"):
        await blobs_of(served).start()
