"""Lists go by an index, first page or deep one, and neither sort nor read the whole table."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from absah_server.core import names
from absah_server.core.listing import ValidationFilter
from absah_server.core.policy import Decision
from absah_server.core.validation import State
from absah_server.store import queries, reading

SQL = queries.load("validations")
ROWS = 30_000
TENANT = "tenant-8"
FILL = """
insert into validations (
    id, tenant, client, request_id, request_digest, state, policy, decision, priority, request,
    record, attempt, create_time, update_time
)
select
    (lpad(to_hex(1790000000000 + n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
    case when mod(n, 10) < 8 then 'default' else 'tenant-' || mod(n, 10) end,
    'client-' || mod(n, 5),
    case when mod(n, 3) = 0 then '' else 'request-' || n end,
    '\\x00',
    case when n > %(rows)s - 50 then 'PENDING' when mod(n, 500) = 8 then 'FAILED'
        else 'SUCCEEDED' end,
    'policy-' || mod(n, 7) || '@' || 1 + mod(n, 2),
    case when n > %(rows)s - 50 or mod(n, 500) = 8 then null
        when mod(n, 20) = 8 then 'REJECT' when mod(n, 40) = 18 then 'REVIEW' else 'ACCEPT' end,
    1, '{}', '{}', 1, to_timestamp((1790000000000 + n) / 1000.0), now()
from generate_series(1, %(rows)s) as n
"""
REVIEWS = """
insert into reviews (validation_id, tenant, policy, state, create_time)
select id, tenant, policy, 'WAITING', now() from validations where decision = 'REVIEW'
"""
DEEP = uuid.UUID(int=(1790000000000 + ROWS // 10) << 80)


@pytest.fixture(scope="module")
def filled(postgres: str, template: str) -> Iterator[psycopg.Connection[Any]]:
    """A database of many validations, of several tenants, and what PostgreSQL knows of them."""
    name = f"absah_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as cluster:
        cluster.execute(f"create database {name} template {template}".encode())
        url = psycopg.conninfo.make_conninfo(postgres, dbname=name)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(FILL.encode(), {"rows": ROWS})
            connection.execute(REVIEWS.encode())
            connection.execute(b"vacuum analyze")
            # So few rows are sorted as quickly; what counts here is that they need not be.
            for way in (b"sort", b"seqscan", b"bitmapscan"):
                connection.execute(b"set enable_" + way + b" = off")
            yield connection
        cluster.execute(f"drop database {name} with (force)".encode())


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def explained(
    connection: psycopg.Connection[Any], statement: bytes, parameters: dict[str, Any], how: str
) -> list[dict[str, Any]]:
    """The plan's nodes: for these values, or for any where `how` asks for the generic plan."""
    text = statement.decode()
    if how == "generic":
        names_ = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)))
        text = re.sub(r"%\((\w+)\)s", lambda match: f"${names_.index(match[1]) + 1}", text)
        cursor = connection.execute(
            f"explain (generic_plan, format json) {text}".encode(), prepare=False
        )
    else:
        cursor = connection.execute(f"explain (format json) {text}".encode(), parameters)
    row = cursor.fetchone()
    assert row
    plan = row[0] if isinstance(row[0], list) else json.loads(row[0])
    return list(nodes(plan[0]["Plan"]))


@pytest.mark.parametrize("how", ["custom", "generic"])
@pytest.mark.parametrize("before", [None, DEEP], ids=["first page", "deep page"])
@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({}, "validations_listed"),
        ({"state": State.SUCCEEDED}, ""),
        ({"state": State.FAILED}, "validations_by_state"),
        ({"state": State.PENDING}, "validations_by_state"),
        ({"decision": Decision.ACCEPT}, ""),
        ({"decision": Decision.REJECT}, "validations_by_decision"),
        ({"policy": "policy-3"}, "validations_by_policy"),
        ({"policy": "policy-3@1"}, "validations_by_policy"),
        ({"policy": "policy-3", "state": State.SUCCEEDED}, "validations_by_policy"),
        ({"start_time": names.time_of(DEEP)}, "validations_listed"),
        ({"end_time": names.time_of(DEEP)}, "validations_listed"),
    ],
    ids=str,
)
def test_a_list_reads_an_index_in_its_order(
    filled: psycopg.Connection[Any],
    wanted: dict[str, Any],
    index: str,
    before: uuid.UUID | None,
    how: str,
) -> None:
    statement, parameters = reading.listing(
        TENANT, ValidationFilter(**wanted), before=before, limit=101
    )
    plan = explained(filled, SQL[statement], parameters, how)
    assert not [node for node in plan if "Sort" in node["Node Type"]]
    assert not [
        node
        for node in plan
        if node.get("Relation Name") == "validations" and node["Node Type"] != "Index Scan"
    ]
    scans = [node for node in plan if node.get("Relation Name") == "validations"]
    # Where nearly all rows are wanted, the index of all is as good.
    assert [node["Index Name"] for node in scans] == [index or scans[0]["Index Name"]]
    assert "create_time, id" in scans[0]["Index Cond"]


@pytest.mark.parametrize("how", ["custom", "generic"])
def test_a_request_id_is_found_by_its_index(filled: psycopg.Connection[Any], how: str) -> None:
    wanted = ValidationFilter(request_id="request-8")
    statement, parameters = reading.listing(TENANT, wanted, before=None, limit=101)
    with filled.transaction():
        filled.execute(b"set local enable_sort = on")  # of as many as clients used the id
        plan = explained(filled, SQL[statement], parameters, how)
    used = {node["Index Name"] for node in plan if "Index Name" in node}
    assert "validations_request" in used
    keys = {"tenant": [TENANT], "client": ["client-3"], "request_id": ["request-8"]}
    found = explained(filled, SQL["find"], keys, "custom")
    assert "validations_request" in {node.get("Index Name") for node in found}


def test_pages_go_through_all_of_a_filter_and_nothing_else(
    filled: psycopg.Connection[Any],
) -> None:
    seen: list[uuid.UUID] = []
    before = None
    while True:
        statement, parameters = reading.listing(
            TENANT, ValidationFilter(decision=Decision.REJECT), before=before, limit=100
        )
        page = [row[0] for row in filled.execute(SQL[statement], parameters)]
        if not page:
            break
        seen += page
        before = page[-1]
    every = filled.execute(
        b"select id from validations where tenant = %s and decision = 'REJECT' order by id desc",
        [TENANT],
    ).fetchall()
    assert seen == [row[0] for row in every]
    assert len(seen) > 1000
