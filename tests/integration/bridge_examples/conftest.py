"""The example systems, served as an operator serves them: a broker, a core, a bridge, files."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from example_systems import EXAMPLES, Legacy, bridge, file_service, serving
from legacy import LegacyProgram

from absah_ops.specimens import attached
from absah_server.settings import Settings

TOO_LARGE = 8 * 2**20 + 1


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The share that messages refer to, with one file that is larger than is allowed."""
    folder = tmp_path_factory.mktemp("berkas")
    attached.draw(folder)
    (folder / "silap" / "besar.jpg").write_bytes(bytes(TOO_LARGE))
    return folder


@pytest.fixture(scope="session")
def core(tmp_path_factory: pytest.TempPathFactory, postgres: str, template: str) -> Iterator[str]:
    """The address of a server with the real checkers, models and policies, and a database."""
    name = f"absah_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}".encode())
    url = psycopg.conninfo.make_conninfo(postgres, dbname=name)
    settings = Settings(
        host="127.0.0.1",
        port=0,
        database_url=url,
        store={"kind": "postgres"},
        data=tmp_path_factory.mktemp("data"),
    )
    with serving(settings) as address:
        yield address
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())


@pytest.fixture(scope="session")
def legacy(
    tmp_path_factory: pytest.TempPathFactory, broker: str, core: str, files: Path
) -> Iterator[Legacy]:
    """A legacy program whose messages a bridge handles by the examples' bridge.yaml."""
    folder = tmp_path_factory.mktemp("bridge") / "examples"
    shutil.copytree(EXAMPLES, folder)
    run = uuid.uuid4().hex[:8]
    program = LegacyProgram(broker)
    with file_service(files / "kartu") as port:
        config = (folder / "bridge.yaml").read_text()
        for old, new in {
            "127.0.0.1:50051": core,
            "amqp://guest:guest@127.0.0.1:5672/%2F": broker,
            "folder: berkas": f"folder: {files}",
            "127.0.0.1:8642/kartu/": f"127.0.0.1:{port}/",
            "silap.laporan": f"silap.laporan-{run}",
            "silap.jawaban": f"silap.jawaban-{run}",
            "arsip.batch": f"arsip.batch-{run}",
            "arsip.hasil": f"arsip.hasil-{run}",
            "sikartu.permohonan": f"sikartu.permohonan-{run}",
            "sikartu.hasil": f"sikartu.hasil-{run}",
        }.items():
            assert old in config
            config = config.replace(old, new)
        (folder / "bridge.yaml").write_text(config)
        for queue in ("silap.jawaban", "arsip.hasil", "sikartu.hasil"):
            program.declare(f"{queue}-{run}")
        with bridge(folder / "bridge.yaml"):
            yield Legacy(program=program, run=run, config=folder / "bridge.yaml")
    program.close()
