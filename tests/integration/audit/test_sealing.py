"""The audit log in PostgreSQL: sealed soon, and whatever is altered in its table is found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from absah_server.core.audit import AuditEvent, AuditFilter, Place
from absah_server.core.auditing import Auditor, Verification
from absah_server.core.callers import Caller
from absah_server.store import audit
from absah_server.store.audit import PostgresAuditLog
from absah_server.store.database import Database
from absah_server.store.sealing import Sealer

CALLER = Caller(tenant="default", client="operator")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    await opened.open()
    yield opened
    await opened.close()


def make_events(count: int, *, tenant: str = "default") -> list[AuditEvent]:
    return [
        AuditEvent(
            tenant=tenant,
            actor="kecamatan",
            action="validation.decided",
            subject=f"validations/{number:032x}",
            details={"decision": "ACCEPT", "score": 0.25, "attempt": number},
        )
        for number in range(1, count + 1)
    ]


async def write(database: Database, events: Sequence[AuditEvent]) -> None:
    await PostgresAuditLog(database).append(events)


async def seal_all(database: Database) -> int:
    sealed = 0
    while more := await Sealer(database).seal():
        sealed += more
    return sealed


async def verify(database: Database, **options: bytes) -> Verification:
    return await Auditor(PostgresAuditLog(database)).verify(CALLER, **options)


async def execute(database: Database, statement: str) -> None:
    async with database.connection() as connection:
        await connection.execute(statement.encode())


async def problem(database: Database) -> tuple[int, str]:
    found = (await verify(database)).problem
    assert found is not None
    return found.sequence, found.problem


async def test_events_are_sealed_in_order_and_verified(database: Database) -> None:
    await write(database, make_events(5))
    await write(database, make_events(2, tenant="desa"))
    assert await seal_all(database) == 7
    found = await verify(database)
    assert found.problem is None
    assert found.events == 5
    assert found.head == await PostgresAuditLog(database).head("default")


async def test_an_event_exists_only_if_its_change_does(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await audit.append(connection, make_events(1))
            raise ZeroDivisionError
    assert await seal_all(database) == 0


async def test_details_without_canonical_form_are_refused_at_once(database: Database) -> None:
    event = AuditEvent(tenant="a", actor="b", action="c", subject="d", details={"n": float("nan")})
    with pytest.raises(ValueError, match="JCS"):
        await write(database, [event])


async def test_many_sealers_make_one_chain(database: Database) -> None:
    await write(database, make_events(2500))
    sealers = [asyncio.create_task(Sealer(database, interval_seconds=0.01).run()) for _ in range(3)]
    log = PostgresAuditLog(database)
    async with asyncio.timeout(30):
        await write(database, make_events(10))
        while (await log.waiting("default")).events:
            await asyncio.sleep(0.02)
    for sealer in sealers:
        sealer.cancel()
    found = await verify(database)
    assert found.problem is None
    assert found.events == 2510


async def test_an_event_that_commits_late_is_sealed_last(database: Database) -> None:
    async with database.transaction() as connection:
        await audit.append(connection, make_events(1))
        await write(database, make_events(3))
        assert await seal_all(database) == 3
    assert await seal_all(database) == 1
    assert (await verify(database)).events == 4


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", "default"),
        ("tenant", "'desa'"),
        ("event_time", "event_time + interval '1 microsecond'"),
        ("event_time", "'infinity'"),
        ("actor", "'kecamataN'"),
        ("action", "'validation.accepted'"),
        ("subject", "subject || '0'"),
        ("details", """jsonb_set(details, '{decision}', '"REJECT"')"""),
        ("details", "details || jsonb_build_object('n', 1e400::numeric)"),
        ("details", "'[]'"),
        ("sequence", "99"),
        ("hash", r"set_byte(hash, 0, get_byte(hash, 0) # 1)"),
        ("sequence", "null, hash = null"),
    ],
)
@pytest.mark.parametrize("sequence", [1, 3, 5])
async def test_an_altered_column_is_found(
    database: Database, sequence: int, column: str, value: str
) -> None:
    await write(database, make_events(5))
    await seal_all(database)
    assert (await verify(database)).problem is None
    await execute(
        database, f"update audit_events set {column} = {value} where sequence = {sequence}"
    )
    found = (await verify(database)).problem
    assert found is not None
    assert found.sequence == sequence


async def test_every_flipped_byte_of_a_text_column_is_found(database: Database) -> None:
    await write(database, make_events(1))
    await seal_all(database)
    length = len("kecamatan")
    for position in range(1, length + 1):
        flip = f"overlay(actor placing chr(ascii(substr(actor, {position})) # 1) from {position})"
        await execute(database, f"update audit_events set actor = {flip} where sequence = 1")
        assert (await problem(database))[0] == 1
        await execute(database, f"update audit_events set actor = {flip} where sequence = 1")
    assert (await verify(database)).problem is None


async def test_a_deleted_event_is_missed(database: Database) -> None:
    await write(database, make_events(5))
    await seal_all(database)
    await execute(database, "delete from audit_events where sequence = 3")
    assert await problem(database) == (
        3,
        "events are missing: the next one has sequence 4",
    )


async def test_a_deleted_end_is_missed_until_the_head_is_forged_too(database: Database) -> None:
    await write(database, make_events(5))
    await seal_all(database)
    anchor = (await verify(database)).head.hash
    await execute(database, "delete from audit_events where sequence > 3 or sequence is null")
    assert await problem(database) == (4, "the last events are missing, up to sequence 5")
    await execute(
        database,
        "update audit_chains set (sequence, hash) ="
        " (select sequence, hash from audit_events where sequence = 3)",
    )
    assert (await verify(database)).problem is None
    found = await verify(database, anchor=anchor)
    assert found.problem is not None
    assert "no event has the anchored hash" in found.problem.problem


async def test_an_anchored_head_is_found_again_when_the_log_has_grown(database: Database) -> None:
    await write(database, make_events(3))
    await seal_all(database)
    anchor = (await verify(database)).head.hash
    await write(database, make_events(3))
    await seal_all(database)
    found = await verify(database, anchor=anchor)
    assert found.problem is None
    assert found.anchor_sequence == 3


async def test_verifying_is_an_event_too(database: Database) -> None:
    await verify(database)
    events = await PostgresAuditLog(database).listed(
        "default", AuditFilter(action="audit."), after=None, limit=10
    )
    assert [(event.actor, event.action, event.details) for event in events] == [
        ("operator", "audit.verified", {"whole": True})
    ]


async def test_events_are_listed_newest_first_by_what_is_asked(database: Database) -> None:
    await write(database, make_events(4))
    await write(database, make_events(1, tenant="desa"))
    await seal_all(database)
    await write(database, make_events(1))
    log = PostgresAuditLog(database)
    everything = await log.listed("default", AuditFilter(), after=None, limit=10)
    assert [event.details["attempt"] for event in everything] == [1, 4, 3, 2, 1]
    assert [event.sequence for event in everything] == [0, 4, 3, 2, 1]
    later = await log.listed(
        "default", AuditFilter(), after=Place(sequence=4, id=everything[1].id), limit=1
    )
    assert [event.id for event in later] == [everything[2].id]
    subject = everything[2].subject
    found = await log.listed(
        "default", AuditFilter(subject=subject, actor="kecamatan"), after=None, limit=10
    )
    assert [event.subject for event in found] == [subject]
    assert not await log.listed("default", AuditFilter(action="review."), after=None, limit=10)


async def test_a_list_loses_and_repeats_nothing_while_events_are_sealed(
    database: Database,
) -> None:
    log = PostgresAuditLog(database)
    await write(database, make_events(3))
    await seal_all(database)
    await write(database, make_events(4))
    first = await log.listed("default", AuditFilter(), after=None, limit=2)
    place = Place(sequence=first[-1].sequence, id=first[-1].id)
    while_waiting = await log.listed("default", AuditFilter(), after=place, limit=10)
    await seal_all(database)
    once_sealed = await log.listed("default", AuditFilter(), after=place, limit=10)
    assert [event.sequence for event in while_waiting] == [0, 0, 3, 2, 1]
    assert [event.sequence for event in once_sealed] == [5, 4, 3, 2, 1]
    assert [e.id for e in while_waiting] == [e.id for e in once_sealed]


@pytest.mark.parametrize("subject", ["", f"validations/{7:032x}"])
async def test_lists_go_by_an_index(database: Database, subject: str) -> None:
    await write(database, make_events(3000))
    await write(database, make_events(3000, tenant="desa"))
    await seal_all(database)
    await execute(database, "vacuum analyze audit_events")
    statement = audit.SQL["listed_of_subject" if subject else "listed"]
    given = {
        "tenant": "desa",
        "subject": subject,
        "actor": "",
        "action": "",
        "before": 2**62,
        "id_below": 2**62,
        "limit": 50,
    }
    async with database.connection() as connection:
        cursor = await connection.execute(b"explain " + statement, given)
        plan = "\n".join(row["QUERY PLAN"] for row in await cursor.fetchall())
    assert "Index Scan" in plan
    assert "Seq Scan" not in plan
