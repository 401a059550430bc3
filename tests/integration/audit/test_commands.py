"""`absah audit` against a real server, and an export verified without one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
from chains import make_event
from click.testing import CliRunner, Result
from support import Length, make_settings, running_server

import absah
from absah_ops.main import main


@pytest.fixture
async def server(tmp_path: Path, database_url: str) -> AsyncIterator[str]:
    settings = make_settings(
        tmp_path,
        store={"kind": "postgres"},
        database_url=database_url,
        data=tmp_path / "data",
        audit={"seal_interval_seconds": 0.02},
    )
    async with running_server(settings, [Length]) as address:
        yield address


async def command(*arguments: str, catch: bool = False) -> Result:
    """Run `absah …` in a thread, so that the server's loop goes on."""
    return await asyncio.to_thread(CliRunner().invoke, main, arguments, catch_exceptions=catch)


async def command_json(*arguments: str) -> list[dict[str, Any]]:
    result = await command(*arguments, "--json")
    return [json.loads(line) for line in result.stdout.splitlines()]


def write(url: str, count: int, *, tenant: str = "default") -> None:
    """Events as a change of another module would write them."""
    with psycopg.connect(url) as connection:
        for number in range(1, count + 1):
            event = make_event(number)
            connection.execute(
                "insert into audit_events (tenant, event_time, actor, action, subject, details)"
                " values (%s, now(), %s, %s, %s, %s)",
                (tenant, event.actor, event.action, event.subject, json.dumps(event.details)),
            )


async def sealed(server: str, sequence: int, *options: str) -> dict[str, Any]:
    """The head, once it is at least there."""
    async with asyncio.timeout(20):
        while True:
            (head,) = await command_json("audit", "head", "--server", server, *options)
            if head["sequence"] >= sequence:
                return head
            await asyncio.sleep(0.02)


async def test_a_log_is_listed_verified_and_exported(
    server: str, database_url: str, tmp_path: Path
) -> None:
    write(database_url, 3)
    head = await sealed(server, 3)
    listed = await command_json(
        "audit", "list", "--server", server, "--action", "validation.", "--limit", "2"
    )
    assert [event["sequence"] for event in listed] == ["3", "2"]
    assert listed[0]["details"]["attempt"] == 3
    assert listed[0]["sha256"] == head["sha256"]

    whole = await command("audit", "verify", "--server", server, "--head", head["sha256"])
    assert whole.exit_code == 0
    assert "the given head is that of sequence 3" in whole.stdout

    file = tmp_path / "log.jsonl"
    assert (await command("audit", "export", "--server", server, "-o", str(file))).exit_code == 0
    (found,) = await command_json("audit", "verify", str(file), "--head", head["sha256"])
    assert found["problem"] == ""
    assert found["anchor_sequence"] == 3


async def test_an_altered_export_exits_with_1_and_names_line_and_sequence(
    server: str, database_url: str, tmp_path: Path
) -> None:
    write(database_url, 3)
    await sealed(server, 3)
    exported = await command("audit", "export", "--server", server)
    file = tmp_path / "log.jsonl"
    file.write_bytes(exported.stdout_bytes.replace(b'"attempt":2', b'"attempt":7'))
    result = await command("audit", "verify", str(file))
    assert result.exit_code == 1
    assert "broken at line 3, sequence 2" in result.stdout
    assert "its content was altered" in result.stdout


async def test_an_altered_table_exits_with_1(server: str, database_url: str) -> None:
    write(database_url, 3)
    await sealed(server, 3)
    with psycopg.connect(database_url) as connection:
        connection.execute("update audit_events set actor = 'x' where sequence = 2")
    result = await command("audit", "verify", "--server", server)
    assert result.exit_code == 1
    assert "broken at sequence 2" in result.stdout


async def test_an_event_that_cannot_be_written_ends_an_export_with_its_sequence(
    server: str, database_url: str, tmp_path: Path
) -> None:
    write(database_url, 3)
    await sealed(server, 3)
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "update audit_events set details = jsonb_build_object('n', 1e400::numeric)"
            " where sequence = 2"
        )
    file = tmp_path / "log.jsonl"
    result = await command("audit", "export", "--server", server, "-o", str(file), catch=True)
    assert result.exit_code == 1
    assert "sequence 2: it has no canonical form" in result.output
    assert "DATA_LOSS" in result.output
    assert not list(tmp_path.glob("log.jsonl*"))


async def test_a_part_of_the_log_can_be_exported(server: str, database_url: str) -> None:
    write(database_url, 4)
    await sealed(server, 4)
    exported = await command("audit", "export", "--server", server, "--first", "3")
    result = await asyncio.to_thread(
        CliRunner().invoke, main, ["audit", "verify", "-", "--json"], input=exported.stdout_bytes
    )
    assert json.loads(result.stdout)["first"] == 3
    refused = await command("audit", "export", "--server", server, "--first", "99", catch=True)
    assert refused.exit_code == 1
    assert "the chain does not reach 98" in refused.output


async def test_tenants_see_nothing_of_each_other(server: str, database_url: str) -> None:
    write(database_url, 3)
    write(database_url, 1, tenant="desa")
    await sealed(server, 1, "--tenant", "desa")
    listed = await command_json("audit", "list", "--server", server, "--tenant", "desa")
    assert len(listed) == 1


async def test_who_exported_is_in_the_log(server: str, database_url: str) -> None:
    await command("audit", "export", "--server", server, "--as", "auditor@bpk")
    (event,) = await command_json("audit", "list", "--server", server, "--actor", "auditor@bpk")
    assert (event["action"], event["subject"]) == ("audit.exported", "audit")


async def test_pages_go_on_where_the_last_one_ended(server: str, database_url: str) -> None:
    write(database_url, 250)

    def sequences() -> list[str]:
        with absah.AdminClient(server) as admin:
            return [event.subject for event in admin.audit_events(limit=1000)]

    found = await asyncio.to_thread(sequences)
    assert found == [make_event(number).subject for number in range(250, 0, -1)]


async def test_a_token_of_another_query_is_refused(server: str, database_url: str) -> None:
    from absah.admin.v1 import admin_service_pb2 as pb2
    from absah.admin.v1 import admin_service_pb2_grpc

    write(database_url, 3)
    async with grpc.aio.insecure_channel(server) as channel:
        stub = admin_service_pb2_grpc.AdminServiceStub(channel)
        first = await stub.ListAuditEvents(pb2.ListAuditEventsRequest(page_size=1))
        other = pb2.ListAuditEventsRequest(
            page_token=first.next_page_token, filter=pb2.AuditFilter(actor="kecamatan")
        )
        for request in (
            other,
            pb2.ListAuditEventsRequest(page_token="halo"),
            pb2.ListAuditEventsRequest(page_size=-1),
            pb2.ListAuditEventsRequest(page_token=first.next_page_token + "x"),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await stub.ListAuditEvents(request)
            assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stub.VerifyAudit(pb2.VerifyAuditRequest(anchor_sha256="xyz"))
        assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_a_server_without_a_store_says_so(tmp_path: Path) -> None:
    async with running_server(make_settings(tmp_path), [Length]) as address:
        result = await command("audit", "head", "--server", address, catch=True)
    assert result.exit_code == 1
    assert "keeps nothing" in result.output


async def test_a_decision_of_which_no_event_tells_is_named(
    tmp_path: Path, database_url: str
) -> None:
    settings = make_settings(
        tmp_path,
        store={"kind": "postgres"},
        database_url=database_url,
        data=tmp_path / "data",
        audit={"seal_interval_seconds": 3600.0},
    )
    (settings.policies / "short-text.yaml").write_text(POLICY)

    def decide(address: str) -> list[str]:
        with absah.Client(address, client="siti") as client:
            made = [client.validate("short-text", report=absah.Text("halo")) for _ in range(3)]
            for each in made:
                review = each.name.replace("validations/", "reviews/")
                client.claim_review(review)
                client.decide_review(review, "accept", reason="baik")
        return [each.name for each in made]

    async with running_server(settings, [Length]) as address:
        made = await asyncio.to_thread(decide, address)
        whole = await command("audit", "verify", "--server", address)
        with psycopg.connect(database_url) as connection:
            for name, action in zip(made, ("validation.decided", "review.decided"), strict=False):
                connection.execute(
                    "delete from audit_events where subject = %s and action = %s", (name, action)
                )
        found = await command("audit", "verify", "--server", address)
    assert whole.exit_code == 0
    assert found.exit_code == 1
    assert [name in found.stdout for name in made] == [True, True, False]


POLICY = """\
policy: short-text
version: 1
title: {id: Teks, en: Text}
documents:
  report: {title: {id: Laporan, en: Report}, count: [1, 1], media_types: [text/plain]}
claims: {}
checks:
  length: {documents: [report]}
rules:
  - rule: any
    each: result
    when: result.facts.length > 0
    decision: REVIEW
    message: {id: "harus dilihat", en: "must be seen"}
accepted: {id: Baik, en: Fine}
"""


async def test_who_migrated_the_database_is_told_once(
    tmp_path: Path, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABSAH_DATABASE_URL", empty_database_url)
    monkeypatch.setenv("ABSAH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LOGNAME", "siti")
    for _ in range(2):
        migrated = await command("db", "migrate")
        assert migrated.exit_code == 0, migrated.output
    with psycopg.connect(empty_database_url) as connection:
        (event,) = connection.execute(
            "select tenant, actor, action, details from audit_events"
        ).fetchall()
    assert event[:3] == ("default", "siti", "database.migrated")
    assert event[3]["applied"][0] == "0001 initial"
