"""Bytes that may be in hand at a time, whoever has them."""

from __future__ import annotations

import asyncio
import collections


class Budget:
    """So many bytes for all that ask, who are served in their order.

    Who asks for more than there are has them all, and is alone with them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = most
        self._waiting: collections.deque[tuple[int, asyncio.Future[None]]] = collections.deque()

    @property
    def left(self) -> int:
        """Bytes that nobody has."""
        return self._left

    def taken(self, count: int) -> Share:
        """So many bytes, waited for and held within the block."""
        return Share(self, min(count, self._most))

    async def take(self, count: int) -> None:
        """Wait for bytes."""
        if count and (self._waiting or count > self._left):
            await self._turn(count)
        else:
            self._left -= count

    async def _turn(self, count: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((count, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give(count)  # it was given them in the same moment
            else:
                self.give(0)  # those behind it may want less than it did
            raise

    def give(self, count: int) -> None:
        """Take bytes back, and give them to those that wait."""
        self._left += count
        while self._waiting:
            wanted, turn = self._waiting[0]
            if not turn.done():
                if wanted > self._left:
                    return
                self._left -= wanted
                turn.set_result(None)
            self._waiting.popleft()


class Share:
    """What one of them has."""

    def __init__(self, budget: Budget, count: int) -> None:
        self._budget = budget
        self.count = count
        """Bytes."""

    async def __aenter__(self) -> Share:
        await self._budget.take(self.count)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.shrink(0)

    def shrink(self, count: int) -> None:
        """Keep so many bytes, of those that it has."""
        given = self.count - min(count, self.count)
        self.count -= given
        if given:
            self._budget.give(given)
