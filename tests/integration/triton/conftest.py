"""Real Triton servers from pip: one over the models that come with absah, one over drawn ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.inference.drawing import draw_double, draw_first, draw_lookup, draw_spin

from absah_ops.triton import environment, server
from absah_ops.triton.environment import TritonNotInstalled
from absah_ops.triton.server import TritonServer
from absah_server.settings import model_repository

INSTANCE = "instance_group [ { count: 1 kind: KIND_CPU } ]"


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    """The first run installs Triton. Where it cannot run there is nothing to test, save in CI."""
    try:
        environment.prepare()
    except TritonNotInstalled as exc:
        if "CI" in os.environ:
            raise
        pytest.skip(str(exc))


@pytest.fixture(scope="session")
def triton() -> Iterator[TritonServer]:
    """Serves the models that come with absah, all of them loaded."""
    with server.running(model_repository()) as running:
        yield running


@pytest.fixture(scope="session")
def drawn_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models that double, look up and take their time."""
    repository = tmp_path_factory.mktemp("drawn")
    one = "dynamic_batching { max_queue_delay_microseconds: 100000 } " + INSTANCE
    draw_double(repository, more=one)
    draw_double(repository, "plain", more=INSTANCE)
    draw_lookup(repository, more=one)
    draw_first(repository, more=one)
    draw_spin(repository, max_batch_size=1, more=INSTANCE)
    short = "dynamic_batching { default_queue_policy { max_queue_size: 1 } } " + INSTANCE
    draw_spin(repository, "short", max_batch_size=1, more=short)
    return repository


@pytest.fixture(scope="session")
def drawn_triton(drawn_repository: Path) -> Iterator[TritonServer]:
    """Serves the drawn models; tests leave them as they are."""
    with server.running(drawn_repository) as running:
        yield running
