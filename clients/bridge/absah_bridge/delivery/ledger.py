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
from absah_bridge.delivery import amqp
from absah_bridge.errors import BridgeError, MessageInvalid

log = logging.getLogger(__name__)

MOST_NOTES = 500
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 15.0
REFUSALS = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNIMPLEMENTED,
}
"""What notes will be told however often they are sent."""
BROKEN = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS}
"""The core broke at it, which may be for one of the notes."""
TRIES = 3
"""Of notes that the core breaks at."""


class LedgerFailed(BridgeError):
    """Something could not be noted, and is not going to be."""


_Note = tuple[pb2.MessageAttempt, asyncio.Future[None]]
"""With what is done when it is kept, or cancelled when nobody waits for it."""


class Ledger(Protocol):
    """Where what befell messages is kept."""

    async def note(self, attempt: pb2.MessageAttempt) -> None:
        """Returns when it is kept."""


class CoreLedger:
    """Notes by way of the core; what comes while a call is under way goes with the next.

    While the core is away it waits: a message that cannot be noted is not acknowledged either. Who
    waits for it no longer has their note withdrawn. What the core will never take is told and given
    up, so that its message is parked nevertheless.
    """

    def __init__(self, client: absah.AsyncClient) -> None:
        self._client = client
        self._waiting: list[_Note] = []
        self._sending: asyncio.Task[None] | None = None
        self._away = False

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
            try:
                await self._keep(batch)
            except BaseException as exc:
                for _, kept in batch:
                    amqp.fail(kept, LedgerFailed(type(exc).__name__))
                raise

    async def _keep(self, batch: list[_Note]) -> None:
        """Keep them all but for those that the core will never take."""
        try:
            await self._record(batch)
        except absah.CallFailed as exc:
            if len(batch) > 1:
                # One that is refused must not take the others with it.
                half = len(batch) // 2
                await self._keep(batch[:half])
                await self._keep(batch[half:])
                return
            log.error(
                "ledger refuses",
                extra={
                    "system": batch[0][0].system,
                    "code": exc.code.name,
                    "reason": exc.reason,
                    "fields": [field for field, _ in exc.fields],
                },
            )
        for _, kept in batch:
            amqp.resolve(kept, None)

    async def _record(self, batch: list[_Note]) -> None:
        """Raises `absah.CallFailed` where the core will not take them."""
        wait, broken = FIRST_WAIT_SECONDS, 0
        while attempts := [attempt for attempt, kept in batch if not kept.done()]:
            try:
                await self._client.record_message_attempts(attempts)
            except absah.CallFailed as exc:
                broken += exc.code in BROKEN
                if broken == TRIES or (exc.code in REFUSALS and exc.reason != "NOTHING_KEPT"):
                    raise
                self._tell(exc)
                await asyncio.sleep(exc.retry_after_seconds or wait)
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)
            else:
                self._tell(None)
                return

    def _tell(self, error: absah.CallFailed | None) -> None:
        """Log once that messages wait to be noted, and once that they no longer do."""
        if error is not None and not self._away:
            extra = {"code": error.code.name, "reason": error.reason}
            log.warning("messages wait to be noted", extra=extra)
        elif error is None and self._away:
            log.info("messages are noted again")
        self._away = error is not None


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
        message_key=_fit(message_key, 255),
        queue=queue,
        attempt=attempt,
        outcome=f"MESSAGE_OUTCOME_{outcome}",
        cause=error.cause.value if error else "",
        field=_fit(error.field, 255) if error else "",
        position=_fit(error.position, 255) if error else "",
        problem=_fit(error.problem if error else reason, 1000),
    )
    made.event_time.FromDatetime(datetime.datetime.now(datetime.UTC))
    return made


def _fit(text: str, most: int) -> str:
    """As a database can hold it."""
    return text.replace("\0", "?")[:most]
