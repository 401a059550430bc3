"""Whoever validates under the id of what is already being worked at is told how that ends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
from durable import Caller, durable_server, durable_settings, rows

import absah
from absah.v1 import validation_pb2, validation_service_pb2
from absah_server.settings import Settings

POLICY = """\
policy: patience
version: 1
title: {id: Sabar, en: Patience}
documents:
  report: {title: {id: Laporan, en: Report}, count: [1, 1], media_types: [text/plain]}
claims: {}
checks:
  slow: {documents: [report]}
rules: []
accepted: {id: Baik, en: Fine}
"""


def patient_settings(folder: Path, database_url: str, **changes: Any) -> Settings:
    made = durable_settings(folder, database_url, **changes)
    (made.policies / "patience.yaml").write_text(POLICY)
    return made


def request(seconds: str) -> validation_service_pb2.ValidateRequest:
    return absah.request("patience", {"report": absah.Text(seconds)}, request_id="r-1")


async def accept(caller: Caller, seconds: str) -> str:
    wrapped = validation_service_pb2.CreateValidationRequest(request=request(seconds))
    return str((await caller.stub.CreateValidation(wrapped, timeout=10)).validation.name)


async def validate(caller: Caller, seconds: str, *, timeout: float) -> validation_pb2.Validation:
    return (await caller.stub.Validate(request(seconds), timeout=timeout)).validation


async def test_it_waits_for_the_end(tmp_path: Path, database_url: str) -> None:
    async with durable_server(patient_settings(tmp_path, database_url)) as caller:
        name = await accept(caller, "1")
        found = await validate(caller, "1", timeout=30)
    assert (found.name, found.state) == (name, validation_pb2.STATE_SUCCEEDED)
    assert found.verdict.decision == validation_pb2.DECISION_ACCEPT
    assert [result.checker for result in found.check_results] == ["slow"]


async def test_it_is_told_how_it_stands_when_the_deadline_is_near(
    tmp_path: Path, database_url: str
) -> None:
    settings = patient_settings(tmp_path, database_url, jobs={"workers": 0})
    async with durable_server(settings) as caller:
        name = await accept(caller, "0")
        found = await validate(caller, "0", timeout=1)
    assert (found.name, found.state) == (name, validation_pb2.STATE_PENDING)


async def test_two_that_race_are_told_one_verdict(tmp_path: Path, database_url: str) -> None:
    async with durable_server(patient_settings(tmp_path, database_url)) as caller:
        made, name = await asyncio.gather(
            validate(caller, "0.5", timeout=30), accept(caller, "0.5")
        )
        kept = await caller.ended(name)
    assert (made.name, made.verdict) == (kept.name, kept.verdict)
    assert len(rows(database_url, "select id from validations")) == 1


async def test_a_cancelled_one_ends_the_wait(tmp_path: Path, database_url: str) -> None:
    settings = patient_settings(tmp_path, database_url, jobs={"workers": 0})
    async with durable_server(settings) as caller:
        name = await accept(caller, "0")
        waiting = asyncio.create_task(validate(caller, "0", timeout=30))
        await asyncio.sleep(0.2)
        await caller.cancel(name)
        assert (await waiting).state == validation_pb2.STATE_CANCELLED


async def test_a_stream_waits_too(tmp_path: Path, database_url: str) -> None:
    async with durable_server(patient_settings(tmp_path, database_url)) as caller:
        await accept(caller, "0.5")
        wrapped = validation_service_pb2.ValidateStreamRequest(request=request("0.5"))
        answers = [a async for a in caller.stub.ValidateStream(iter([wrapped]), timeout=30)]
    assert [a.validation.state for a in answers] == [validation_pb2.STATE_SUCCEEDED]


async def test_a_server_that_stops_lets_go_of_who_waits(tmp_path: Path, database_url: str) -> None:
    settings = patient_settings(tmp_path, database_url, jobs={"workers": 0})
    async with durable_server(settings) as caller:
        await accept(caller, "0")
        channel = grpc.aio.insecure_channel(caller.address)
        waiting = asyncio.create_task(validate(Caller(caller.address, channel), "0", timeout=30))
        await asyncio.sleep(0.2)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await waiting
    await channel.close()
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
