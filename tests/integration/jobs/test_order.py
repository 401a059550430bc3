"""The urgent goes first, and a policy runs no more at a time than it may."""

from __future__ import annotations

import itertools
from pathlib import Path

from durable import Busy, durable_server, durable_settings, eventually, outcomes, rows
from support import Slow, make_registry

from absah.v1 import validation_pb2, validation_service_pb2

POLICY = """
policy: letters
version: 1
title: {id: Surat, en: Letters}
documents:
  report:
    title: {id: Laporan, en: Report}
    count: [1, 1]
    media_types: [text/plain]
claims: {}
checks:
  slow: {documents: [report]}
rules: []
accepted: {id: Diterima, en: Accepted}
"""


async def test_the_urgent_goes_first(tmp_path: Path, database_url: str) -> None:
    waiting = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    async with durable_server(waiting) as caller:
        names = {}
        for word in ("LOW", "NORMAL", "HIGH"):
            priority = validation_service_pb2.Priority.Value(f"PRIORITY_{word}")
            names[(await caller.create(word, "length", priority=priority)).name] = word
        async with durable_server(durable_settings(tmp_path, database_url, jobs={"workers": 1})):
            for name in names:
                await caller.ended(name)
    begun = rows(database_url, "select * from attempts order by start_time")
    assert [names[f"validations/{row['validation_id'].hex}"] for row in begun] == [
        "HIGH",
        "NORMAL",
        "LOW",
    ]


async def test_a_policy_runs_no_more_at_a_time_than_it_may(
    tmp_path: Path, database_url: str
) -> None:
    settings = durable_settings(
        tmp_path, database_url, jobs={"workers": 4, "policy_concurrency": {"letters": 1}}
    )
    (tmp_path / "policies" / "letters.yaml").write_text(POLICY)
    registry = make_registry(Slow)
    async with durable_server(settings, registry) as caller:
        created = [await caller.create("0.1", policy="letters") for _ in range(4)]
        for each in created:
            await caller.ended(each.name)
    spans = rows(database_url, "select * from attempts order by start_time")
    assert len(spans) == 4
    for earlier, later in itertools.pairwise(spans):
        assert earlier["end_time"] <= later["start_time"]


async def test_what_waits_to_be_tried_again_holds_up_no_other_of_its_policy(
    tmp_path: Path, database_url: str
) -> None:
    settings = durable_settings(
        tmp_path,
        database_url,
        jobs={"policy_concurrency": {"letters": 1}, "backoff_seconds": 600.0},
    )
    (tmp_path / "policies" / "letters.yaml").write_text(POLICY.replace("slow:", "busy:"))
    registry = make_registry(Busy)
    checker = registry.checkers["busy"].checker
    assert isinstance(checker, Busy)
    checker.refusals = 1
    async with durable_server(settings, registry) as caller:
        refused = await caller.create("halo", policy="letters")
        await eventually(lambda: outcomes(database_url, refused.name) == ["RETRIED"])
        other = await caller.create("halo juga", policy="letters")
        ended = await caller.ended(other.name)
        assert (await caller.get(refused.name)).state == validation_pb2.STATE_PENDING
    assert ended.state == validation_pb2.STATE_SUCCEEDED
