"""Documents that are named count towards what is held before they are loaded."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
from support import Length, make_registry, running_server

import absah
from absah_server.blobs.files import FileBlobs
from absah_server.settings import Settings

CONTENT = b"halo" + b" " * 700_000
Ask = Callable[[absah.AsyncClient, Any, str], Awaitable[object]]


ASKING: dict[str, Ask] = {
    "created": lambda c, document, _: c.create_validation("short-text", report=document),
    "validated": lambda c, document, _: c.validate("short-text", report=document),
    "checked": lambda c, document, _: c.validate(checkers=["length"], report=document),
    "replayed": lambda c, _, validation: c.replay_validation(validation),
}


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING.keys())
async def test_what_does_not_fit_beside_others_is_refused_before_it_is_loaded(
    settings: Settings, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading, go_on = 0, asyncio.Event()
    get = FileBlobs.get

    async def slowly(blobs: FileBlobs, digest: str) -> bytes:
        nonlocal loading
        loading += 1
        await go_on.wait()
        return await get(blobs, digest)

    tight = settings.model_copy(update={"max_held_bytes": 2**20})
    async with (
        running_server(tight, make_registry(Length)) as address,
        absah.AsyncClient(address) as client,
    ):
        document = await client.upload(CONTENT)
        made = await client.validate("short-text", report=document)
        monkeypatch.setattr(FileBlobs, "get", slowly)
        first = asyncio.ensure_future(ask(client, document, made.name))
        async with asyncio.timeout(10):
            while not loading:
                await asyncio.sleep(0.01)
            for _ in range(5):
                with pytest.raises(absah.CallFailed) as refused:
                    await ask(client, document, made.name)
                assert refused.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
                assert refused.value.reason == "OVERLOADED"
        assert loading == 1
        go_on.set()
        await first
        await ask(client, document, made.name)


async def test_named_documents_that_are_too_large_together_are_not_loaded(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = dataclasses.replace(settings.limits, max_total_bytes=1_000_000)
    async with (
        running_server(settings.model_copy(update={"limits": small}), make_registry(Length)) as at,
        absah.AsyncClient(at) as client,
    ):
        document = await client.upload(CONTENT)
        monkeypatch.setattr(FileBlobs, "get", None)  # whoever loads one breaks
        with pytest.raises(absah.CallFailed) as refused:
            await client.create_validation("short-text", report=[document, document])
    assert refused.value.reason == "LIMIT_EXCEEDED"
    assert "1,400,008" in refused.value.message
