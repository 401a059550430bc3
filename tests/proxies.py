"""A TCP proxy that cuts: what is behind it seems to fail as networks do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Proxy:
    """Passes bytes on to a port of this machine until it is told to cut."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._left: int | None = None
        self._server: asyncio.Server | None = None
        self.connections = 0
        """How many there have been."""

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def cut(self) -> None:
        """Reset all connections."""
        for writer in list(self._writers):
            writer.transport.abort()

    def cut_after(self, size_bytes: int) -> None:
        """Reset all connections once that many more bytes went to the target, in midst of them."""
        self._left = size_bytes

    async def close(self) -> None:
        """Cut, and listen no more."""
        assert self._server is not None
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, forth}
        self._writers |= ends
        try:
            await asyncio.gather(
                self._pass(reader, forth, counted=True), self._pass(back, writer, counted=False)
            )
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counted: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while content := await reader.read(2**16):
                if counted and self._left is not None:
                    content, self._left = content[: self._left], self._left - len(content)
                writer.write(content)
                await writer.drain()
                if self._left is not None and self._left <= 0:
                    self._left = None
                    self.cut()
            writer.close()


@asynccontextmanager
async def proxy(port: int) -> AsyncIterator[Proxy]:
    """A proxy to a port of this machine, for the length of the block."""
    made = Proxy(port)
    await made.start()
    try:
        yield made
    finally:
        await made.close()
