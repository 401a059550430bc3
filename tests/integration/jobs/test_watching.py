"""Whoever watches a validation sees each check as it ends, and how all of it ended."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest
from durable import durable_server, durable_settings, watched

from absah.v1 import validation_pb2, validation_service_pb2

RUNNING = validation_pb2.STATE_RUNNING


async def test_a_watcher_sees_each_check_before_the_validation_ends(
    tmp_path: Path, database_url: str
) -> None:
    async with durable_server(durable_settings(tmp_path, database_url)) as caller:
        created = await caller.create("1", "slow", "length")
        seen = await watched(caller, created.name)
    assert seen[0] in ("PENDING", "RUNNING")
    assert seen[1:] == ["length", "slow", "SUCCEEDED"]


async def test_a_check_that_has_ended_is_among_the_results_of_a_running_validation(
    tmp_path: Path, database_url: str
) -> None:
    async with durable_server(durable_settings(tmp_path, database_url)) as caller:
        created = await caller.create("20", "slow", "length")
        async with asyncio.timeout(30):
            while not (running := await caller.get(created.name)).check_results:
                await asyncio.sleep(0.05)
        await caller.cancel(created.name)
    assert running.state == RUNNING
    assert [result.checker for result in running.check_results] == ["length"]


async def test_a_watcher_of_what_has_ended_sees_it_once(tmp_path: Path, database_url: str) -> None:
    async with durable_server(durable_settings(tmp_path, database_url)) as caller:
        created = await caller.create("halo", "length")
        await caller.ended(created.name)
        assert await watched(caller, created.name) == ["SUCCEEDED"]


async def test_a_cancelled_validation_ends_its_checks_and_its_watchers(
    tmp_path: Path, database_url: str
) -> None:
    async with durable_server(durable_settings(tmp_path, database_url)) as caller:
        created = await caller.create("60", "slow")
        await caller.until(created.name, RUNNING)
        watching = asyncio.create_task(watched(caller, created.name))
        await asyncio.sleep(0.2)
        await caller.cancel(created.name)
        assert await watching == ["RUNNING", "CANCELLED"]


async def test_a_watcher_of_an_unknown_validation_is_told_so(
    tmp_path: Path, database_url: str
) -> None:
    name = "validations/" + 32 * "0"
    async with durable_server(durable_settings(tmp_path, database_url)) as caller:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await watched(caller, name)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_watcher_is_let_go_when_the_server_stops(tmp_path: Path, database_url: str) -> None:
    settings = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    async with durable_server(settings) as caller:
        created = await caller.create("halo", "length")
        request = validation_service_pb2.WatchValidationRequest(name=created.name)
        events = caller.stub.WatchValidation(request, timeout=30)
        assert (await events.read()).validation.state == validation_pb2.STATE_PENDING
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await events.read()
    assert ended.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_watcher_that_leaves_is_forgotten(tmp_path: Path, database_url: str) -> None:
    settings = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    async with durable_server(settings) as caller:
        created = await caller.create("halo", "length")
        request = validation_service_pb2.WatchValidationRequest(name=created.name)
        events = caller.stub.WatchValidation(request, timeout=30)
        await events.read()
        events.cancel()
        await caller.cancel(created.name)
        assert await watched(caller, created.name) == ["CANCELLED"]
