"""Keep what befell messages, in the core's database, so that it survives requeues and restarts."""

from __future__ import annotations

import asyncio
import datetime
import logging
import uuid
from typing import Protocol

import grpc

import absah
from absah.admin.v1 import admin_service_pb2 as pb2
from absah_bridge.errors import BridgeError, MessageInvalid

log = logging.getLogger(__name__)

MOST_NOTES = 500
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 15.0
REFUSALS = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.UNIMPLEMENTED,
}


class LedgerFailed(BridgeError):
    """Something could not be noted, and is not going to be."""


class Ledger(Protocol):
    """Where what befell messages is kept."""

    async def note(self, attempt: pb2.MessageAttempt) -> None:
        """Returns when it is kept."""


class CoreLedger:
    """Notes by way of the core; what comes while a call is under way goes with the next.

    While the core is away it waits: a message that cannot be noted is not acknowledged either.
    """

    def __init__(self, client: absah.AsyncClient) -> None:
        self._client = client
        self._waiting: list[tuple[pb2.MessageAttempt, asyncio.Future[None]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def note(self, attempt: pb2.MessageAttempt) -> None:
        """See `Ledger.note`."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((attempt, kept))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())
        await kept

    async def close(self) -> None:
        """Give up what is not noted yet."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)

    async def _send(self) -> None:
        while self._waiting:
            batch = self._waiting[:MOST_NOTES]
            del self._waiting[:MOST_NOTES]
            error: BaseException | None = None
            try:
                await self._keep([attempt for attempt, _ in batch])
            except absah.CallFailed as exc:
                # It will never take these; the parking queue still has their messages.
                log.error("ledger refuses", extra={"code": exc.code.name, "reason": exc.reason})
            except BaseException as exc:
                error = exc
                raise
            finally:
                for _, kept in batch:
                    if kept.done():
                        continue
                    if error is None:
                        kept.set_result(None)
                    else:
                        kept.set_exception(LedgerFailed(type(error).__name__))

    async def _keep(self, attempts: list[pb2.MessageAttempt]) -> None:
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                await self._client.record_message_attempts(attempts)
                return
            except absah.CallFailed as exc:
                if exc.code in REFUSALS and exc.reason != "NOTHING_KEPT":
                    raise
                await asyncio.sleep(exc.retry_after_seconds or wait)
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)


def attempt(
    *,
    system: str,
    message_key: str,
    queue: str,
    attempt: int,
    outcome: str,
    error: MessageInvalid | None = None,
    reason: str = "",
) -> pb2.MessageAttempt:
    """A note; `outcome` is a bare word such as "PARKED". Texts are cut to what the core takes."""
    made = pb2.MessageAttempt(
        note_id=uuid.uuid4().hex,
        system=system,
        message_key=message_key[:255],
        queue=queue,
        attempt=attempt,
        outcome=f"MESSAGE_OUTCOME_{outcome}",
        cause=error.cause.value if error else "",
        field=error.field[:255] if error else "",
        position=error.position[:255] if error else "",
        problem=(error.problem if error else reason)[:1000],
    )
    made.event_time.FromDatetime(datetime.datetime.now(datetime.UTC))
    return made
