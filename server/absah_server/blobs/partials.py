"""Keep what has arrived of uploads in files, until they are whole.

Each upload under way has a file of its own, which it locks, so that two uploaders of the same
content do not meet. A lock ends with its process: a file without one was left behind, and is what
an upload that broke off is gone on with.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from absah_server.blobs.threads import Threads
from absah_server.core.errors import UploadGap

READ_BYTES = 2**20


class FilePartial:
    """The file of one upload under way, locked; see `Partial`."""

    def __init__(self, threads: Threads, path: Path, descriptor: int) -> None:
        self.path = path
        self.size_bytes = 0
        self._threads = threads
        self._descriptor = descriptor
        self._hash = hashlib.sha256()

    def digest(self) -> str:
        """As `Partial.digest`."""
        return self._hash.hexdigest()

    async def append(self, chunk: bytes) -> None:
        """As `Partial.append`."""
        await self._threads.run(self._append, chunk)

    async def head(self, size_bytes: int) -> bytes:
        """As `Partial.head`."""
        return await self._threads.run(os.pread, self._descriptor, size_bytes, 0)

    async def discard(self) -> None:
        """As `Partial.discard`."""
        await self._threads.run(self._discard)

    async def release(self) -> None:
        """As `Partial.release`."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            await self._threads.run(os.close, descriptor)

    def read_in(self) -> None:
        """Digest what is there."""
        while piece := os.pread(self._descriptor, READ_BYTES, self.size_bytes):
            self._hash.update(piece)
            self.size_bytes += len(piece)

    def _append(self, chunk: bytes) -> None:
        written = 0
        while written < len(chunk):
            written += os.pwrite(self._descriptor, chunk[written:], self.size_bytes + written)
        self._hash.update(chunk)
        self.size_bytes += len(chunk)

    def _discard(self) -> None:
        self.path.unlink(missing_ok=True)


class FilePartials:
    """Uploads under way in `folder`, a folder a tenant; see `Partials`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = Threads("the folder of uploads")

    async def open(self, tenant: str, digest: str, *, offset_bytes: int) -> FilePartial:
        """As `Partials.open`."""
        return await self._threads.run(self._open, tenant, digest, offset_bytes)

    async def received_bytes(self, tenant: str, digest: str) -> int:
        """As `Partials.received_bytes`."""
        return await self._threads.run(self._received_bytes, tenant, digest)

    async def discard(self, tenant: str, digest: str) -> None:
        """As `Partials.discard`."""
        await self._threads.run(self._discard, tenant, digest)

    async def purge(self, *, older_than_seconds: float, tenant: str | None = None) -> int:
        """As `Partials.purge`."""
        return await self._threads.run(self._purge, time.time() - older_than_seconds, tenant)

    async def close(self) -> None:
        """Wait for what is being written."""
        await self._threads.close()

    def _of(self, tenant: str) -> Path:
        # The sign keeps a tenant called ".." in its place.
        return self._folder / f"@{tenant}"

    def _open(self, tenant: str, digest: str, offset_bytes: int) -> FilePartial:
        """The longest one that was left behind, at its end; from byte 0, a new one instead."""
        if not offset_bytes:
            self._discard(tenant, digest)
            return self._new(tenant, digest)
        left = self._left(tenant, digest)
        if left is None:
            raise _gap(0)
        try:
            left.read_in()
            if left.size_bytes != offset_bytes:
                raise _gap(left.size_bytes)
        except BaseException:
            os.close(left._descriptor)
            raise
        return left

    def _new(self, tenant: str, digest: str) -> FilePartial:
        self._of(tenant).mkdir(parents=True, exist_ok=True)
        path = self._of(tenant) / f"{digest}.{secrets.token_hex(8)}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return FilePartial(self._threads, path, descriptor)

    def _left(self, tenant: str, digest: str) -> FilePartial | None:
        for path in self._by_size(tenant, digest):
            if (descriptor := _lock(path)) is not None:
                return FilePartial(self._threads, path, descriptor)
        return None

    def _received_bytes(self, tenant: str, digest: str) -> int:
        for path in self._by_size(tenant, digest):
            if (descriptor := _lock(path)) is not None:
                size = os.fstat(descriptor).st_size
                os.close(descriptor)
                return size
        return 0

    def _by_size(self, tenant: str, digest: str) -> list[Path]:
        """The files of this content, the longest first."""
        sizes = {}
        for path in self._of(tenant).glob(f"{digest}.*"):
            with contextlib.suppress(FileNotFoundError):
                sizes[path] = path.stat().st_size
        return sorted(sizes, key=lambda path: -sizes[path])

    def _discard(self, tenant: str, digest: str) -> None:
        for path in self._by_size(tenant, digest):
            _remove_left(path)

    def _purge(self, before: float, tenant: str | None) -> int:
        removed = [p for p in self._all() if _is_older(p, before) and _remove_left(p)]
        return sum(tenant is None or path.parent == self._of(tenant) for path in removed)

    def _all(self) -> Iterator[Path]:
        return self._folder.glob("@*/*")


def _gap(received_bytes: int) -> UploadGap:
    return UploadGap(
        (
            "header.offset_bytes",
            f"must be {received_bytes}, where the upload goes on, or 0 to begin anew",
        )
    )


def _lock(path: Path) -> int | None:
    """Lock a file that nobody writes to; None if somebody does, or it is gone."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_nlink:
            return descriptor
    except BlockingIOError:
        pass
    os.close(descriptor)
    return None


def _remove_left(path: Path) -> bool:
    descriptor = _lock(path)
    if descriptor is None:
        return False
    path.unlink(missing_ok=True)
    os.close(descriptor)
    return True


def _is_older(path: Path, before: float) -> bool:
    try:
        return path.stat().st_mtime < before
    except FileNotFoundError:
        return False
