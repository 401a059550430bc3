"""The calls that are about messages of legacy systems which were not answered at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import grpc

from absah.admin.v1 import admin_service_pb2 as pb2
from absah.admin.v1 import admin_service_pb2_grpc
from absah.errors import from_rpc_error


class DeadLetterCalls:
    """What an `AdminClient` asks of the dead letters of its tenant, named as "deadLetters/4711"."""

    _stub: Any
    _call: Callable[..., Any]

    def dead_letter_groups(self, *, system: str = "") -> list[pb2.DeadLetterGroup]:
        """Parked messages by system, cause and field, the largest group first."""
        found, message = [], pb2.ListDeadLetterGroupsRequest(system=system)
        while True:
            answer = self._call(self._stub.ListDeadLetterGroups, message)
            found += answer.groups
            message.page_token = answer.next_page_token
            if not message.page_token:
                return found

    def dead_letters(
        self, *, system: str = "", cause: str = "", field: str = "", state: str = "PARKED"
    ) -> Iterator[pb2.DeadLetter]:
        """Dead letters, the newest first; pages are asked for as they are needed.

        `state` is a bare word such as "PARKED"; raises ValueError for one that there is not.
        """
        wanted = pb2.DeadLetterFilter(
            system=system,
            cause=cause,
            field=field,
            state=f"MESSAGE_OUTCOME_{state}",
        )
        message = pb2.ListDeadLettersRequest(filter=wanted)
        while True:
            answer = self._call(self._stub.ListDeadLetters, message)
            yield from answer.dead_letters
            message.page_token = answer.next_page_token
            if not message.page_token:
                return

    def dead_letter(self, name: str) -> pb2.DeadLetter:
        """One dead letter with all that befell it."""
        message = pb2.GetDeadLetterRequest(name=name)
        found: pb2.DeadLetter = self._call(self._stub.GetDeadLetter, message).dead_letter
        return found

    def record_message_attempts(self, attempts: Sequence[pb2.MessageAttempt]) -> None:
        """Note what befell messages; at most 1000 at a time."""
        message = pb2.RecordMessageAttemptsRequest(attempts=attempts)
        self._call(self._stub.RecordMessageAttempts, message)


class AsyncMessageCalls:
    """What the bridge tells with an `AsyncClient`."""

    _channel: Any
    _timeout_seconds: float

    async def record_message_attempts(self, attempts: Sequence[pb2.MessageAttempt]) -> None:
        """Note what befell messages; at most 1000 at a time. Raises `CallFailed`."""
        stub = admin_service_pb2_grpc.AdminServiceStub(self._channel)
        message = pb2.RecordMessageAttemptsRequest(attempts=attempts)
        try:
            await stub.RecordMessageAttempts(message, timeout=self._timeout_seconds)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc
