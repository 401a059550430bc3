"""What was found lately is held in memory, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from absah_sdk import Artifact, Outcome, Result
from absah_server.core.caching import Recent
from absah_server.core.validation import CheckResult


class Shelf:
    """A cache that keeps everything and counts what it is asked for."""

    def __init__(self) -> None:
        self.kept: dict[bytes, CheckResult] = {}
        self.asked: list[set[bytes]] = []

    async def find(self, keys: Collection[bytes]) -> Mapping[bytes, CheckResult]:
        self.asked.append(set(keys))
        return {key: self.kept[key] for key in keys if key in self.kept}

    def keep(self, key: bytes, result: CheckResult, *, tenant: str, digest: str) -> None:
        self.kept[key] = result


def make_result(artifact_bytes: int = 0) -> CheckResult:
    drawn = Artifact(name="map", media_type="image/png", content=bytes(artifact_bytes))
    return CheckResult(
        checker="shade",
        checker_version="1.0",
        document="photo",
        role="photo",
        result=Result(outcome=Outcome.PASS, artifacts=(drawn,) if artifact_bytes else ()),
    )


def keep(cache: Recent, *keys: bytes, artifact_bytes: int = 0) -> None:
    for key in keys:
        cache.keep(key, make_result(artifact_bytes), tenant="default", digest="aa")


async def test_only_what_is_not_held_is_asked_for() -> None:
    shelf = Shelf()
    cache = Recent(shelf)
    keep(cache, b"a")
    assert (await cache.find([b"a", b"b"])).keys() == {b"a"}
    await cache.find([b"a"])
    assert shelf.asked == [{b"b"}]


async def test_what_was_found_is_held_from_then_on() -> None:
    shelf = Shelf()
    shelf.kept[b"a"] = make_result()
    cache = Recent(shelf)
    await cache.find([b"a"])
    await cache.find([b"a"])
    assert shelf.asked == [{b"a"}]


async def test_what_was_not_used_for_longest_goes_first() -> None:
    shelf = Shelf()
    cache = Recent(shelf, max_results=2)
    keep(cache, b"a", b"b")
    await cache.find([b"a"])
    keep(cache, b"c")
    await cache.find([b"a", b"b", b"c"])
    assert shelf.asked == [{b"b"}]


async def test_artifacts_are_bounded_together() -> None:
    shelf = Shelf()
    cache = Recent(shelf, max_bytes=100)
    keep(cache, b"a", b"b", artifact_bytes=60)
    await cache.find([b"a", b"b"])
    assert shelf.asked == [{b"a"}]
    keep(cache, b"large", artifact_bytes=101)
    await cache.find([b"large"])
    assert shelf.asked[-1] == {b"large"}


class SlowShelf(Shelf):
    """One that others may be at while it looks."""

    async def find(self, keys: Collection[bytes]) -> Mapping[bytes, CheckResult]:
        await asyncio.sleep(0)
        return await super().find(keys)


async def test_what_two_look_for_at_once_counts_once() -> None:
    shelf = SlowShelf()
    shelf.kept[b"a"] = make_result(60)
    cache = Recent(shelf, max_bytes=100)
    await asyncio.gather(cache.find([b"a"]), cache.find([b"a"]))
    await cache.find([b"a"])
    assert shelf.asked == [{b"a"}, {b"a"}]


async def test_what_is_old_goes() -> None:
    now = 0.0
    shelf = Shelf()
    cache = Recent(shelf, max_age_seconds=10.0, clock=lambda: now)
    keep(cache, b"a")
    now = 11.0
    await cache.find([b"a"])
    assert shelf.asked == [{b"a"}]


async def test_none_may_be_held() -> None:
    shelf = Shelf()
    cache = Recent(shelf, max_results=0)
    keep(cache, b"a")
    assert (await cache.find([b"a"])).keys() == {b"a"}
    assert shelf.asked == [{b"a"}]
