"""A server in a process of its own, which tests may kill: settings come from ABSAH_* variables."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from support import Length, make_registry

from absah_server import app
from absah_server.settings import Settings

TESTS = Path(__file__).parents[2]


def variables(settings: Settings, **others: str) -> dict[str, str]:
    """The environment of a server that keeps what it is sent."""
    return {
        **os.environ,
        "PYTHONPATH": str(TESTS),
        "ABSAH_DATABASE_URL": settings.database_url.get_secret_value(),
        "ABSAH_DATA": str(settings.data),
        "ABSAH_POLICIES": str(settings.policies),
        "ABSAH_INFERENCE__MODEL_REPOSITORY": str(settings.inference.model_repository),
        "ABSAH_DECODE_WORKERS": "1",
        **others,
    }


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@asynccontextmanager
async def server(settings: Settings, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """A server that listens; killed at the end, if it was not before."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        env=variables(settings, ABSAH_PORT=str(port)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def main() -> None:
    """Serve until killed."""

    def ready(port: int) -> None:
        print("ready", flush=True)

    serving: Any = app.serve(Settings(), ready=ready, loaded=make_registry(Length))
    asyncio.run(serving)


if __name__ == "__main__":
    main()
