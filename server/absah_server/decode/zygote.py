"""The process that workers are forked from: warm, small, and never near a document.

Forking from a process that has Pillow, numpy and PDFium loaded takes milliseconds and shares their
memory, so each document can have a process of its own. The server's threads, secrets and open files
are not in this process, so they are in no worker. It answers on a socket: "fork" gives a worker's
socket and a handle to kill it by, and each worker's end is told.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
from typing import Any

from absah_server.decode import confine, images, worker
from absah_server.decode.limits import DecodeLimits

_DOOR = 3
_MAX_FILES = 1 << 20


def main(control_fd: int, parent: int, settings: dict[str, Any]) -> None:
    """Serve forks until the server closes its end or ends."""
    confine.die_with(parent)
    limits = DecodeLimits(**settings["limits"])
    images.prepare()
    with socket.socket(fileno=control_fd) as control:
        zygote = Zygote(control, limits)
        try:
            with contextlib.suppress(ConnectionError):  # the server has ended
                zygote.serve()
        finally:
            zygote.end_workers()


class Zygote:
    """Forks workers and tells how they ended."""

    def __init__(self, control: socket.socket, limits: DecodeLimits) -> None:
        self._control = control
        self._limits = limits
        self._rules = confine.prepare()
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)

    def serve(self) -> None:
        """Answer requests, one at a time."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is not self._control:
                    self._tell_end(key.fd, key.data)
                elif not self._answer(self._control.recv(worker.MAX_MESSAGE_BYTES)):
                    return

    def end_workers(self) -> None:
        """Kill and reap the workers that are left."""
        for key in [*self._selector.get_map().values()]:
            if key.fileobj is not self._control:
                signal.pidfd_send_signal(key.fd, signal.SIGKILL)
                os.waitid(os.P_PIDFD, key.fd, os.WEXITED)

    def _answer(self, message: bytes) -> bool:
        if not message:
            return False
        self._load(json.loads(message)["modules"])
        self._fork()
        return True

    def _load(self, modules: list[str]) -> None:
        """Import modules of isolated functions once, for all workers to come."""
        for name in modules:
            if name not in sys.modules:
                # The worker meets the same error in the job that needs the module, and tells it.
                with contextlib.suppress(Exception):
                    importlib.import_module(name)

    def _fork(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        gc.collect()
        gc.freeze()  # a collection in the child would copy every page that it looks at
        zygote = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._be_worker(theirs, zygote)
        handle = os.pidfd_open(pid)
        threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208
        answer = json.dumps({"forked": pid, "threads": threads}).encode()
        socket.send_fds(self._control, [answer], [ours.fileno(), handle])
        self._selector.register(handle, selectors.EVENT_READ, pid)
        ours.close()
        theirs.close()

    def _be_worker(self, door: socket.socket, parent: int) -> None:
        """Live as a worker; never returns."""
        status = 1
        try:
            confine.die_with(parent)
            worker.silence()
            confine.confine(self._limits, self._rules)
            os.dup2(door.fileno(), _DOOR)
            os.closerange(_DOOR + 1, _MAX_FILES)
            worker.serve_one(socket.socket(fileno=_DOOR), self._limits)
            status = 0
        finally:
            os._exit(status)

    def _tell_end(self, handle: int, pid: int) -> None:
        self._selector.unregister(handle)
        ended = os.waitid(os.P_PIDFD, handle, os.WEXITED)
        os.close(handle)
        killed_by = ended.si_status if ended and ended.si_code != os.CLD_EXITED else 0
        self._control.send(json.dumps({"ended": pid, "signal": killed_by}).encode())


def run() -> None:
    """Start from the command line that `process.Zygote` writes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]))
