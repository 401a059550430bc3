"""An S3-compatible store of a test's own: `rclone serve s3` over a folder, with signed requests."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from absah_server.store import pairing

from .alone import free_port

RCLONE = Path(sys.executable).parent / "rclone"
KEY, SECRET = "absah-tests", "not-a-secret"
BUCKET = "documents"
STARTS_WITHIN_SECONDS = 20


class Bucket:
    """A bucket in `folder`, served on a port that stays the same."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / BUCKET
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def served(self) -> Iterator[None]:
        """Serve it, with the key and secret above."""
        command = [
            str(RCLONE), "serve", "s3", str(self.folder.parent), "--auth-key", f"{KEY},{SECRET}",
            "--addr", f"127.0.0.1:{self.port}", "--config", "/dev/null", "--dir-cache-time", "0s",
        ]  # fmt: skip
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            self._wait()
            yield
        finally:
            process.kill()
            process.wait()

    def keys(self) -> set[str]:
        """The keys of all objects but the mark by which a database knows the bucket."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        files = (path for path in found if path.stat().st_size != pairing.MARK_BYTES)
        return {str(path.relative_to(self.folder)) for path in files}

    def _wait(self) -> None:
        until = time.monotonic() + STARTS_WITHIN_SECONDS
        while True:
            try:
                urllib.request.urlopen(self.endpoint, timeout=1)
            except urllib.error.HTTPError:
                return  # it refuses what is not signed
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
