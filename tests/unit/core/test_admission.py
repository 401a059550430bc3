"""Places to run are bounded, given in order, and freed."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from absah_sdk import DeadlinePassed
from absah_server.core.admission import Admission
from absah_server.core.errors import Overloaded, ShuttingDown
from absah_server.core.submission import Priority


def soon() -> float:
    return asyncio.get_running_loop().time() + 30


async def hold(admission: Admission, release: asyncio.Event, order: list[str], name: str) -> None:
    async with admission.place(Priority.NORMAL, deadline=soon()):
        order.append(name)
        await release.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_more_than_may_wait_are_refused_at_once_with_a_time_to_come_back() -> None:
    admission = Admission(max_running=1, max_waiting=1)
    release = asyncio.Event()
    tasks = [asyncio.create_task(hold(admission, release, [], n)) for n in "ab"]
    await settle()
    with pytest.raises(Overloaded) as refused:
        async with admission.place(Priority.HIGH, deadline=soon()):
            pass
    assert refused.value.retry_after_seconds > 0
    release.set()
    await asyncio.gather(*tasks)
    assert admission.running == 0


async def test_the_time_to_come_back_grows_with_the_queue() -> None:
    admission = Admission(max_running=1, max_waiting=9)
    release = asyncio.Event()
    tasks = []
    waits = []
    for name in "abcd":
        waits.append(admission.retry_after_seconds())
        tasks.append(asyncio.create_task(hold(admission, release, [], name)))
        await settle()
    assert waits[1] < waits[2] < waits[3]
    release.set()
    await asyncio.gather(*tasks)


async def test_a_higher_priority_goes_first_and_equals_in_order_of_arrival() -> None:
    admission = Admission(max_running=1, max_waiting=9)
    order: list[str] = []

    async def visit(name: str, priority: Priority) -> None:
        async with admission.place(priority, deadline=soon()):
            order.append(name)

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(admission.place(Priority.NORMAL, deadline=soon()))
        tasks = []
        for name, priority in (
            ("low", Priority.LOW),
            ("first", Priority.NORMAL),
            ("second", Priority.NORMAL),
            ("high", Priority.HIGH),
        ):
            tasks.append(asyncio.create_task(visit(name, priority)))
            await settle()
    await asyncio.gather(*tasks)
    assert order == ["high", "first", "second", "low"]


async def test_a_cancelled_waiter_frees_its_place_in_the_queue() -> None:
    admission = Admission(max_running=1, max_waiting=1)
    release = asyncio.Event()
    running = asyncio.create_task(hold(admission, release, [], "a"))
    await settle()
    waiting = asyncio.create_task(hold(admission, release, [], "b"))
    await settle()
    waiting.cancel()
    await settle()
    assert admission.waiting == 0
    order: list[str] = []
    newcomer = asyncio.create_task(hold(admission, release, order, "c"))
    await settle()
    release.set()
    await asyncio.gather(running, newcomer)
    assert order == ["c"]


async def test_a_waiter_whose_deadline_passes_leaves_the_queue() -> None:
    admission = Admission(max_running=1, max_waiting=1)
    release = asyncio.Event()
    running = asyncio.create_task(hold(admission, release, [], "a"))
    await settle()
    with pytest.raises(DeadlinePassed):
        async with admission.place(
            Priority.NORMAL, deadline=asyncio.get_running_loop().time() + 0.01
        ):
            pass
    assert admission.waiting == 0
    release.set()
    await running


async def test_a_waiter_cancelled_as_its_turn_comes_passes_the_turn_on() -> None:
    admission = Admission(max_running=1, max_waiting=2)
    order: list[str] = []
    release = asyncio.Event()
    first = asyncio.create_task(hold(admission, release, order, "first"))
    await settle()
    second = asyncio.create_task(hold(admission, release, order, "second"))
    third = asyncio.create_task(hold(admission, release, order, "third"))
    await settle()
    release.set()
    await asyncio.sleep(0)  # first ends and gives its place to second …
    second.cancel()  # … which is cancelled before it runs
    await asyncio.gather(first, third)
    assert "third" in order
    assert admission.running == 0


async def test_after_closing_newcomers_are_refused_and_those_who_wait_are_served() -> None:
    admission = Admission(max_running=1, max_waiting=2)
    order: list[str] = []
    release = asyncio.Event()
    tasks = [asyncio.create_task(hold(admission, release, order, n)) for n in "ab"]
    await settle()
    admission.close()
    with pytest.raises(ShuttingDown):
        async with admission.place(Priority.HIGH, deadline=soon()):
            pass
    release.set()
    await admission.drained()
    await asyncio.gather(*tasks)
    assert order == ["a", "b"]


async def test_more_bytes_than_may_be_held_are_refused_until_some_are_let_go_of() -> None:
    admission = Admission(max_running=4, max_waiting=4, max_held_bytes=100)
    async with admission.place(Priority.NORMAL, deadline=soon(), size_bytes=60):
        with pytest.raises(Overloaded):
            async with admission.place(Priority.NORMAL, deadline=soon(), size_bytes=41):
                pass
        async with admission.place(Priority.NORMAL, deadline=soon(), size_bytes=40):
            assert admission.running == 2
    async with admission.place(Priority.NORMAL, deadline=soon(), size_bytes=41):
        assert admission.running == 1


async def test_what_alone_is_larger_than_may_be_held_is_let_in_alone() -> None:
    admission = Admission(max_running=4, max_waiting=4, max_held_bytes=100)
    async with admission.place(Priority.NORMAL, deadline=soon(), size_bytes=101):
        with pytest.raises(Overloaded):
            async with admission.place(Priority.NORMAL, deadline=soon(), size_bytes=1):
                pass


async def test_a_reader_waits_until_there_is_room_for_more_bytes() -> None:
    admission = Admission(max_running=4, max_waiting=4, max_held_bytes=100)
    async with admission.place(Priority.NORMAL, deadline=soon(), size_bytes=100):
        reading = asyncio.create_task(admission.room())
        await settle()
        assert not reading.done()
    await reading


async def test_those_that_wait_in_vain_hold_no_bytes_after() -> None:
    admission = Admission(max_running=1, max_waiting=1, max_held_bytes=100)
    async with admission.place(Priority.NORMAL, deadline=soon(), size_bytes=10):
        with pytest.raises(DeadlinePassed):
            now = asyncio.get_running_loop().time()
            async with admission.place(Priority.NORMAL, deadline=now, size_bytes=90):
                pass
        refused = asyncio.create_task(hold(admission, asyncio.Event(), [], "waits"))
        await settle()
        with pytest.raises(Overloaded):  # for the queue is full
            async with admission.place(Priority.NORMAL, deadline=soon(), size_bytes=90):
                pass
        refused.cancel()
        await asyncio.wait([refused])
    async with admission.place(Priority.NORMAL, deadline=soon(), size_bytes=100):
        assert admission.running == 1
