"""Work at jobs with the checkers of tests: `python work.py SETTINGS`, which are JSON."""

from __future__ import annotations

import asyncio
import json
import sys

from durable import KINDS
from support import make_registry

from absah_server import worker_process
from absah_server.settings import Settings
from absah_server.telemetry import logs


def main() -> None:
    """Print "working" once it does."""
    settings = Settings(**json.loads(sys.argv[1]))
    logs.start("warning")
    asyncio.run(
        worker_process.work(
            settings,
            ready=lambda: print("working", flush=True),
            loaded=make_registry(*KINDS),
        )
    )


if __name__ == "__main__":
    main()
