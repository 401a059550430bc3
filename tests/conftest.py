"""A real PostgreSQL for tests: one cluster for all, a database of its own for each."""

from __future__ import annotations

import asyncio
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from rabbitmq import RabbitMq

# Before gRPC is imported: its handlers of fork() may crash a child that is to become PostgreSQL.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from absah_server.store import migrations
from absah_server.store.database import Database
from absah_server.store.embedded import EmbeddedPostgres

TEMPLATE = "absah_template"


@pytest.fixture(scope="session", autouse=True)
def data_for_all() -> Iterator[None]:
    """A data folder for servers that a test starts as it would at home, and tells of no other."""
    with tempfile.TemporaryDirectory(prefix="absah-data-") as folder:
        os.environ["ABSAH_DATA"] = folder
        yield
        del os.environ["ABSAH_DATA"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a cluster: that of ABSAH_TEST_DATABASE_URL, or an embedded one for the run."""
    if named := os.environ.get("ABSAH_TEST_DATABASE_URL"):
        yield named
        return
    # Not below pytest's folder, which every run of pytest closes anew to PostgreSQL's own user.
    with tempfile.TemporaryDirectory(prefix="absah-postgres-") as folder:
        embedded = EmbeddedPostgres(Path(folder) / "data")
        try:
            yield embedded.start()
        finally:
            embedded.close()


@pytest.fixture(scope="session")
def template(postgres: str) -> str:
    """The name of a database that holds the newest schema and nothing else."""
    _execute(postgres, f"drop database if exists {TEMPLATE}", f"create database {TEMPLATE}")
    asyncio.run(_migrate(named(postgres, TEMPLATE)))
    return TEMPLATE


@pytest.fixture
def database_url(postgres: str, template: str) -> Iterator[str]:
    """A database of the test's own, with the newest schema."""
    name = f"absah_{uuid.uuid4().hex}"
    _execute(postgres, f"create database {name} template {template}")
    yield named(postgres, name)
    _execute(postgres, f"drop database {name} with (force)")


@pytest.fixture
def empty_database_url(postgres: str) -> Iterator[str]:
    """A database of the test's own, without a schema."""
    name = f"absah_{uuid.uuid4().hex}"
    _execute(postgres, f"create database {name}")
    yield named(postgres, name)
    _execute(postgres, f"drop database {name} with (force)")


def named(url: str, database: str) -> str:
    """The URL of another database of the same cluster."""
    return psycopg.conninfo.make_conninfo(url, dbname=database)


def _execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


async def _migrate(url: str) -> None:
    database = Database(url)
    await database.open()
    try:
        await migrations.migrate(database)
    finally:
        await database.close()


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """A server's data folder."""
    return tmp_path / "data"


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMq | None]:
    """A RabbitMQ node for the run; None where ABSAH_AMQP_URL names a broker."""
    if os.environ.get("ABSAH_AMQP_URL"):
        yield None
        return
    made = RabbitMq(tmp_path_factory.mktemp("rabbitmq"))
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def broker(started: RabbitMq | None) -> str:
    """The URL of a broker."""
    return started.url if started else os.environ["ABSAH_AMQP_URL"]
