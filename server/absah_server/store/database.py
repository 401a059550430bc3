"""Connections to PostgreSQL: a pool, transactions, and the truth about whether it answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import psycopg_pool
from psycopg.rows import DictRow, dict_row

from absah_server.core.errors import StoreHindered, StoreUnavailable

log = logging.getLogger(__name__)

Connection = psycopg.AsyncConnection[DictRow]
GONE = (psycopg.OperationalError, psycopg.InterfaceError, psycopg_pool.PoolTimeout)
"""Among what psycopg raises when the server is away; see `is_gone` for which of them mean it."""
GONE_STATES = ("08", "57P", "53300")
"""Begins of the SQLSTATEs that mean so: connection, shutdown or start-up, too many clients."""
HINDERED_STATES = {
    "25006": "is read-only, perhaps a standby",
    "53100": "has no space left; its operator must make room",
    "53": "lacks memory or other resources",
    "57014": "took too long for this",
    "58": "cannot use its disk",
}
"""Begins of those with which it answers, and which pass without any fault of what was asked."""
PROBE_SECONDS = 0.5
PROBE_TIMEOUT_SECONDS = 5.0
"""One that is slow, on a busy machine, is not gone."""
RETRY_AFTER_SECONDS = 1.0
HINDERED_SECONDS = 5.0
"""When to come back where it is hindered: what takes too long is not asked for all the time."""


class Database:
    """A pool of connections that fails fast: while PostgreSQL is away nobody waits for it.

    `wait_seconds` is how long a caller waits for a free connection, `statement_seconds` how long
    one statement may take.
    """

    def __init__(
        self,
        url: str,
        *,
        max_connections: int = 10,
        wait_seconds: float = 5.0,
        statement_seconds: float = 30.0,
    ) -> None:
        self.url = url
        self._pool = psycopg_pool.AsyncConnectionPool(
            url,
            connection_class=psycopg.AsyncConnection[DictRow],
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                "connect_timeout": 3,
                "application_name": "absah",
                "options": f"-c statement_timeout={int(statement_seconds * 1000)} -c timezone=UTC",
            },
            min_size=1,
            max_size=max_connections,
            timeout=wait_seconds,
            reconnect_timeout=1.0,
            open=False,
        )
        self._available = False
        self._watching: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._gone: asyncio.Future[None]
        self._since = 0.0

    @property
    def available(self) -> bool:
        """Whether PostgreSQL answered last time."""
        return self._available

    @property
    def available_seconds(self) -> float:
        """For how long PostgreSQL has answered without a break."""
        return time.monotonic() - self._since if self._available else 0.0

    async def open(self, *, timeout_seconds: float = 10.0) -> None:
        """Connect, and keep looking whether PostgreSQL answers; raises `StoreUnavailable`."""
        # It warns of each attempt to connect, which `_watch` and the error below tell once.
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
        try:
            await self._pool.open(wait=True, timeout=timeout_seconds)
        except GONE as exc:
            await self._pool.close()
            why = await why_unreachable(self.url, timeout_seconds=3)
            raise StoreUnavailable(retry_after_seconds=RETRY_AFTER_SECONDS, why=why) from exc
        self._gone = asyncio.get_running_loop().create_future()
        self._available, self._since = True, time.monotonic()
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Let go of all connections; what still uses one is waited for, shortly."""
        if self._watching:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        await self._pool.close(timeout=5.0)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection in autocommit mode.

        Raises `StoreUnavailable` when PostgreSQL is away, `StoreHindered` when it cannot do what it
        is asked just now.
        """
        if not self._available:
            raise StoreUnavailable(retry_after_seconds=RETRY_AFTER_SECONDS)
        connection = await self._take()
        try:
            yield connection
        except psycopg.Error as exc:
            if is_gone(exc):
                self._tell(available=False)
                raise StoreUnavailable(retry_after_seconds=RETRY_AFTER_SECONDS) from exc
            if problem := hindrance(exc):
                log.error("database hindered", extra={"why": problem, "sqlstate": exc.sqlstate})
                raise StoreHindered(retry_after_seconds=HINDERED_SECONDS, problem=problem) from exc
            raise
        finally:
            await self._pool.putconn(connection)

    async def _take(self) -> Connection:
        """A connection of the pool; nobody goes on waiting for one when PostgreSQL is gone."""
        taking = asyncio.ensure_future(self._pool.getconn())
        gone = self._gone
        try:
            await asyncio.wait((taking, gone), return_when=asyncio.FIRST_COMPLETED)
            if taking.done():
                return taking.result()
        except psycopg_pool.PoolTimeout as exc:
            raise StoreUnavailable(retry_after_seconds=RETRY_AFTER_SECONDS) from exc
        except asyncio.CancelledError:
            if taking.done() and not taking.cancelled() and taking.exception() is None:
                await self._pool.putconn(taking.result())
            raise
        finally:
            if not taking.done():
                taking.cancel()
        raise StoreUnavailable(retry_after_seconds=RETRY_AFTER_SECONDS)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection within a transaction, committed at the end unless an exception leaves.

        `StoreUnavailable` from the commit itself leaves open whether it happened: what runs in it
        must be safe to do again.
        """
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def changed(self) -> None:
        """Wait until `available` changes."""
        await self._changed.wait()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            try:
                async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                    await self._probe()
            except (*GONE, TimeoutError):
                self._tell(available=False)
            else:
                self._tell(available=True)

    async def _probe(self) -> None:
        """Ask on a connection of its own: all those of the pool may be busy, or dead."""
        connection = await psycopg.AsyncConnection.connect(self.url, connect_timeout=4)
        try:
            await connection.execute("select 1")
        finally:
            await connection.close()

    def _tell(self, *, available: bool) -> None:
        if available == self._available:
            return
        self._available = available
        log.log(
            logging.INFO if available else logging.ERROR,
            "database back" if available else "database gone",
        )
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        if available:
            self._since = time.monotonic()
            self._gone = asyncio.get_running_loop().create_future()
        elif not self._gone.done():
            self._gone.set_result(None)


async def why_unreachable(url: str, *, timeout_seconds: float) -> str:
    """What keeps PostgreSQL from answering at a URL; empty where it does. Tells no password."""
    try:
        async with asyncio.timeout(timeout_seconds):
            connection = await psycopg.AsyncConnection.connect(url)
            await connection.close()
    except TimeoutError:
        return f"PostgreSQL does not answer within {timeout_seconds:g} s"
    except psycopg.ProgrammingError:
        return "the URL is not of the form postgresql://user:password@host:5432/database"
    except psycopg.Error as exc:
        return str(exc).partition("\n")[0]
    return ""


def is_gone(error: Exception) -> bool:
    """Whether it means that PostgreSQL is away, not that a statement was at fault."""
    if isinstance(error, psycopg.Error) and error.sqlstate:
        return error.sqlstate.startswith(GONE_STATES)
    return isinstance(error, GONE)


def hindrance(error: psycopg.Error) -> str:
    """Why PostgreSQL cannot do just now what it was asked; empty where that is not so."""
    state = error.sqlstate or ""
    return next((why for begin, why in HINDERED_STATES.items() if state.startswith(begin)), "")
