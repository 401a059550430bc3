"""A real broker for the tests of the bridge."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from rabbitmq import RabbitMq


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the broker that ABSAH_AMQP_URL names, or of a node for the run."""
    if named := os.environ.get("ABSAH_AMQP_URL"):
        yield named
        return
    node = RabbitMq(tmp_path_factory.mktemp("rabbitmq"))
    node.start()
    try:
        yield node.url
    finally:
        node.stop()
