"""Run tritonserver over a model repository, and let nothing of it stay behind."""

from __future__ import annotations

import contextlib
import enum
import http.client
import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from absah_ops.triton import environment
from absah_ops.triton.environment import Environment
from absah_sdk import AbsahError

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108
THREADS_VARIABLE = "ABSAH_TRITON_THREADS"
"""What backend/model.py reads; it cannot be imported here."""
EXIT_SECONDS = 10
"""How long the server may finish what is running after SIGTERM."""
_POLL_SECONDS = 0.05


class TritonFailed(AbsahError):
    """tritonserver did not start, or ended; the message holds the last lines of its log."""


class Control(enum.StrEnum):
    """Who says which models are loaded; the words are Triton's."""

    EXPLICIT = "explicit"
    """Its clients: a model may be loaded and unloaded at any time."""
    NONE = "none"
    """Nobody: the models found at start are served to the end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How to run the server. Ports are those of gRPC, HTTP and Prometheus metrics.

    `load` names the models to load at start under `Control.EXPLICIT`; ("*",) is all of them.
    `threads` is that of one execution, for models whose config does not say. `flags` are further
    ones of tritonserver's own.
    """

    repository: Path
    host: str = "127.0.0.1"
    grpc_port: int = 8001
    http_port: int = 8000
    metrics_port: int = 8002
    control: Control = Control.EXPLICIT
    load: Sequence[str] = ("*",)
    threads: int = 1
    verbose: bool = False
    flags: Sequence[str] = ()


class TritonServer:
    """A tritonserver process and the stubs that it runs models in.

    Its log goes to `log`, an open file; `end` must be called, whatever became of the process.
    """

    def __init__(self, installed: Environment, options: Options, log: IO[bytes]) -> None:
        """Start the process; raises `TritonFailed` where that cannot go well."""
        if not options.repository.is_dir():
            raise TritonFailed(f"{options.repository} is no folder of models")
        _check_ports(options)
        self.options = options
        # Names what Triton leaves in /dev/shm when it is killed.
        self._prefix = f"absah_triton_{os.getpid()}_{secrets.token_hex(4)}_"
        self._log = log
        self._process = subprocess.Popen(  # noqa: S603
            [installed.tritonserver, *_arguments(installed, options, self._prefix)],
            env=_variables(installed, options),
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            # A group of its own: a Ctrl-C is for whoever runs it, and the stubs end with it.
            start_new_session=True,
        )

    @property
    def grpc_address(self) -> str:
        """Such as "127.0.0.1:8001": what `--triton` and `TritonInference` take."""
        return f"{self.options.host}:{self.options.grpc_port}"

    @property
    def http_address(self) -> str:
        """Such as "127.0.0.1:8000"."""
        return f"{self.options.host}:{self.options.http_port}"

    @property
    def pid(self) -> int:
        """Of tritonserver itself."""
        return self._process.pid

    def stub_pids(self, model: str) -> list[int]:
        """The processes that run the instances of a model."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdecimal():
                continue
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if self._prefix in " ".join(words) and any(f"/{model}/" in w for w in words):
                    found.append(int(folder.name))
        return found

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.poll()

    def wait_ready(
        self, timeout_seconds: float = 60.0, *, until: Callable[[], bool] = lambda: False
    ) -> None:
        """Wait until it answers requests, or `until` says to wait no more.

        Raises `TritonFailed`.
        """
        end = time.monotonic() + timeout_seconds
        while not self._is_ready() and not until():
            if self.poll() is not None:
                raise TritonFailed(f"tritonserver ended with {self.poll()}:\n{self._last_lines()}")
            if time.monotonic() > end:
                raise TritonFailed(
                    f"tritonserver is not ready after {timeout_seconds:.0f} s:\n"
                    f"{self._last_lines()}"
                )
            time.sleep(_POLL_SECONDS)

    def terminate(self) -> None:
        """Ask it to finish what is running and to end."""
        self._process.terminate()

    def kill(self) -> None:
        """End it at once, with its stubs, as a crash would."""
        self._process.kill()
        self.end()

    def end(self) -> int:
        """Make it end, by force after a while, tidy up and return its exit code."""
        self._process.terminate()
        try:
            code = self._process.wait(EXIT_SECONDS + 5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        # The stubs of a server that was killed would notice by themselves, but later.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for file in SHARED_MEMORY.glob(f"{self._prefix}*"):
            file.unlink(missing_ok=True)
        return code

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection(self.http_address, timeout=5)
        try:
            connection.request("GET", "/v2/health/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def _last_lines(self) -> str:
        name = self._log.name
        if not isinstance(name, str) or not Path(name).is_file():
            return "see its log"
        lines = Path(name).read_text(errors="replace").strip().splitlines()
        return "\n".join(lines[-15:])


@contextmanager
def running(
    repository: Path,
    *,
    control: Control = Control.EXPLICIT,
    load: Sequence[str] = ("*",),
    threads: int = 1,
    flags: Sequence[str] = (),
    ports: Options | None = None,
) -> Iterator[TritonServer]:
    """Install Triton if need be and run it on free ports, ready to answer, until the block ends.

    `ports` is another server's options, whose ports are taken instead: the way to start again
    where one was killed. Raises `TritonNotInstalled` or `TritonFailed`.
    """
    installed = environment.prepare()
    grpc, http_, metrics = (
        (ports.grpc_port, ports.http_port, ports.metrics_port) if ports else free_ports(3)
    )
    options = Options(
        repository=repository,
        grpc_port=grpc,
        http_port=http_,
        metrics_port=metrics,
        control=control,
        load=load,
        threads=threads,
        flags=flags,
    )
    with tempfile.NamedTemporaryFile(prefix="triton-", suffix=".log") as log:
        server = TritonServer(installed, options, log)
        try:
            server.wait_ready()
            yield server
        finally:
            # Whoever needed it is done: no request is worth the seconds that an orderly end takes.
            server.kill()


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on at the moment."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _check_ports(options: Options) -> None:
    """Where another server listens, that one would look like this one being ready."""
    for name in ("grpc_port", "http_port", "metrics_port"):
        port = getattr(options, name)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((options.host, port))
            except OSError as exc:
                raise TritonFailed(
                    f"{options.host}:{port} cannot be listened on ({exc.strerror}); choose another "
                    f"with --{name.replace('_', '-')}"
                ) from exc


def _arguments(installed: Environment, options: Options, prefix: str) -> list[str]:
    loads = options.load if options.control is Control.EXPLICIT else ()
    return [
        f"--model-repository={options.repository.resolve()}",
        f"--backend-directory={installed.backends}",
        f"--backend-config=python,shm-region-prefix-name={prefix}",
        f"--model-control-mode={options.control}",
        *(f"--load-model={name}" for name in loads),
        # A model that cannot be loaded must not keep the others from being served.
        "--exit-on-error=false",
        "--strict-readiness=false",
        "--disable-auto-complete-config",
        f"--grpc-address={options.host}",
        f"--http-address={options.host}",
        f"--metrics-address={options.host}",
        f"--grpc-port={options.grpc_port}",
        f"--http-port={options.http_port}",
        f"--metrics-port={options.metrics_port}",
        f"--exit-timeout-secs={EXIT_SECONDS}",
        f"--log-info={str(options.verbose).lower()}",
        *options.flags,
    ]


def _variables(installed: Environment, options: Options) -> dict[str, str]:
    """Nothing of ours: a PYTHONPATH or an activated environment would mislead the stubs."""
    return {
        "HOME": os.environ.get("HOME", "/"),
        "PATH": f"{installed.binaries}:/usr/bin:/bin",
        "LD_LIBRARY_PATH": installed.library_path,
        THREADS_VARIABLE: str(options.threads),
    }
