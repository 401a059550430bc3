"""Items of many callers are written together, and each caller is answered for its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from absah_server.core.errors import StoreUnavailable
from absah_server.store.batching import Batcher


class Writes:
    """Writes numbers and answers their doubles; odd ones below zero are at fault."""

    def __init__(self) -> None:
        self.batches: list[Sequence[int]] = []
        self.gate = asyncio.Event()
        self.away = False

    async def write(self, items: Sequence[int]) -> Sequence[int]:
        self.batches.append(items)
        await self.gate.wait()
        if self.away:
            raise StoreUnavailable(retry_after_seconds=1.0)
        if any(item < 0 for item in items):
            raise ValueError("negative")
        return [2 * item for item in items]


@pytest.fixture
def writes() -> Writes:
    return Writes()


@pytest.fixture
def batcher(writes: Writes) -> Batcher[int, int]:
    return Batcher(writes.write, max_items=4)


async def submitted(batcher: Batcher[int, int], items: Sequence[int]) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(batcher.submit(item)) for item in items]
    await asyncio.sleep(0.01)
    return tasks


async def test_what_comes_while_one_is_written_is_written_together(
    writes: Writes, batcher: Batcher[int, int]
) -> None:
    tasks = await submitted(batcher, [0]) + await submitted(batcher, [1, 2, 3, 4, 5])
    writes.gate.set()
    assert await asyncio.gather(*tasks) == [0, 2, 4, 6, 8, 10]
    assert writes.batches == [[0], [1, 2, 3, 4], [5]]


async def test_an_item_at_fault_fails_alone(writes: Writes, batcher: Batcher[int, int]) -> None:
    tasks = await submitted(batcher, [0]) + await submitted(batcher, [1, -1, 2])
    writes.gate.set()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [ended[0], ended[1], ended[3]] == [0, 2, 4]
    assert isinstance(ended[2], ValueError)


async def test_a_store_that_is_away_fails_all_at_once(
    writes: Writes, batcher: Batcher[int, int]
) -> None:
    tasks = await submitted(batcher, [0]) + await submitted(batcher, [1, 2])
    writes.away = True
    writes.gate.set()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, StoreUnavailable) for each in ended)
    assert writes.batches == [[0], [1, 2]]


async def test_a_caller_that_goes_takes_its_item_along_and_no_other(
    writes: Writes, batcher: Batcher[int, int]
) -> None:
    tasks = await submitted(batcher, [0]) + await submitted(batcher, [1, 2])
    tasks[1].cancel()
    writes.gate.set()
    assert await asyncio.gather(tasks[0], tasks[2]) == [0, 4]
    assert writes.batches == [[0], [2]]


async def test_a_caller_that_goes_while_its_item_is_written_harms_no_other(
    writes: Writes, batcher: Batcher[int, int]
) -> None:
    tasks = await submitted(batcher, [0]) + await submitted(batcher, [1])
    tasks[0].cancel()
    writes.gate.set()
    assert await tasks[1] == 2
    assert await batcher.submit(3) == 6
