"""Keep validations in PostgreSQL: accept, find, list and cancel them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

from absah_server.core import names
from absah_server.core.acceptance import Entry
from absah_server.core.audit import AuditEvent
from absah_server.core.callers import Caller
from absah_server.core.errors import RequestIdReused, ValidationNotFound, WrongState
from absah_server.core.listing import ValidationFilter
from absah_server.core.validation import Fault, FaultReason, State, Validation
from absah_server.store import archive, audit, queries, reading, validations
from absah_server.store.accepting import AcceptedWriter, Answer
from absah_server.store.batching import Batcher
from absah_server.store.database import Connection, Database

SQL = queries.load("validations")
CANCELLED = Fault(reason=FaultReason.CANCELLED, message="it was cancelled on request")


class PostgresValidations:
    """Validations, as `acceptance.Validations` and `listing.History`.

    `lock_of` names the lock of an entry's job, of which one runs at a time.
    """

    def __init__(
        self, database: Database, *, lock_of: Callable[[Entry], str | None] = lambda entry: None
    ) -> None:
        self._database = database
        writer = AcceptedWriter(database, lock_of=lock_of)
        self._batcher: Batcher[Entry, Answer] = Batcher(writer.write)

    @property
    def available(self) -> bool:
        return self._database.available

    async def accept(self, entry: Entry) -> Validation:
        while True:
            answer = await self._batcher.submit(entry)
            if isinstance(answer, RequestIdReused):
                raise answer
            if answer is not None:
                return answer

    async def find(self, caller: Caller, request_id: str) -> tuple[Validation, bytes] | None:
        key = (caller.tenant, caller.client, request_id)
        async with self._database.connection() as connection:
            return (await reading.find(connection, [key])).get(key)

    async def get(self, tenant: str, validation_id: uuid.UUID) -> Validation:
        async with self._database.connection() as connection:
            return await _get(connection, tenant, validation_id)

    async def page(
        self, tenant: str, wanted: ValidationFilter, *, before: uuid.UUID | None, limit: int
    ) -> Sequence[Validation]:
        async with self._database.connection() as connection:
            return await reading.page(connection, tenant, wanted, before=before, limit=limit)

    async def cancel(self, caller: Caller, validation_id: uuid.UUID) -> Validation:
        async with self._database.transaction() as connection:
            parameters = {
                "tenant": caller.tenant,
                "id": validation_id,
                "error": archive.fault.write(CANCELLED),
            }
            row = await (await connection.execute(SQL["cancel"], parameters)).fetchone()
            found = await _get(connection, caller.tenant, validation_id)
            if row is not None:
                await audit.append(connection, [_cancelled_event(caller, found)])
                await validations.notify(connection, [validation_id])
        if found.state is not State.CANCELLED:
            raise WrongState(
                name=found.name,
                state=found.state.value,
                wanted="only one that has not ended can be cancelled",
            )
        return found


async def _get(connection: Connection, tenant: str, validation_id: uuid.UUID) -> Validation:
    found = await reading.get(connection, tenant, validation_id)
    if found is None:
        raise ValidationNotFound(name=names.validation_name(validation_id))
    return found


def _cancelled_event(caller: Caller, cancelled: Validation) -> AuditEvent:
    return AuditEvent(
        tenant=caller.tenant,
        actor=caller.client,
        action="validation.cancelled",
        subject=cancelled.name,
        details=validations.inputs(cancelled.record),
    )
