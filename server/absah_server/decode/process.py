"""The server's side of the processes that decode: start, ask, kill, learn how they ended."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from absah_sdk import AbsahError
from absah_server.decode.limits import DecodeLimits
from absah_server.decode.worker import MAX_MESSAGE_BYTES

log = logging.getLogger(__name__)

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[4]); "
    "from absah_server.decode import zygote; zygote.run()"
)
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "1",
    # Threads do not survive a fork, and several workers share the cores already.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
_ROOT = Path("/")
"""Never imported from, since workers may read what is."""
_START_SECONDS = 30.0
_END_SECONDS = 2.0
_POLL_SECONDS = 0.005


def _holds(entry: Path) -> bool:
    """Whether modules may be looked for there. A package is no such folder, though cv2 puts its own
    among them for as long as it is being imported, where `typing` would then be found."""
    return entry != _ROOT and not (entry / "__init__.py").exists()


class SandboxFailed(AbsahError):
    """The sandbox itself is in trouble; this says nothing about the document."""


class Worker:
    """A process that waits for one job."""

    def __init__(self, door: socket.socket, handle: int) -> None:
        self._door = door
        self._handle = handle
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def ask(self, job: dict[str, Any], files: Iterable[int]) -> bytes:
        """Send a job and wait for the answer, b"" where the process ended without one.

        Raises OSError where the process was gone before it got the job.
        """
        socket.send_fds(self._door, [json.dumps(job).encode()], list(files))
        try:
            return await asyncio.get_running_loop().sock_recv(self._door, MAX_MESSAGE_BYTES)
        except ConnectionError:
            return b""

    async def ended_by(self) -> int:
        """Wait for the end; return the signal that ended the process, 0 for none."""
        return await asyncio.shield(self._ended)

    def set_ended(self, ended_by: int) -> None:
        """Record the end as the zygote tells it."""
        if not self._ended.done():
            self._ended.set_result(ended_by)

    def kill(self) -> None:
        """End the process at once, and so the wait for its answer; harmless where it has ended."""
        if self._handle >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def close(self) -> None:
        """End the process and let go of it; nobody may be waiting for its answer."""
        self.kill()
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
            self._door.close()


class Zygote:
    """The process that workers are forked from, as the server holds it."""

    def __init__(self, limits: DecodeLimits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._forks: deque[asyncio.Future[Worker]] = deque()
        self._workers: dict[int, Worker] = {}

    @property
    def alive(self) -> bool:
        """Whether workers can be forked."""
        return self._control is not None

    def start(self) -> None:
        """Start the process; it is ready when the first fork is answered."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        settings = {"limits": dataclasses.asdict(self._limits)}
        path = [str(entry) for entry in map(Path.resolve, map(Path, sys.path)) if _holds(entry)]
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603
                [
                    sys.executable,
                    "-I",
                    "-c",
                    _START,
                    str(theirs.fileno()),
                    str(os.getpid()),
                    json.dumps(settings),
                    json.dumps(path),
                ],
                env=_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd="/",
                start_new_session=True,
            )
        self._control = ours
        asyncio.get_running_loop().add_reader(ours, self._hear)

    async def fork(self, modules: Iterable[str]) -> Worker:
        """Get a new worker with these modules loaded; raises `SandboxFailed`."""
        if self._control is None:
            raise SandboxFailed("the process that starts decoders is gone")
        forked: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        try:
            self._control.send(json.dumps({"modules": sorted(modules)}).encode())
            self._forks.append(forked)
            async with asyncio.timeout(_START_SECONDS):
                return await forked
        except (OSError, TimeoutError) as exc:
            raise SandboxFailed("no decoder could be started") from exc

    async def close(self) -> None:
        """End the process and all workers, and wait until it is gone."""
        self._hang_up()
        if self._process is None:
            return
        until = asyncio.get_running_loop().time() + _END_SECONDS
        while self._process.poll() is None:
            if asyncio.get_running_loop().time() > until:
                self._process.kill()
            await asyncio.sleep(_POLL_SECONDS)
        self._process = None

    def _hear(self) -> None:
        """Take one message of the zygote; its workers die with it."""
        assert self._control is not None
        try:
            message, files, _, _ = socket.recv_fds(
                self._control, MAX_MESSAGE_BYTES, 2, socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            return
        except ConnectionError:
            message, files = b"", []
        if not message:
            self._hang_up()
            return
        told = json.loads(message)
        if told.get("threads", 1) > 1:
            log.warning("an imported module started threads in the process that is forked")
        if "forked" in told:
            self._take(told["forked"], *files)
        elif worker := self._workers.pop(told["ended"], None):
            worker.set_ended(told["signal"])

    def _take(self, pid: int, door_fd: int, handle: int) -> None:
        door = socket.socket(fileno=door_fd)
        door.setblocking(False)
        worker = self._workers[pid] = Worker(door, handle)
        asked = self._forks.popleft()
        if asked.done():  # who asked has gone
            worker.close()
        else:
            asked.set_result(worker)

    def _hang_up(self) -> None:
        if self._control is None:
            return
        asyncio.get_running_loop().remove_reader(self._control)
        self._control.close()
        self._control = None
        for worker in self._workers.values():
            worker.set_ended(signal.SIGKILL)
        self._workers.clear()
        while self._forks:
            forked = self._forks.popleft()
            if not forked.done():
                forked.set_exception(SandboxFailed("the process that starts decoders ended"))
