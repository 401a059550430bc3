"""A real broker and a real core for the tests of the bridge."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from bridging import running_core
from rabbitmq import RabbitMq


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMq | None]:
    """A node for the run; None where ABSAH_AMQP_URL names a broker."""
    if os.environ.get("ABSAH_AMQP_URL"):
        yield None
        return
    made = RabbitMq(tmp_path_factory.mktemp("rabbitmq"))
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def broker(started: RabbitMq | None) -> str:
    """The URL of a broker."""
    return started.url if started else os.environ["ABSAH_AMQP_URL"]


@pytest.fixture
def node(started: RabbitMq | None) -> RabbitMq:
    """A broker that the test may do with as it likes, if it leaves it running."""
    if started is None:
        pytest.skip("needs a broker of its own; ABSAH_AMQP_URL names another")
    return started


@pytest.fixture
async def core(tmp_path: Path, database_url: str) -> AsyncIterator[str]:
    """The address of a core that has the policy."""
    async with running_core(tmp_path, database_url) as address:
        yield address
