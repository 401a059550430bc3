"""A server that is killed leaves of an upload nothing, a part to go on with, or the document."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import grpc

import absah
from absah.v1 import document_service_pb2 as pb2

from .alone import free_port, server
from .conftest import CHUNK, Asking, messages, name_of

CONTENT = bytes(range(256)) * 4096
KILLS = 3


async def test_an_upload_goes_on_after_its_server_was_killed(settings: Any) -> None:
    port = free_port()
    async with server(settings, port) as process:
        asking = Asking(f"127.0.0.1:{port}")

        async def half() -> Any:
            for message in messages(CONTENT, until=2 * CHUNK):
                yield message
            await asyncio.Event().wait()

        call = asking.stub.UploadDocument(half(), metadata=asking.metadata)
        uploads = settings.data / "blobs" / "uploads" / "@default"
        async with asyncio.timeout(20):
            while sum(p.stat().st_size for p in uploads.glob("*")) < 2 * CHUNK:
                await asyncio.sleep(0.02)
        process.kill()
        await process.wait()
        call.cancel()
        await asking.channel.close()
    async with server(settings, port):
        asking = Asking(f"127.0.0.1:{port}")
        found = await asking.get(name_of(CONTENT))
        assert found.state == pb2.DOCUMENT_STATE_UPLOADING
        assert found.received_bytes == 2 * CHUNK
        await asking.upload(messages(CONTENT, offset=2 * CHUNK))
        assert await asking.download(name_of(CONTENT)) == CONTENT
        await asking.channel.close()


async def test_documents_arrive_though_their_server_is_killed_again_and_again(
    settings: Any,
) -> None:
    chance = random.Random(7)
    contents = [chance.randbytes(chance.randrange(1, 8 * CHUNK)) for _ in range(12)]
    port = free_port()
    done = asyncio.Event()

    async def serve() -> None:
        for _ in range(KILLS):
            async with server(settings, port):
                await asyncio.sleep(chance.uniform(0.05, 0.6))
        async with server(settings, port):
            await done.wait()

    async def upload(client: absah.AsyncClient, some: list[bytes]) -> None:
        for content in some:
            while True:
                try:
                    document = await client.upload(content)
                except absah.CallFailed as failed:
                    assert failed.code is grpc.StatusCode.UNAVAILABLE
                    continue
                assert document.state == pb2.DOCUMENT_STATE_READY
                await asyncio.sleep(0.05)
                break

    serving = asyncio.create_task(serve())
    async with absah.AsyncClient(f"127.0.0.1:{port}") as client, asyncio.timeout(100):
        # Two upload each document, at the same time.
        await asyncio.gather(*(upload(client, contents) for _ in range(2)))
        for content in contents:
            assert await client.download(name_of(content)) == content
    done.set()
    await serving
    kept, sent = _kept(settings.data), {name_of(content) for content in contents}
    assert sent <= kept
    assert len(kept - sent) == 1  # the store's own mark, by which its database knows it


def _kept(data: Path) -> set[str]:
    files = (p for p in (data / "blobs").glob("??/*") if p.is_file())
    return {f"documents/{p.parent.name}{p.name}" for p in files}
