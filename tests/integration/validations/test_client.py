"""Both clients see a validation through its life, sync and async alike."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

import absah
from absah.v1 import check_result_pb2, validation_pb2
from absah_server.settings import Settings


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Of a server that also works at what it accepts."""
    jobs = settings.jobs.model_copy(update={"workers": 2})
    return settings.model_copy(update={"jobs": jobs})


async def test_a_validation_is_accepted_watched_listed_and_told(client: absah.AsyncClient) -> None:
    made = await client.create_validation(checkers=["slow"], report=absah.Text("0.2"))
    events = [event async for event in client.watch_validation(made.name, timeout_seconds=30)]
    assert isinstance(events[0], validation_pb2.Validation)
    assert [e.checker for e in events if isinstance(e, check_result_pb2.CheckResult)] == ["slow"]
    last = events[-1]
    assert isinstance(last, validation_pb2.Validation)
    assert last.state == validation_pb2.STATE_SUCCEEDED
    assert await client.wait_for_validation(made.name, timeout_seconds=5) == last
    assert [v.name async for v in client.validations(state="succeeded")] == [made.name]


async def test_one_that_does_not_end_in_time_is_a_deadline_that_passed(
    client: absah.AsyncClient,
) -> None:
    made = await client.create_validation(checkers=["slow"], report=absah.Text("30"))
    with pytest.raises(absah.CallFailed) as error:
        await client.wait_for_validation(made.name, timeout_seconds=0.3)
    assert error.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    cancelled = await client.cancel_validation(made.name)
    assert await client.wait_for_validation(made.name, timeout_seconds=5) == cancelled


def life(address: str) -> dict[str, Any]:
    """What the blocking client sees."""
    with absah.Client(address, client="legacy") as client:
        made = client.create_validation(
            "short-text", report=absah.Text("halo"), claims={"number": "1"}, request_id="r-1"
        )
        ended = client.wait_for_validation(made.name, timeout_seconds=30)
        events = list(client.watch_validation(made.name, timeout_seconds=30))
        try:
            client.cancel_validation(made.name)
            refused = ""
        except absah.CallFailed as exc:
            refused = exc.reason
        return {
            "made": made,
            "ended": ended,
            "found": client.validation(made.name),
            "watched": events[-1],
            "listed": [each.name for each in client.validations(request_id="r-1", page_size=1)],
            "refused": refused,
        }


async def test_the_blocking_client_does_the_same(address: str) -> None:
    seen = await asyncio.to_thread(life, address)
    assert seen["ended"].verdict.decision == validation_pb2.DECISION_ACCEPT
    assert seen["found"] == seen["ended"] == seen["watched"]
    assert seen["listed"] == [seen["made"].name]
    assert seen["refused"] == "WRONG_STATE"


async def test_what_is_submitted_without_an_id_gets_one(client: absah.AsyncClient) -> None:
    made = await client.create_validation("short-text", report=absah.Text("halo"))
    assert len(made.request_id) == 32
