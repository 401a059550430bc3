"""No more bytes are in hand than there is room for, and nobody waits for ever."""

from __future__ import annotations

import asyncio

from absah_bridge.delivery.budget import Budget, Share
from absah_bridge.delivery.remembered import Remembered


class Holder:
    """Holds bytes until it is let go."""

    def __init__(self, budget: Budget, count: int) -> None:
        self.share: Share | None = None
        self._go = asyncio.Event()
        self.task = asyncio.create_task(self._hold(budget, count))

    async def _hold(self, budget: Budget, count: int) -> None:
        async with budget.taken(count) as self.share:
            await self._go.wait()

    async def end(self) -> None:
        """Let it go, and wait for it."""
        self._go.set()
        await self.task


async def settled() -> None:
    """Until no task has anything to do at once."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_finds_no_room_waits_and_is_served_in_order() -> None:
    budget = Budget(10)
    first, second, third = Holder(budget, 6), Holder(budget, 6), Holder(budget, 2)
    await settled()
    # The third would fit, but then the second might never.
    assert (first.share is not None, second.share, third.share) == (True, None, None)
    await first.end()
    await settled()
    assert second.share is not None and third.share is not None
    await second.end()
    await third.end()
    assert budget.left == 10


async def test_what_is_not_needed_after_all_is_given_back_early() -> None:
    budget = Budget(10)
    first, second = Holder(budget, 10), Holder(budget, 7)
    await settled()
    assert first.share is not None and second.share is None
    first.share.shrink(3)
    await settled()
    assert second.share is not None
    await first.end()
    await second.end()
    assert budget.left == 10


async def test_who_wants_more_than_there_is_goes_alone_and_who_wants_nothing_does_not_wait() -> (
    None
):
    budget = Budget(10)
    small, large, nothing = Holder(budget, 1), Holder(budget, 1000), Holder(budget, 0)
    await settled()
    assert large.share is None and nothing.share is not None
    await small.end()
    await settled()
    assert large.share is not None and budget.left == 0
    await large.end()
    await nothing.end()
    assert budget.left == 10


async def test_who_gives_up_waiting_holds_up_nobody() -> None:
    budget = Budget(10)
    first, second, third = Holder(budget, 6), Holder(budget, 9), Holder(budget, 4)
    await settled()
    second.task.cancel()
    await settled()
    assert third.share is not None
    # Given room and cancelled in the same moment, it gives the room back.
    fourth = Holder(budget, 6)
    await settled()
    assert fourth.share is None
    await first.end()
    fourth.task.cancel()
    await third.end()
    await settled()
    assert budget.left == 10


def test_what_was_not_asked_for_the_longest_is_forgotten_first() -> None:
    remembered: Remembered[str, int] = Remembered(most=2)
    remembered.put("a", 1)
    remembered.put("b", 2)
    assert remembered.get("a") == 1
    remembered.put("c", 3)
    assert (remembered.get("b"), remembered.get("a"), remembered.get("c")) == (None, 1, 3)
    remembered.forget("a")
    assert (remembered.get("a"), len(remembered)) == (None, 1)
