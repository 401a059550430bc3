"""Ask the core to validate, as fast as it takes it and for as long as it is away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import grpc

import absah
from absah.v1 import validation_pb2, validation_service_pb2
from absah_bridge.delivery.flow import Flow
from absah_bridge.delivery.remembered import Remembered
from absah_bridge.errors import BridgeError, Cause, MessageInvalid

log = logging.getLogger(__name__)

PERMANENT = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.OUT_OF_RANGE,
}
"""What a message will be told however often it is sent."""
AWAY = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    # How the core or the bridge is set up is at fault, not the message.
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
}
NO_STORE = "NOTHING_KEPT"
"""Why a core without a database accepts nothing: that, too, is no message's fault."""
ENDED = {
    validation_pb2.STATE_SUCCEEDED,
    validation_pb2.STATE_FAILED,
    validation_pb2.STATE_CANCELLED,
}


MOST_REMEMBERED = 100_000
LEAST_WATCH_SECONDS = 60.0
"""A validation that is overdue is still watched for so long at each attempt: the core, and its
workers, may be back only now."""

Asking = Callable[[str], AbstractAsyncContextManager[validation_service_pb2.ValidateRequest]]
"""The request with its documents, under an id, for as long as they are needed."""


class CoreFailed(BridgeError):
    """The core broke at it; another attempt may go better."""


class Core:
    """The core over gRPC, for one system. `flow` is shared by all that call it."""

    def __init__(self, client: absah.AsyncClient, flow: Flow) -> None:
        self._client = client
        self._flow = flow
        self._names: Remembered[str, tuple[str, str]] = Remembered(most=MOST_REMEMBERED)
        """By their marks, under which id requests were accepted last, and as what."""
        self._since: Remembered[str, float] = Remembered(most=MOST_REMEMBERED)
        """Since when validations are waited for, in seconds of the loop's clock."""

    async def validate(
        self,
        request_id: str,
        asking: Asking,
        *,
        timeout_seconds: float,
        redriven: int = 0,
        mark: str = "",
    ) -> validation_pb2.Validation:
        """Have a request validated, and wait for the end of it.

        Asking again under the same request id finds the same validation. For a message that people
        redrove so many times, one that had failed is done anew, under an id that counts them; a
        verdict is never asked for twice. A request with a `mark`, which only its like have, is not
        made again where it was accepted before, until `forget`. While the core refuses or is away
        this waits, without a limit of its own. Raises `MessageInvalid` for what the core will never
        accept, `CoreFailed` or TimeoutError for what may go better another time.
        """
        for round_ in range(redriven + 1):
            id_ = f"{request_id}:r{round_}" if round_ else request_id
            validation = await self._accepted(id_, asking, mark)
            if validation.state not in ENDED:
                validation = await self._ended(validation.name, timeout_seconds)
            if validation.state == validation_pb2.STATE_SUCCEEDED:
                return validation
        raise MessageInvalid(
            Cause.VALIDATION_FAILED,
            f"{validation.name} ended without a verdict: {validation.error.message}",
        )

    def forget(self, mark: str) -> None:
        """Its message was answered: should it come again, its request is made again."""
        self._names.forget(mark)

    async def _accepted(self, id_: str, asking: Asking, mark: str) -> validation_pb2.Validation:
        known, name = (self._names.get(mark) if mark else None) or ("", "")
        if known == id_:
            try:
                return await self._validation(name)
            except MessageInvalid:  # it was purged since
                self._names.forget(mark)
        async with asking(id_) as message:
            created = await self._create(message)
        if mark:
            self._names.put(mark, (id_, created.name))
        return created

    async def _create(
        self, message: validation_service_pb2.ValidateRequest
    ) -> validation_pb2.Validation:
        return await self._called(lambda: self._client.submit(message))

    async def _validation(self, name: str) -> validation_pb2.Validation:
        return await self._called(lambda: self._client.validation(name))

    async def _called(
        self, call: Callable[[], Awaitable[validation_pb2.Validation]]
    ) -> validation_pb2.Validation:
        while True:
            async with self._flow.place():
                try:
                    answer = await call()
                except absah.CallFailed as exc:
                    self._learn(exc)
                else:
                    self._flow.succeeded()
                    return answer

    def _learn(self, error: absah.CallFailed) -> None:
        """Slow down or wait for what passes by itself; raise what does not."""
        if error.code in AWAY or error.reason == NO_STORE:
            if not self._flow.away:
                log.error("core away", extra={"code": error.code.name, "reason": error.reason})
            self._flow.lost(error.retry_after_seconds)
        elif _busy(error):
            self._flow.refused(error.retry_after_seconds)
        elif error.code in PERMANENT or error.reason == "LIMIT_EXCEEDED":
            self._flow.succeeded()
            raise _refused(error) from error
        else:
            raise CoreFailed(f"{error.code.name}: {error.message}") from error

    async def _ended(self, name: str, timeout_seconds: float) -> validation_pb2.Validation:
        """Its time counts from when this bridge first waited for it, however often it was held
        since; it is over when the core itself says that it has not ended."""
        clock = asyncio.get_running_loop().time
        since = self._since.get(name)
        if since is None:
            since = clock()
            self._since.put(name, since)
        least = clock() + min(timeout_seconds, LEAST_WATCH_SECONDS)
        validation = await self._watched(name, max(since + timeout_seconds, least))
        if validation.state not in ENDED:
            raise TimeoutError(f"{name} has not ended in {timeout_seconds:g} s")
        self._since.forget(name)
        return validation

    async def _watched(self, name: str, deadline: float) -> validation_pb2.Validation:
        """The validation once it has ended, or as it is after the deadline."""
        clock = asyncio.get_running_loop().time
        while (left := deadline - clock()) > 0:
            try:
                return await self._client.wait_for_validation(name, timeout_seconds=left)
            except absah.CallFailed as exc:
                if exc.code in PERMANENT and exc.reason != NO_STORE:
                    raise _refused(exc) from exc
                # It goes on without us; the store may be away, or the server was replaced.
                log.info("watching again", extra={"validation": name, "code": exc.code.name})
                left = max(deadline - clock(), 0.0)
                await asyncio.sleep(min(exc.retry_after_seconds or 1.0, left))
        return await self._validation(name)


def _busy(error: absah.CallFailed) -> bool:
    """Whether the core says so; gRPC itself has the same code for a message that is too long."""
    return error.code is grpc.StatusCode.RESOURCE_EXHAUSTED and error.reason not in (
        "",
        "LIMIT_EXCEEDED",
    )


def _refused(error: absah.CallFailed) -> MessageInvalid:
    fields = "; ".join(f"{field}: {problem}" for field, problem in error.fields)
    return MessageInvalid(
        Cause.REQUEST_REFUSED,
        f"the core refuses it ({error.reason or error.code.name}): {fields or error.message}",
        field=error.fields[0][0] if error.fields else "",
    )
