"""A real server over a real PostgreSQL, which keeps what it is told and runs none of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from policies import SHORT_TEXT
from support import Length, Slow, make_registry, make_settings, running_server

import absah
from absah_server.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, data_folder: Path, database_url: str) -> Settings:
    made = make_settings(
        tmp_path,
        store={"kind": "postgres"},
        database_url=database_url,
        data=data_folder,
        jobs={"workers": 0},
    )
    (made.policies / "short-text.yaml").write_text(SHORT_TEXT)
    return made


@pytest.fixture
async def address(settings: Settings) -> AsyncIterator[str]:
    async with running_server(settings, make_registry(Length, Slow)) as bound:
        yield bound


@pytest.fixture
async def client(address: str) -> AsyncIterator[absah.AsyncClient]:
    async with absah.AsyncClient(address, client="ministry") as opened:
        yield opened


@pytest.fixture
async def rows(database_url: str) -> AsyncIterator[psycopg.AsyncConnection[tuple[object, ...]]]:
    """A connection of the test's own to the server's database."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        yield connection
