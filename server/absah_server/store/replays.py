"""Read from PostgreSQL what a validation was made of, to make it again."""

from __future__ import annotations

import uuid

from absah_server.core import names
from absah_server.core.audit import AuditEvent
from absah_server.core.errors import ValidationNotFound
from absah_server.core.requesting import Request
from absah_server.core.validation import Validation
from absah_server.store import archive, audit, queries, reading
from absah_server.store.database import Database

SQL = queries.load("replays")


class PostgresRecords:
    """Validations with what was asked, as `replaying.Records`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(
        self, tenant: str, validation_id: uuid.UUID
    ) -> tuple[Validation, Request | None]:
        async with self._database.connection() as connection:
            found = await reading.get(connection, tenant, validation_id)
            cursor = await connection.execute(
                SQL["request"], {"tenant": tenant, "id": validation_id}
            )
            row = await cursor.fetchone()
        if found is None or row is None:
            raise ValidationNotFound(name=names.validation_name(validation_id))
        return found, None if row["erased"] else archive.request.read(row["request"])

    async def tell(self, event: AuditEvent) -> None:
        async with self._database.transaction() as connection:
            await audit.append(connection, [event])
