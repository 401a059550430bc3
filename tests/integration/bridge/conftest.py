"""A real broker and a real core for the tests of the bridge."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from bridging import running_core
from rabbitmq import RabbitMq


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
