"""A real server within this process, for commands that were given none to call."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from absah_server import app
from absah_server.settings import Settings, StoreSettings
from absah_server.telemetry import logs


@contextmanager
def server() -> Iterator[str]:
    """Serve on a free port of 127.0.0.1 and yield the address; raises what the start raises.

    Its errors are logged to standard error, as `absah serve` logs them.
    """
    logs.start("error")
    bound: Future[int] = Future()
    stops: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        stops.set_result((asyncio.get_running_loop(), stop))
        # Its verdicts are told and not recorded: it is gone with the command that started it.
        settings = Settings(host="127.0.0.1", port=0, store=StoreSettings(kind="none"))
        await app.serve(settings, ready=bound.set_result, stop=stop, on_signals=False)

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as exc:
            if bound.done():
                raise
            bound.set_exception(exc)

    thread = threading.Thread(target=run, name="embedded-server")
    thread.start()
    try:
        yield f"127.0.0.1:{bound.result()}"
    finally:
        loop, stop = stops.result()
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)
        thread.join()
