"""The same photo is inferred once, and anew when anything that it depends on has changed."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest
from integration.record.photos import (
    Bench,
    Claimed,
    Client,
    Moody,
    Shade,
    Twice,
    changed,
    result_of,
)
from support import make_picture

import absah
from absah.v1 import validation_pb2

PHOTO = make_picture(seed=7)
KEPT = 3
"""Results of one validation that are kept: all but the moody one's."""


def contents(validation: validation_pb2.Validation) -> list[dict[str, Any]]:
    """The results without what belongs to one run alone."""
    plain = absah.to_dict(validation)["check_results"]
    return [{**r, "duration": ""} for r in plain if r["checker"] != "moody"]


async def test_the_same_photo_is_inferred_once(bench: Bench) -> None:
    async with bench.serving() as client:
        first = await client.validate(PHOTO)
        again = await client.validate(PHOTO)
        assert await client.inferences() == 1
    assert (Shade.runs, Twice.runs, Claimed.runs, Moody.runs) == (1, 1, 1, 2)
    assert contents(again) == contents(first)
    assert result_of(again, "shade").duration.ToNanoseconds() == 0
    assert result_of(first, "shade").duration.ToNanoseconds() > 0
    assert again.verdict == first.verdict
    assert again.name != first.name


async def test_another_server_finds_it_in_the_store_with_its_artifacts(bench: Bench) -> None:
    async with bench.serving() as client:
        first = await client.validate(PHOTO, return_artifacts=True)
        await client.kept(KEPT)
    async with bench.serving() as client:
        again = await client.validate(PHOTO, return_artifacts=True)
        assert await client.inferences() == 0
    assert Shade.runs == 1
    assert contents(again) == contents(first)
    assert result_of(again, "shade").artifacts[0].content == make_picture(4, 4, seed=1)


async def test_a_photo_of_another_name_and_place_is_the_same(bench: Bench) -> None:
    async with bench.serving() as client:
        await client.validate(PHOTO)
        both = await client.validate([make_picture(seed=8), PHOTO])
    assert Shade.runs == 2
    assert result_of(both, "shade", "photo-2").duration.ToNanoseconds() == 0


async def test_another_photo_misses(bench: Bench) -> None:
    async with bench.serving() as client:
        await client.validate(PHOTO)
        await client.validate(make_picture(seed=8))
    assert Shade.runs == 2


async def test_another_tenant_misses(bench: Bench) -> None:
    async with bench.serving() as client:
        await client.validate(PHOTO)
        await client.validate(PHOTO, tenant="desa")
    assert Shade.runs == 2


async def test_claims_matter_only_to_a_checker_that_reads_them(bench: Bench) -> None:
    async with bench.serving() as client:
        await client.validate(PHOTO, claims={"number": "1"})
        other = await client.validate(PHOTO, claims={"number": "2"})
    assert (Shade.runs, Claimed.runs) == (1, 2)
    assert dict(result_of(other, "claimed").facts) == {"number": "2"}


async def test_a_new_model_version_misses_and_so_does_what_builds_on_it(bench: Bench) -> None:
    async with bench.serving() as client:
        first = await client.validate(PHOTO)
        await client.kept(KEPT)
    bench.promote("2")
    async with bench.serving() as client:
        again = await client.validate(PHOTO)
        assert await client.inferences() == 1
    assert (Shade.runs, Twice.runs, Claimed.runs) == (2, 2, 1)
    assert result_of(again, "shade").score == pytest.approx(
        1.5 * result_of(first, "shade").score, rel=1e-4
    )


async def test_a_model_that_is_promoted_while_the_server_runs_misses(bench: Bench) -> None:
    from absah.admin.v1 import admin_service_pb2 as pb2

    def promote(client: absah.Client) -> None:
        with absah.AdminClient(running.address) as admin:
            admin.set_rollout("double", pb2.Rollout(current="2", previous="1"))

    async with bench.serving() as running:
        await running.validate(PHOTO)
        await running.call(promote)
        again = await running.validate(PHOTO)
    assert Shade.runs == 2
    assert result_of(again, "shade").model_versions[0].version == "2"


async def test_a_new_checker_version_misses(bench: Bench) -> None:
    newer = changed(Shade, version="1.1")
    async with bench.serving() as client:
        await client.validate(PHOTO)
        await client.kept(KEPT)
    async with bench.serving(newer, Twice, Claimed, Moody) as client:
        again = await client.validate(PHOTO)
    assert (newer.runs, Twice.runs, Claimed.runs) == (1, 2, 1)
    assert result_of(again, "shade").checker_version == "1.1"


async def test_a_replay_and_what_has_no_verdict_use_no_earlier_result(bench: Bench) -> None:
    async with bench.serving() as client:
        made = await client.validate(PHOTO)
        await client.call(lambda c: c.replay_validation(made.name))
        await client.call(lambda c: c.validate(checkers=["shade"], photo=PHOTO))
    assert Shade.runs == 3


async def test_what_could_not_be_read_is_not_kept(bench: Bench) -> None:
    row = make_picture(height=1)
    async with bench.serving() as client:
        first = await client.validate(row)
        await client.validate(row)
    assert absah.to_dict(result_of(first, "shade"))["outcome"] == "INCONCLUSIVE"
    assert (Shade.runs, Claimed.runs) == (2, 1)


async def test_it_can_be_switched_off(bench: Bench) -> None:
    async with bench.serving(cache={"enabled": False}) as client:
        await client.validate(PHOTO)
        await client.validate(PHOTO)
    assert Shade.runs == 2
    assert bench.rows() == 0


async def test_an_artifact_that_is_gone_or_a_row_that_cannot_be_read_is_a_miss(
    bench: Bench,
) -> None:
    async with bench.serving() as client:
        await client.validate(PHOTO)
        await client.kept(KEPT)
    with psycopg.connect(bench.database_url) as connection:
        connection.execute("update cached_results set result = '{\"checker\": 1}'")
    async with bench.serving() as client:
        again = await client.validate(PHOTO)
    assert (Shade.runs, Claimed.runs) == (2, 2)
    assert result_of(again, "shade").score > 0


async def test_results_go_with_the_content_of_their_document(bench: Bench) -> None:
    async with bench.serving() as client:
        made = await client.validate(PHOTO)
        await client.kept(KEPT)
        digest = made.record.documents[0].sha256
        await client.call(lambda c: c.delete_document(f"documents/{digest}"))
        assert await asyncio.to_thread(bench.rows) == 0


async def test_a_job_uses_earlier_results_too(bench: Bench) -> None:
    def create(client: absah.Client) -> validation_pb2.Validation:
        made = client.create_validation("photos", photo=PHOTO)
        return client.wait_for_validation(made.name, timeout_seconds=20)

    async with bench.serving() as client:
        await client.validate(PHOTO)
        ended = await client.call(create)
    assert Shade.runs == 1
    assert result_of(ended, "shade").duration.ToNanoseconds() == 0


async def test_old_results_are_purged(bench: Bench) -> None:
    async with bench.serving() as client:
        await client.validate(PHOTO)
        await client.kept(KEPT)
        await purge(client, days=31.0)
        assert await asyncio.to_thread(bench.rows) == KEPT
        with psycopg.connect(bench.database_url) as connection:
            connection.execute("update cached_results set use_time = now() - interval '32 days'")
        await purge(client, days=31.0)
        assert await asyncio.to_thread(bench.rows) == 0


async def purge(client: Client, *, days: float) -> None:
    from support import make_settings

    from absah_server import storage
    from absah_server.store.cached_results import PostgresResultCache

    settings = make_settings(
        client.bench.folder,
        store={"kind": "postgres"},
        database_url=client.bench.database_url,
        data=client.bench.folder / "data",
    )
    async with storage.opened(settings) as kept:
        cache = PostgresResultCache(kept.database, kept.keeper, max_age_seconds=days * 86400)
        await cache.purge()
