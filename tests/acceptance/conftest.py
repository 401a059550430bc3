"""One real server with all checkers and models, for all acceptance tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

import absah


@pytest.fixture(scope="session")
def server_address() -> Iterator[str]:
    """`absah serve` as it comes, on a free port."""
    with subprocess.Popen(
        [sys.executable, "-m", "absah_ops", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        env={**os.environ, "ABSAH_TELEMETRY__LOG_LEVEL": "error"},
        text=True,
    ) as server:
        assert server.stdout
        line = server.stdout.readline()
        assert line.startswith("absah is serving on "), line
        yield line.rpartition(" ")[2].strip()
        server.terminate()
        assert server.wait(timeout=60) == 0


@pytest.fixture(scope="session")
def client(server_address: str) -> Iterator[absah.Client]:
    with absah.Client(server_address, timeout_seconds=120) as opened:
        yield opened
