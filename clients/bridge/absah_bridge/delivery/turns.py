"""Turns among messages of one key, in the order in which they ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """One at a time of each key; those of other keys do not wait for it."""

    def __init__(self) -> None:
        self._turns: dict[str, _Turn] = {}

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Wait for the key's turn, and hold it."""
        turn = self._turns.setdefault(key, _Turn())
        turn.takers += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.takers -= 1
            if not turn.takers:
                del self._turns[key]


class _Turn:
    """Whose turn it is; `takers` count those that have it or wait for it."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.takers = 0
