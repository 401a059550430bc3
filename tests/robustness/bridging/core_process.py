"""A core with a quick checker of its own: `python core_process.py SETTINGS`, which are JSON."""

from __future__ import annotations

import asyncio
import json
import sys

from support import Length, make_registry

from absah_server import app
from absah_server.settings import Settings
from absah_server.telemetry import logs


def main() -> None:
    """Print the port once it serves."""
    settings = Settings(**json.loads(sys.argv[1]))
    logs.start("error")
    asyncio.run(
        app.serve(
            settings,
            ready=lambda port: print(port, flush=True),
            loaded=make_registry(Length),
        )
    )


if __name__ == "__main__":
    main()
