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


async def test_the_async_client_tells_checkers_and_policies(client: absah.AsyncClient) -> None:
    assert [each.name for each in await client.checkers()] == ["checkers/length", "checkers/slow"]
    assert [each.name for each in await client.policies()] == ["policies/short-text@1"]
    assert "rule: long" in (await client.policy("short-text")).source
    with pytest.raises(absah.CallFailed) as error:
        await client.policy("other")
    assert error.value.reason == "POLICY_NOT_FOUND"


async def test_the_async_client_replays_and_decides_what_waits(client: absah.AsyncClient) -> None:
    text = absah.Text("far too long to be accepted")
    made = [await client.validate("short-text", report=text) for _ in range(2)]
    replayed = await client.replay_validation(made[0].name)
    assert not replayed.differences
    waiting = [each.name async for each in client.reviews(state="waiting")]
    assert waiting == [each.name.replace("validations", "reviews") for each in made]
    assert [each.name async for each in client.reviews(limit=1)] == waiting[:1]
    claimed = await client.claim_review(waiting[0])
    assert claimed.reviewer == "ministry"
    decided = await client.decide_review(waiting[0], "reject", reason="too long")
    assert decided.human_decision.decision == validation_pb2.DECISION_REJECT
    assert (await client.review(waiting[0])).human_decision == decided.human_decision
    await client.claim_review(waiting[1])
    assert (await client.release_review(waiting[1])).reviewer == ""
