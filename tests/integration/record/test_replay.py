"""A validation that is run again: what differs is told, and nothing of the record changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from integration.record.photos import (
    POLICY,
    Bench,
    Claimed,
    Client,
    Shade,
    Twice,
    changed,
)
from support import make_picture

import absah
from absah.v1 import validation_service_pb2
from absah_ops.main import main

PHOTO = make_picture(seed=7)
STEADY = (Shade, Twice, Claimed)


async def replay(
    server: Client, name: str, **who: str
) -> validation_service_pb2.ReplayValidationResponse:
    return await server.call(lambda c: c.replay_validation(name), **who)


def paths(answer: validation_service_pb2.ReplayValidationResponse) -> dict[str, tuple[str, str]]:
    return {d.path: (d.recorded, d.replayed) for d in answer.differences}


def steady(bench: Bench, policy: str = POLICY) -> None:
    """A policy of checks that come out the same each time."""
    text = policy.replace("  moody: {documents: [photo]}\n", "")
    (bench.folder / "policies" / "photos.yaml").write_text(text)


async def test_a_steady_validation_replays_without_a_difference(bench: Bench) -> None:
    steady(bench)
    async with bench.serving(*STEADY) as client:
        made = await client.validate(PHOTO, claims={"number": "7"})
        answer = await replay(client, made.name)
        unchanged = await client.call(lambda c: c.validation(made.name))
    assert paths(answer) == {}
    assert answer.validation.name == ""
    assert answer.validation.verdict == made.verdict
    assert len(answer.validation.check_results) == 3
    assert unchanged.update_time == made.update_time
    assert Shade.runs == 2


async def test_a_validation_of_listed_checkers_replays_too(bench: Bench) -> None:
    def create(client: absah.Client) -> str:
        made = client.create_validation(checkers=["twice"], photo=PHOTO)
        return client.wait_for_validation(made.name, timeout_seconds=20).name

    steady(bench)
    async with bench.serving(*STEADY) as client:
        answer = await replay(client, await client.call(create))
    assert paths(answer) == {}


async def test_what_comes_out_otherwise_is_told(bench: Bench) -> None:
    async with bench.serving() as client:
        made = await client.validate(PHOTO)
        answer = await replay(client, made.name)
    assert paths(answer) == {"check_results[moody photo].facts.run": ("1", "2")}


async def test_a_new_model_shows_by_digest_and_in_what_it_changed(bench: Bench) -> None:
    steady(bench)
    async with bench.serving(*STEADY) as client:
        made = await client.validate(make_picture(seed=3), claims={"number": "7"})
    bench.promote("2")
    async with bench.serving(*STEADY) as client:
        found = paths(await replay(client, made.name))
    assert found["record.models.double"][0].startswith("1 ")
    assert found["record.models.double"][1].startswith("2 ")
    assert {
        "check_results[shade photo].score",
        "check_results[shade photo].facts.shade",
        "check_results[shade photo].models.double",
        "check_results[twice photo].facts.twice",
    } <= found.keys()
    assert "verdict.decision" not in found


async def test_a_new_checker_that_decides_otherwise_shows_in_the_verdict(bench: Bench) -> None:
    steady(bench)
    brighter = changed(Shade, version="2.0", found=lambda self, document, context: white())
    async with bench.serving(*STEADY) as client:
        made = await client.validate(PHOTO)
    async with bench.serving(brighter, Twice, Claimed) as client:
        found = paths(await replay(client, made.name))
        result = await command(client, made.name)
    assert found["verdict.decision"] == ("ACCEPT", "REJECT")
    assert found["verdict.reasons[0].rule"] == ("accepted", "bright")
    assert found["record.checkers.shade"] == ("1.0", "2.0")
    assert found["check_results[shade photo].findings[0]"] == ("shade", "(absent)")
    assert result.exit_code == 1
    assert "verdict.decision\tACCEPT\tREJECT" in result.stdout


def white() -> Any:
    from absah_sdk import Outcome
    from absah_sdk import Result as Found

    return Found(outcome=Outcome.PASS, score=1.0, facts={"shade": 1.0})


async def test_a_changed_policy_shows_by_digest_and_a_gone_version_by_name(bench: Bench) -> None:
    steady(bench)
    async with bench.serving(*STEADY) as client:
        made = await client.validate(PHOTO)
    steady(bench, POLICY.replace("0.9", "0.95"))
    async with bench.serving(*STEADY) as client:
        assert paths(await replay(client, made.name)).keys() == {"record.policy_sha256"}
    steady(bench, POLICY.replace("version: 1", "version: 2"))
    async with bench.serving(*STEADY) as client:
        found = paths(await replay(client, made.name))
    assert found["record.policy"] == ("photos@1", "photos@2")


async def refused(client: Client, name: str, **who: str) -> absah.CallFailed:
    with pytest.raises(absah.CallFailed) as raised:
        await replay(client, name, **who)
    return raised.value


async def test_a_deleted_document_or_a_policy_that_is_gone_refuses(bench: Bench) -> None:
    async with bench.serving() as client:
        made = await client.validate(PHOTO)
        digest = made.record.documents[0].sha256
        await client.call(lambda c: c.delete_document(f"documents/{digest}"))
        gone = await refused(client, made.name)
        other = await client.validate(make_picture(seed=2))
    (bench.folder / "policies" / "photos.yaml").unlink()
    async with bench.serving() as client:
        without = await refused(client, other.name)
    assert (gone.code.name, gone.reason) == ("FAILED_PRECONDITION", "WRONG_STATE")
    assert "the content of its documents is deleted" in gone.message
    assert (without.code.name, without.reason) == ("FAILED_PRECONDITION", "WRONG_STATE")
    assert "there is no policy" in without.message


async def test_one_that_has_not_ended_or_is_anothers_or_unknown_refuses(bench: Bench) -> None:
    def cancelled(client: absah.Client) -> str:
        made = client.create_validation("photos", photo=PHOTO)
        return client.cancel_validation(made.name).name

    async with bench.serving(jobs={"workers": 0}) as client:
        name = await client.call(cancelled)
        assert (await refused(client, name)).reason == "WRONG_STATE"
        for unknown in ("validations/" + "0" * 32, "validations/x", ""):
            assert (await refused(client, unknown)).reason == "VALIDATION_NOT_FOUND"
        made = await client.validate(PHOTO)
        stranger = await refused(client, made.name, tenant="desa")
        assert stranger.reason == "VALIDATION_NOT_FOUND"


async def test_who_replayed_is_in_the_audit_log(bench: Bench) -> None:
    async with bench.serving() as client:
        made = await client.validate(PHOTO)
        await replay(client, made.name, client="auditor")
    with psycopg.connect(bench.database_url) as connection:
        row = connection.execute(
            "select actor, subject, details from audit_events where action = 'validation.replayed'"
        ).fetchone()
    assert row == ("auditor", made.name, {"differences": 1})


async def test_the_command_tells_people_and_machines(bench: Bench) -> None:
    steady(bench)
    async with bench.serving(*STEADY) as client:
        made = await client.validate(PHOTO)
        told = await command(client, made.name.removeprefix("validations/"))
        plain = await command(client, made.name, "--json")
    assert (told.exit_code, told.stdout) == (0, "nothing differs\n")
    assert json.loads(plain.stdout) == {"decision": "ACCEPT", "differences": []}


async def command(client: Client, *arguments: str) -> Result:
    given = ["validations", "replay", *arguments, "--server", client.address]
    run: Callable[..., Result] = CliRunner().invoke
    return await asyncio.to_thread(run, main, given)
