"""What the example systems need around them: their programs, a core, a bridge, a file service."""

from __future__ import annotations

import asyncio
import functools
import http.server
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pika.exceptions
from legacy import LegacyProgram

from absah_server import app
from absah_server.settings import Settings

EXAMPLES = Path(__file__).parents[1] / "clients" / "bridge" / "examples"
STARTING_SECONDS = 180.0
ANSWER_SECONDS = 180.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Legacy:
    """A legacy program and the names of its system's queues in this run."""

    program: LegacyProgram
    run: str
    config: Path
    """The bridge.yaml of this run."""

    def send(self, queue: str, body: bytes, **properties: Any) -> str:
        """Publish; waits for a bridge that is still starting."""
        end = time.monotonic() + STARTING_SECONDS
        while True:
            try:
                return self.program.send(f"{queue}-{self.run}", body, **properties)
            except pika.exceptions.UnroutableError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def receive(self, queue: str) -> tuple[Any, bytes]:
        """The next answer."""
        return self.program.receive(f"{queue}-{self.run}", seconds=ANSWER_SECONDS)

    def parked(self, queue: str) -> tuple[Any, bytes]:
        """The next message in a parking queue."""
        return self.program.receive(f"{queue}-{self.run}.parked", seconds=ANSWER_SECONDS)


def message(system: str, case: str) -> bytes:
    """The message of a golden case."""
    (file,) = (EXAMPLES / system / "cases" / case).glob("message.*")
    return file.read_bytes()


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """A server of these settings in a thread; yields its address."""
    bound: Future[int] = Future()
    stops: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        stops.set_result((asyncio.get_running_loop(), stop))
        await app.serve(settings, ready=bound.set_result, stop=stop, on_signals=False)

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as exc:
            if bound.done():
                raise
            bound.set_exception(exc)

    thread = threading.Thread(target=run, name="core")
    thread.start()
    try:
        yield f"127.0.0.1:{bound.result(STARTING_SECONDS)}"
    finally:
        loop, stop = stops.result()
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)
        thread.join()


@contextmanager
def bridge(file: Path) -> Iterator[None]:
    """`absah bridge run` as a process of its own."""
    environment = {k: v for k, v in os.environ.items() if k != "ABSAH_AMQP_URL"}
    with (file.parent / "bridge.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "absah_ops", "bridge", "run", "--config", file],
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            yield
        finally:
            process.terminate()
            assert process.wait(timeout=60) == 0, (file.parent / "bridge.log").read_text()


@contextmanager
def file_service(folder: Path) -> Iterator[int]:
    """Serve a folder over HTTP; yields the port."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            """Nothing to standard error."""

    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, name="files")
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
