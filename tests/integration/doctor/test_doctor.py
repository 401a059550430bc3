"""What is broken is found, said with how to mend it, and left as it was."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from rabbitmq import RabbitMq
from support import Length, make_settings, running_server

from absah_ops.main import main
from absah_server.settings import model_repository
from absah_server.store.embedded import EmbeddedPostgres

Lines = list[dict[str, Any]]
BRIDGE = """\
systems:
  silap:
    consume: {queue: silap.in}
    codec: {kind: json}
    request: {policy: field-report}
    answer: {fields: {decision: {value: x}}}
"""


def doctor(*options: str, **env: str) -> Result:
    return CliRunner().invoke(main, ["doctor", "--json", *options], env=env)


def lines(result: Result) -> Lines:
    assert result.exit_code in (0, 1), result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def about(result: Result, what: str) -> Mapping[str, Any]:
    (found,) = (line for line in lines(result) if line["what"] == what)
    return found


def is_broken(result: Result, what: str) -> str:
    """What was found; fails unless it is needed, broken, and said how to mend."""
    found = about(result, what)
    assert not found["ok"]
    assert not found["optional"]
    assert found["mend"]
    assert result.exit_code == 1
    return str(found["found"])


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_what_is_in_order_is_left_as_it_is(tmp_path: Path) -> None:
    data = tmp_path / "data"
    result = doctor(ABSAH_DATA=str(data))
    assert result.exit_code == 0, result.output
    assert {line["what"] for line in lines(result)} >= {
        "database",
        "disk",
        "documents",
        "manifests",
    }
    assert "when a server starts" in about(result, "database")["found"]
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_away_is_told_without_its_password(silent_port: int) -> None:
    url = f"postgresql://absah:geheim@127.0.0.1:{silent_port}/absah"
    result = doctor(ABSAH_DATABASE_URL=url)
    assert "refused" in is_broken(result, "database")
    assert "geheim" not in result.output


def test_a_url_that_is_none_is_told_without_its_password() -> None:
    result = doctor(ABSAH_DATABASE_URL="postgres//absah:geheim@host/x")
    assert "not of the form" in is_broken(result, "database")
    assert "geheim" not in result.output


def test_an_outdated_schema_is_told_and_not_mended(empty_database_url: str) -> None:
    result = doctor(ABSAH_DATABASE_URL=empty_database_url)
    assert about(result, "database")["ok"]
    assert "0001" in is_broken(result, "schema")
    assert about(result, "schema")["mend"] == "absah db migrate"
    with psycopg.connect(empty_database_url) as connection:
        tables = connection.execute("select from pg_tables where schemaname = 'public'")
        assert tables.rowcount == 0


def test_a_database_of_this_version_is_in_order(database_url: str) -> None:
    result = doctor(ABSAH_DATABASE_URL=database_url)
    assert result.exit_code == 0, result.output
    assert about(result, "schema")["ok"]


async def test_documents_that_lie_elsewhere_are_told(database_url: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    store = {"store": {"kind": "postgres"}, "database_url": database_url, "data": kept}
    async with running_server(make_settings(tmp_path, **store), (Length,)):
        pass
    here = {"ABSAH_DATABASE_URL": database_url}
    paired = await asyncio.to_thread(doctor, **here, ABSAH_DATA=str(kept))
    assert paired.exit_code == 0, paired.output
    other = await asyncio.to_thread(doctor, **here, ABSAH_DATA=str(tmp_path / "other"))
    assert "the documents of this database" in is_broken(other, "contents")
    assert not (tmp_path / "other").exists()


def test_a_data_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_text("no folder")
    result = doctor(ABSAH_DATA=str(data))
    assert "is no folder" in is_broken(result, "database")
    assert "is no folder" in is_broken(result, "documents")


def test_a_folder_of_another_postgresql_is_told(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("9\n")
    found = is_broken(doctor(ABSAH_DATA=str(tmp_path)), "database")
    assert "PostgreSQL 9" in found


def test_a_database_that_runs_is_asked_and_one_that_stopped_is_not_started(
    tmp_path: Path,
) -> None:
    # Beside pytest's folder, which every run closes anew to PostgreSQL's own user.
    data = Path("/tmp") / f"absah-doctor-{tmp_path.name}-{tmp_path.stat().st_ino}"
    embedded = EmbeddedPostgres(data / "postgres")
    try:
        embedded.start()
        running = doctor(ABSAH_DATA=str(data))
        embedded.close()
        stopped = doctor(ABSAH_DATA=str(data))
        assert not (data / "postgres" / "postmaster.pid").exists()
    finally:
        embedded.close()
        shutil.rmtree(data, ignore_errors=True)
    assert about(running, "database")["found"].endswith("runs")
    assert "0001" in is_broken(running, "schema")
    assert stopped.exit_code == 0, stopped.output
    assert "started by a server" in about(stopped, "database")["found"]


def test_nothing_kept_needs_no_database() -> None:
    result = doctor(ABSAH_STORE__KIND="none", ABSAH_DATABASE_URL="postgresql://nobody:1/x")
    assert result.exit_code == 0, result.output
    assert "database" not in {line["what"] for line in lines(result)}


def test_a_bucket_that_does_not_answer_is_told(silent_port: int, tmp_path: Path) -> None:
    result = doctor(
        ABSAH_DATA=str(tmp_path),
        ABSAH_BLOBS__KIND="s3",
        ABSAH_BLOBS__BUCKET="dokumen",
        ABSAH_BLOBS__ENDPOINT=f"http://127.0.0.1:{silent_port}",
        AWS_ACCESS_KEY_ID="a",
        AWS_SECRET_ACCESS_KEY="b",
    )
    assert "dokumen" in is_broken(result, "documents")


def test_a_model_that_is_not_as_its_manifest_says_is_named(tmp_path: Path) -> None:
    repository = tmp_path / "models"
    shutil.copytree(model_repository() / "ocr_angle", repository / "ocr_angle")
    shutil.copytree(model_repository() / "ocr_angle", repository / "ocr_other")
    with (repository / "ocr_angle" / "1" / "model.onnx").open("ab") as file:
        file.write(b"changed")
    result = doctor(ABSAH_INFERENCE__MODEL_REPOSITORY=str(repository))
    assert "ocr_angle" in is_broken(result, "models")


def test_triton_that_is_away_is_told(silent_port: int) -> None:
    result = doctor(
        ABSAH_INFERENCE__BACKEND="triton",
        ABSAH_INFERENCE__TRITON__ADDRESSES=json.dumps([f"127.0.0.1:{silent_port}"]),
    )
    assert str(silent_port) in is_broken(result, "triton")


def test_settings_that_do_not_fit_are_told_and_the_rest_is_left(silent_port: int) -> None:
    result = doctor(ABSAH_PORT="70000")
    assert "port" in is_broken(result, "settings")
    assert {line["what"] for line in lines(result)} == {"python", "settings"}


def test_a_broker_that_is_away_is_told(silent_port: int, tmp_path: Path) -> None:
    file = tmp_path / "bridge.yaml"
    file.write_text(BRIDGE)
    url = f"amqp://guest:geheim@127.0.0.1:{silent_port}/%2F"
    result = doctor("--bridge", str(file), ABSAH_AMQP_URL=url)
    assert about(result, "bridge")["ok"]
    assert "no broker answers" in is_broken(result, "broker")
    assert "geheim" not in result.output


def test_a_bridge_that_cannot_be_read_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "bridge.yaml"
    file.write_text(BRIDGE.replace("policy", "polisi"))
    assert "line 5" in is_broken(doctor("--bridge", str(file)), "bridge")


def test_what_waits_in_queues_is_counted_and_no_queue_is_made(
    started: RabbitMq | None, tmp_path: Path
) -> None:
    if started is None:
        pytest.skip("needs a broker of its own; ABSAH_AMQP_URL names another")
    import pika

    file = tmp_path / "bridge.yaml"
    file.write_text(BRIDGE.replace("silap.in", f"doctor.{tmp_path.name}"))
    queue = f"doctor.{tmp_path.name}"
    missing = about(doctor("--bridge", str(file), ABSAH_AMQP_URL=started.url), "queue")
    assert not missing["ok"]
    assert missing["optional"]
    with pika.BlockingConnection(pika.URLParameters(started.url)) as connection:
        channel = connection.channel()
        for name in (queue, f"{queue}.parked"):
            channel.queue_declare(name)
        channel.confirm_delivery()
        channel.basic_publish("", f"{queue}.parked", b"x")
    result = doctor("--bridge", str(file), ABSAH_AMQP_URL=started.url)
    assert result.exit_code == 0, result.output
    assert "1 parked" in about(result, "queue")["found"]


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    async with running_server(make_settings(tmp_path), (Length,)) as bound:
        yield bound


async def test_each_service_of_a_server_is_told_with_its_health(address: str) -> None:
    result = await asyncio.to_thread(doctor, "--server", address)
    assert result.exit_code == 0, result.output
    health = {line["found"]: line for line in lines(result) if line["what"] == "health"}
    assert health["ValidationService: SERVING"]["ok"]
    # It keeps nothing, so it has none.
    assert health["DocumentService: NOT_FOUND"]["optional"]


def test_a_server_that_is_away_is_told(silent_port: int) -> None:
    result = doctor("--server", f"127.0.0.1:{silent_port}")
    assert "UNAVAILABLE" in is_broken(result, "server")
