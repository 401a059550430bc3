"""A PostgreSQL of a test's own, to be killed and started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from absah_server.store.embedded import EmbeddedPostgres


class KillablePostgres:
    """An embedded PostgreSQL whose postmaster can be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._embedded = EmbeddedPostgres(folder)
        self.url = self._embedded.start()

    def kill(self) -> None:
        """SIGKILL the postmaster; the others end when they see that it is gone."""
        pid = int((self._folder / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)

    def revive(self) -> None:
        """Start it again on the same data, and return when it answers."""
        while True:
            # A postmaster that was just killed may look as if it ran, and while the last of its
            # processes ends there can be no other.
            with contextlib.suppress(psycopg.OperationalError, subprocess.SubprocessError, OSError):
                self._embedded.revive()
                psycopg.connect(self.url, connect_timeout=2).close()
                return
            time.sleep(0.1)

    def close(self) -> None:
        """Stop it for good."""
        self._embedded.close()


@contextmanager
def killable_postgres(folder: Path) -> Iterator[KillablePostgres]:
    """A PostgreSQL with its data in a folder, for the length of the block."""
    made = KillablePostgres(folder)
    try:
        yield made
    finally:
        made.revive()
        made.close()
