"""Only a few requests are read at a time, and a slow one holds up no others for long."""

from __future__ import annotations

import asyncio

from absah_server.rpc.reading import Turns


async def read(turns: Turns, arrived: asyncio.Event, under_way: set[str], name: str) -> None:
    async with turns.turn():
        under_way.add(name)
        try:
            await arrived.wait()
        finally:
            under_way.discard(name)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_third_waits_until_one_of_two_has_arrived() -> None:
    turns = Turns(2, patience_seconds=60)
    under_way: set[str] = set()
    arrivals = {name: asyncio.Event() for name in "abc"}
    tasks = [
        asyncio.create_task(read(turns, arrived, under_way, name))
        for name, arrived in arrivals.items()
    ]
    await settle()
    assert under_way == {"a", "b"}
    arrivals["b"].set()
    await settle()
    assert under_way == {"a", "c"}
    for arrived in arrivals.values():
        arrived.set()
    await asyncio.gather(*tasks)


async def test_a_slow_one_goes_on_but_gives_its_turn_to_the_next() -> None:
    turns = Turns(1, patience_seconds=0.01)
    under_way: set[str] = set()
    arrivals = {name: asyncio.Event() for name in "abc"}
    slow = asyncio.create_task(read(turns, arrivals["a"], under_way, "a"))
    await asyncio.sleep(0.05)
    assert under_way == {"a"}
    others = [asyncio.create_task(read(turns, arrivals[n], under_way, n)) for n in "bc"]
    await asyncio.sleep(0.05)
    assert under_way == {"a", "b", "c"}
    for arrived in arrivals.values():
        arrived.set()
    await asyncio.gather(slow, *others)
    async with asyncio.timeout(5), turns.turn():
        assert not under_way


async def test_one_that_is_cancelled_gives_its_turn_back_once() -> None:
    turns = Turns(1, patience_seconds=60)
    under_way: set[str] = set()
    never = asyncio.Event()
    first, second, third = (
        asyncio.create_task(read(turns, never, under_way, name)) for name in "abc"
    )
    await settle()
    second.cancel()  # while it waits
    first.cancel()  # while it reads
    await settle()
    assert under_way == {"c"}
    third.cancel()
    await asyncio.wait([first, second, third])
