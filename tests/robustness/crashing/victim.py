"""A server or a worker that is to be killed: `victim.py GIVEN`, where GIVEN is JSON.

It says "ready", and takes orders as JSON, one a line, on its standard input.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from robustness.crashing import checkers, points
from support import make_registry

from absah_server import app, worker_process
from absah_server.core import purging
from absah_server.settings import Settings
from absah_server.telemetry import logs

DUE = datetime.timedelta(seconds=3)


def main() -> None:
    """Serve or work until told to end, or killed."""
    given = json.loads(sys.argv[1])
    trap = points.Trap(Path(given["postgres"]), _tell)
    points.install(trap)
    _hurry()
    threading.Thread(target=_take_orders, args=(trap,), daemon=True).start()
    logs.start("info")
    settings = Settings(**given["settings"])
    loaded = make_registry(*checkers.KINDS)
    if given["role"] == "server":
        running = app.serve(settings, ready=lambda port: _tell("ready"), loaded=loaded)
    else:
        running = worker_process.work(settings, ready=lambda: _tell("ready"), loaded=loaded)
    asyncio.run(running)


def _take_orders(trap: points.Trap) -> None:
    for line in sys.stdin:
        given: dict[str, Any] | None = json.loads(line)
        trap.arm(points.Order(**given) if given else None)


def _hurry() -> None:
    """Have contents of the policy whose contents are due early be due within seconds."""
    retention: Any = purging.Retention
    cutoffs = purging.Retention.cutoffs
    ahead = datetime.timedelta(days=checkers.PASSING_DAYS) - DUE
    retention.cutoffs = lambda self, now: cutoffs(self, now + ahead)


def _tell(word: str) -> None:
    # At once: nothing that is buffered survives what comes next.
    os.write(sys.stdout.fileno(), f"{word}\n".encode())


if __name__ == "__main__":
    main()
