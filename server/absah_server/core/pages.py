"""Decode each document once for all checks that look at its pixels, and let go of them soon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from absah_sdk import Document
from absah_server.core.ports import DecodedPages, Sandbox


@dataclass(kw_only=True, slots=True)
class _Loan:
    """A decoding that several checks share; it ends with the last of them."""

    decoding: asyncio.Task[DecodedPages]
    borrowers: int = 0


class PageSupply:
    """Decoded pages of one validation's documents.

    `room` bounds how many documents of the whole server are held decoded at once, which bounds its
    memory. A check takes room only when it is ready to run, so none waits for another with it.
    """

    def __init__(self, sandbox: Sandbox, room: asyncio.Semaphore) -> None:
        self._sandbox = sandbox
        self._room = room
        self._loans: dict[str, _Loan] = {}

    @asynccontextmanager
    async def lend(self, document: Document, deadline: float) -> AsyncIterator[Document]:
        """The document with its pages, decoded at the first call.

        Raises `DocumentUnreadable` or `DeadlinePassed`.
        """
        loan = self._loans.get(document.name)
        if loan is None:
            decoding = asyncio.create_task(self._decode(document, deadline))
            loan = self._loans[document.name] = _Loan(decoding=decoding)
        loan.borrowers += 1
        try:
            decoded = await asyncio.shield(loan.decoding)
            yield replace(document, pages=decoded.pages, frames=decoded.frames)
        finally:
            loan.borrowers -= 1
            if not loan.borrowers:
                del self._loans[document.name]
                self._end(loan.decoding)

    async def _decode(self, document: Document, deadline: float) -> DecodedPages:
        await self._room.acquire()
        try:
            return await self._sandbox.decode(
                document.content, document.media_type, deadline=deadline
            )
        except BaseException:
            self._room.release()
            raise

    def _end(self, decoding: asyncio.Task[DecodedPages]) -> None:
        if not decoding.done():
            decoding.cancel()
        elif not decoding.cancelled() and decoding.exception() is None:
            decoding.result().release()
            self._room.release()
