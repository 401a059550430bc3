"""What a policy leaves to a person: claimed by one, decided once, beside the verdict."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest
from click.testing import CliRunner, Result
from support import Length, make_settings, running_server

import absah
from absah.v1 import review_service_pb2
from absah_ops.main import main

T = TypeVar("T")
POLICY = """\
policy: short-text
version: 1
title: {id: Teks pendek, en: Short text}
documents:
  report: {title: {id: Laporan, en: Report}, count: [1, 1], media_types: [text/plain]}
claims: {}
checks:
  length: {documents: [report]}
rules:
  - rule: long
    each: result
    when: result.facts.length > 10
    decision: REVIEW
    message: {id: "{result.document} terlalu panjang", en: "{result.document} is too long"}
accepted: {id: Baik, en: Fine}
"""
LONG = absah.Text("teks yang terlalu panjang")
WAITING = review_service_pb2.REVIEW_STATE_WAITING
CLAIMED = review_service_pb2.REVIEW_STATE_CLAIMED
DECIDED = review_service_pb2.REVIEW_STATE_DECIDED


class Desk:
    """A server with a client for each reviewer, called from threads beside its loop."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def call(self, ask: Callable[[absah.Client], T], *, reviewer: str = "siti") -> T:
        def called() -> T:
            with absah.Client(self.address, client=reviewer) as client:
                return ask(client)

        return await asyncio.to_thread(called)

    async def make(self, count: int = 1) -> list[str]:
        """So many reviews, by name."""

        def make(client: absah.Client) -> list[str]:
            made = [client.validate("short-text", report=LONG) for _ in range(count)]
            return [m.name.replace("validations/", "reviews/") for m in made]

        return await self.call(make)

    async def refusal(
        self, ask: Callable[[absah.Client], object], *, reviewer: str = "siti"
    ) -> absah.CallFailed:
        with pytest.raises(absah.CallFailed) as raised:
            await self.call(ask, reviewer=reviewer)
        return raised.value

    async def command(self, *arguments: str) -> Result:
        given = [*arguments, "--server", self.address, "--as", "siti"]
        return await asyncio.to_thread(CliRunner().invoke, main, given)


@pytest.fixture
async def desk(tmp_path: Path, database_url: str) -> AsyncIterator[Desk]:
    settings = make_settings(
        tmp_path,
        store={"kind": "postgres"},
        database_url=database_url,
        data=tmp_path / "data",
        audit={"seal_interval_seconds": 0.05},
    )
    (settings.policies / "short-text.yaml").write_text(POLICY)
    async with running_server(settings, [Length]) as address:
        yield Desk(address)


def expire_claims(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("update reviews set claim_expire_time = now() - interval '1 second'")


def actions(url: str) -> list[tuple[str, str]]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "select actor, action from audit_events where action like 'review.%' order by id"
        ).fetchall()


async def test_a_verdict_of_review_waits_with_what_the_policy_said(desk: Desk) -> None:
    (name,) = await desk.make()
    review = await desk.call(lambda client: client.review(name))
    assert review.state == WAITING
    assert review.policy == "short-text@1"
    assert review.verdict.reasons[0].message.en == "report is too long"
    assert review.verdict.reasons[0].message.id == "report terlalu panjang"


async def test_what_is_accepted_waits_for_nobody(desk: Desk) -> None:
    await desk.call(lambda client: client.validate("short-text", report=absah.Text("halo")))
    assert await desk.call(lambda client: list(client.reviews())) == []


async def test_a_decision_stands_beside_the_verdict(desk: Desk, database_url: str) -> None:
    (name,) = await desk.make()
    await desk.call(lambda client: client.claim_review(name))
    decided = await desk.call(
        lambda client: client.decide_review(name, "accept", reason=" Panjang, tetapi benar. ")
    )
    assert decided.state == DECIDED
    validation = await desk.call(lambda client: client.validation(decided.validation))
    plain = absah.to_dict(validation)
    assert plain["verdict"]["decision"] == "REVIEW"
    assert plain["human_decision"]["decision"] == "ACCEPT"
    assert plain["human_decision"]["reason"] == "Panjang, tetapi benar."
    assert plain["human_decision"]["reviewer"] == "siti"
    assert actions(database_url) == [("siti", "review.claimed"), ("siti", "review.decided")]


async def test_a_claim_alone_is_no_decision(desk: Desk) -> None:
    (name,) = await desk.make()
    claimed = await desk.call(lambda client: client.claim_review(name))
    validation = await desk.call(lambda client: client.validation(claimed.validation))
    assert not validation.HasField("human_decision")


async def test_of_many_who_claim_at_once_one_wins(desk: Desk) -> None:
    (name,) = await desk.make()

    async def claim(reviewer: str) -> str:
        try:
            await desk.call(lambda client: client.claim_review(name), reviewer=reviewer)
        except absah.CallFailed as exc:
            return exc.reason
        return "won"

    ended = await asyncio.gather(*(claim(f"reviewer-{number}") for number in range(8)))
    assert sorted(ended) == ["REVIEW_CLAIMED"] * 7 + ["won"]


async def test_only_who_has_claimed_it_may_decide_or_release(desk: Desk) -> None:
    (name,) = await desk.make()
    decide = lambda client: client.decide_review(name, "reject", reason="salah")  # noqa: E731
    assert (await desk.refusal(decide)).reason == "WRONG_STATE"
    await desk.call(lambda client: client.claim_review(name), reviewer="budi")
    assert (await desk.refusal(decide)).reason == "WRONG_STATE"
    release = lambda client: client.release_review(name)  # noqa: E731
    assert (await desk.refusal(release)).reason == "WRONG_STATE"
    released = await desk.call(release, reviewer="budi")
    assert (released.state, released.reviewer) == (WAITING, "")


async def test_an_expired_claim_binds_nobody(desk: Desk, database_url: str) -> None:
    (name,) = await desk.make()
    await desk.call(lambda client: client.claim_review(name), reviewer="budi")
    expire_claims(database_url)
    review = await desk.call(lambda client: client.review(name))
    assert (review.state, review.reviewer) == (WAITING, "")
    late = await desk.refusal(
        lambda client: client.decide_review(name, "accept", reason="terlambat"), reviewer="budi"
    )
    assert late.reason == "WRONG_STATE"
    claimed = await desk.call(lambda client: client.claim_review(name))
    assert (claimed.state, claimed.reviewer) == (CLAIMED, "siti")


async def test_claiming_again_prolongs_the_claim(desk: Desk) -> None:
    (name,) = await desk.make()
    first = await desk.call(lambda client: client.claim_review(name))
    again = await desk.call(lambda client: client.claim_review(name))
    assert again.claim_expire_time.ToDatetime() > first.claim_expire_time.ToDatetime()


async def test_a_decision_is_final_and_may_be_sent_twice(desk: Desk, database_url: str) -> None:
    (name,) = await desk.make()
    await desk.call(lambda client: client.claim_review(name))
    decide = lambda client: client.decide_review(name, "reject", reason="salah")  # noqa: E731
    once = await desk.call(decide)
    assert await desk.call(decide) == once
    other = await desk.refusal(lambda client: client.decide_review(name, "accept", reason="benar"))
    assert other.reason == "WRONG_STATE"
    claim = await desk.refusal(lambda client: client.claim_review(name), reviewer="budi")
    assert claim.reason == "WRONG_STATE"
    assert actions(database_url).count(("siti", "review.decided")) == 1


@pytest.mark.parametrize(
    ("reason", "reviewer", "field"),
    [
        ("", "siti", "reason"),
        ("  ", "siti", "reason"),
        ("x" * 2001, "siti", "reason"),
        ("nul \0", "siti", "reason"),
        ("baik", "s" * 65, "reviewer"),
        ("baik", "baris\nbaru", "reviewer"),
    ],
)
async def test_a_decision_needs_a_reason_and_a_name(
    desk: Desk, reason: str, reviewer: str, field: str
) -> None:
    (name,) = await desk.make()
    refused = await desk.refusal(
        lambda client: client.decide_review(name, "accept", reason=reason, reviewer=reviewer)
    )
    assert refused.reason == "INVALID_REQUEST"
    assert [where for where, _ in refused.fields] == [field]


async def test_review_is_no_decision_of_a_person(desk: Desk) -> None:
    (name,) = await desk.make()
    refused = await desk.refusal(
        lambda client: client.decide_review(name, "review", reason="entah")
    )
    assert refused.fields[0][0] == "decision"


async def test_an_anonymous_caller_must_say_who_reviews(desk: Desk) -> None:
    (name,) = await desk.make()
    refused = await desk.refusal(lambda client: client.claim_review(name), reviewer="")
    assert refused.fields == (("reviewer", "say who you are"),)
    claimed = await desk.call(
        lambda client: client.claim_review(name, reviewer="Siti Aminah"), reviewer=""
    )
    assert claimed.reviewer == "Siti Aminah"


async def test_another_tenant_sees_no_review(desk: Desk) -> None:
    (name,) = await desk.make()

    def look(client: absah.Client) -> tuple[int, str]:
        with absah.Client(desk.address, tenant="desa") as other:
            with pytest.raises(absah.CallFailed) as raised:
                other.claim_review(name, reviewer="siti")
            return len(list(other.reviews())), raised.value.reason

    assert await desk.call(look) == (0, "REVIEW_NOT_FOUND")


@pytest.mark.parametrize("name", ["reviews/" + "0" * 32, "reviews/x", "validations/1", ""])
async def test_an_unknown_review_is_not_found(desk: Desk, name: str) -> None:
    assert (await desk.refusal(lambda client: client.review(name))).reason == "REVIEW_NOT_FOUND"


async def test_reviews_are_listed_oldest_first_by_what_is_asked(desk: Desk) -> None:
    names = await desk.make(5)
    await desk.call(lambda client: client.claim_review(names[1]))
    await desk.call(lambda client: client.claim_review(names[2]), reviewer="budi")
    await desk.call(
        lambda client: client.decide_review(names[2], "reject", reason="salah"), reviewer="budi"
    )

    async def listed(**asked: Any) -> list[str]:
        return [r.name for r in await desk.call(lambda client: list(client.reviews(**asked)))]

    assert await listed() == [names[0], names[1], names[3], names[4]]
    assert await listed(state="waiting") == [names[0], names[3], names[4]]
    assert await listed(state="claimed") == [names[1]]
    assert await listed(state="decided") == [names[2]]
    assert await listed(reviewer="siti") == [names[1]]
    assert await listed(state="decided", reviewer="siti") == []
    assert await listed(policy="short-text", limit=2) == [names[0], names[1]]
    assert await listed(policy="short-text@1", limit=1) == [names[0]]
    assert await listed(policy="short") == []


async def test_pages_stay_right_while_reviews_come_and_go(desk: Desk) -> None:
    names = await desk.make(4)

    def pages(client: absah.Client) -> list[list[str]]:
        message = review_service_pb2.ListReviewsRequest(page_size=2)
        first = client._reviews.ListReviews(message)
        client.claim_review(names[0])
        client.decide_review(names[0], "accept", reason="baik")
        client.validate("short-text", report=LONG)
        message.page_token = first.next_page_token
        second = client._reviews.ListReviews(message)
        return [[r.name for r in page.reviews] for page in (first, second)]

    assert await desk.call(pages) == [names[:2], names[2:]]

    def other(client: absah.Client) -> object:
        message = review_service_pb2.ListReviewsRequest(page_size=2)
        message.page_token = client._reviews.ListReviews(message).next_page_token
        message.policy = "other"
        return client._review_call(client._reviews.ListReviews, message)

    assert (await desk.refusal(other)).fields[0][0] == "page_token"


async def test_a_person_at_a_terminal_sees_both_languages_and_decides(desk: Desk) -> None:
    (name,) = await desk.make()
    listed = await desk.command("reviews", "list")
    assert name in listed.stdout
    shown = await desk.command("reviews", "show", name.removeprefix("reviews/"))
    for text in ("report terlalu panjang", "report is too long", "measured", "waits for a person"):
        assert text in shown.stdout
    assert "claimed by siti" in (await desk.command("reviews", "claim", name)).stdout
    decided = await desk.command("reviews", "decide", name, "reject", "--reason", "salah [tulis]")
    assert "REJECT" in decided.stdout
    assert "by siti: salah [tulis]" in decided.stdout
    (line,) = (await desk.command("reviews", "list", "--state", "decided", "--json")).stdout.split(
        "\n"
    )[:1]
    assert json.loads(line)["human_decision"]["decision"] == "REJECT"
    refused = await desk.command("reviews", "claim", name)
    assert refused.exit_code == 1
    assert f"{name} is decided: REJECT, by siti" in refused.output
