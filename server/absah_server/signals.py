"""Stop at SIGTERM and SIGINT."""

from __future__ import annotations

import asyncio
import signal


def stop_on(stop: asyncio.Event) -> None:
    """Set `stop` at SIGTERM or SIGINT; only in the main thread."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
