"""Write many callers' items in one transaction: what comes while one commits goes with the next."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from absah_server.core.errors import StoreUnavailable

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")


class Batcher(Generic[T, R]):
    """Gathers items for `write`, which writes several in one transaction and answers each.

    One batch is written at a time, so that waiting for the disk is what gathers the next. A batch
    that fails is written again one by one: an item at fault fails alone.
    """

    def __init__(
        self, write: Callable[[Sequence[T]], Awaitable[Sequence[R]]], *, max_items: int = 256
    ) -> None:
        self._write = write
        self._max_items = max_items
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def submit(self, item: T) -> R:
        """Write an item; raises what `write` raises for it.

        A caller that is cancelled takes its item back, unless it is being written.
        """
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return await answer

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[: self._max_items]
                del self._waiting[: self._max_items]
                await self._settle([pair for pair in batch if not pair[1].done()])
        finally:
            self._writing = None
            _fail(self._waiting, asyncio.CancelledError())
            self._waiting = []

    async def _settle(self, batch: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        if not batch:
            return
        try:
            answers = await self._write([item for item, _ in batch])
        except StoreUnavailable as exc:
            # Nobody of them would fare better alone.
            _fail(batch, exc)
        except asyncio.CancelledError as exc:
            _fail(batch, exc)
            raise
        except Exception as exc:
            if len(batch) == 1:
                _fail(batch, exc)
                return
            log.info("batch broke, written one by one", extra={"items": len(batch)})
            for pair in batch:
                await self._settle([pair])
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)


def _fail(batch: Sequence[tuple[T, asyncio.Future[R]]], error: BaseException) -> None:
    for _, future in batch:
        if future.done():
            continue
        if isinstance(error, asyncio.CancelledError):
            future.cancel()
        else:
            future.set_exception(error)
