"""The core is called as often as it bears, and not at all for as long as it says."""

from __future__ import annotations

import asyncio

from absah_bridge.delivery.flow import FIRST_LIMIT, Flow


class Callers:
    """Callers that hold their place until they are let go."""

    def __init__(self, flow: Flow, count: int) -> None:
        self.calling = 0
        self.order: list[int] = []
        self._flow = flow
        self._go = asyncio.Event()
        self.tasks = [asyncio.create_task(self._call(number)) for number in range(count)]

    async def _call(self, number: int) -> None:
        async with self._flow.place():
            self.calling += 1
            self.order.append(number)
            await self._go.wait()
            self.calling -= 1

    async def end(self) -> None:
        """Let all go, and wait for them."""
        self._go.set()
        await asyncio.gather(*self.tasks)


async def settled() -> None:
    """Until no task has anything to do at once."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_as_many_call_at_once_as_the_limit_says_in_their_order() -> None:
    callers = Callers(Flow(most=128), FIRST_LIMIT + 5)
    await settled()
    assert callers.calling == FIRST_LIMIT
    await callers.end()
    assert callers.order == list(range(FIRST_LIMIT + 5))


async def test_the_limit_grows_by_one_a_round_up_to_the_most() -> None:
    flow = Flow(most=FIRST_LIMIT + 2)
    for _ in range(FIRST_LIMIT + 1):
        flow.succeeded()
    assert flow.limit == FIRST_LIMIT + 1
    for _ in range(100):
        flow.succeeded()
    assert flow.limit == FIRST_LIMIT + 2


async def test_nobody_calls_before_retry_after_is_over() -> None:
    flow = Flow(most=128)
    flow.refused(0.05)
    began = asyncio.get_running_loop().time()
    callers = Callers(flow, 1)
    await settled()
    assert callers.calling == 0
    await callers.end()
    assert asyncio.get_running_loop().time() - began >= 0.05


async def test_refusals_of_one_moment_lower_the_limit_once() -> None:
    flow = Flow(most=128)
    for _ in range(10):
        flow.refused(0.01)
    assert flow.limit == int(FIRST_LIMIT * 0.7)


async def test_one_at_a_time_looks_whether_the_core_is_back() -> None:
    flow = Flow(most=128)
    flow.lost(0.0)
    callers = Callers(flow, 3)
    async with asyncio.timeout(10):
        while not callers.calling:
            await asyncio.sleep(0.01)
    await settled()
    assert callers.calling == 1
    flow.succeeded()
    await settled()
    assert callers.calling == 3
    await callers.end()


async def test_who_waits_no_longer_takes_no_place() -> None:
    flow = Flow(most=1)
    callers = Callers(flow, 3)
    await settled()
    callers.tasks[1].cancel()
    await settled()
    callers.tasks.pop(1)
    await callers.end()
    assert callers.order == [0, 2]


async def test_a_place_that_is_given_in_the_moment_of_a_cancel_is_given_on() -> None:
    flow = Flow(most=1)
    callers = Callers(flow, 3)
    await settled()
    # The first one ends, which gives the second its place; that one is cancelled before it runs.
    callers.tasks.pop(0).cancel()
    await asyncio.sleep(0)
    assert callers.order == [0]
    callers.tasks.pop(0).cancel()
    await settled()
    assert callers.order == [0, 2]
    await callers.end()
