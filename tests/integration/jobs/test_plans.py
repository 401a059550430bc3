"""Operators find the rare jobs among many by an index, and not by reading all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from absah_server.store import queries

SQL = queries.load("job_office")
ROWS = 20_000
FILL = """
insert into procrastinate_jobs (queue_name, task_name, priority, args, status, attempts)
select
    'validations', 'validate', 0,
    jsonb_build_object('validation_id', lpad(to_hex(n), 32, '0')),
    case n when 5 then 'failed' when 6 then 'cancelled' when 7 then 'todo' when 8 then 'doing'
        else 'succeeded' end::procrastinate_job_status,
    1
from generate_series(1, %(rows)s) as n
"""


@pytest.mark.parametrize(
    "statuses", [["failed"], ["cancelled", "aborted"], ["todo"], ["doing"]], ids="-".join
)
def test_jobs_of_a_rare_state_are_found_by_an_index_of_it(
    database_url: str, statuses: list[str]
) -> None:
    given: dict[str, Any] = {
        "tenant": "default",
        "statuses": statuses,
        "policy": None,
        "policy_name": None,
        "job_id": None,
        "before": None,
        "limit": 51,
    }
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(FILL.encode(), {"rows": ROWS})
        connection.execute("analyze procrastinate_jobs")
        explained = connection.execute(b"explain (format json) " + SQL["page"], given).fetchone()
    assert explained
    jobs = [n for n in nodes(explained[0][0]["Plan"]) if n.get("Alias") == "job"]
    assert [node["Node Type"] for node in jobs] != ["Seq Scan"]
    assert "procrastinate_jobs_pkey" not in str(jobs)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All nodes of a plan, each without those below it."""
    yield {key: value for key, value in plan.items() if key != "Plans"}
    for below in plan.get("Plans", ()):
        yield from nodes(below)
