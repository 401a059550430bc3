"""Keep contents as files, each named by its SHA-256.

A content is written beside its place, synced to the disk and renamed into it, so that a file that
is there is whole, whatever was killed when. Several servers may share a folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from absah_server.blobs.threads import Threads
from absah_server.core import names
from absah_server.core.errors import ContentDamaged, DocumentNotFound

log = logging.getLogger(__name__)

STALE_SECONDS = 24 * 3600.0
"""A file beside its place that is older was left by a process that died."""


class FileBlobs:
    """Contents in `folder` as ab/cdef…, after the digest's first two digits."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"
        self._threads = Threads("the folder of documents")
        self._synced: set[Path] = set()

    async def start(self) -> None:
        """Make the folder; raises `StoreUnavailable` if it cannot be written to."""
        await self._threads.run(self._prepare)

    async def put(self, digest: str, content: bytes) -> None:
        """As `Blobs.put`; raises `StoreFull` or `StoreUnavailable`."""
        await self._threads.run(self._put, digest, content)

    async def adopt(self, digest: str, path: Path) -> None:
        """As `Blobs.adopt`; the file must be on the same file system."""
        await self._threads.run(self._adopt, digest, path)

    async def get(self, digest: str) -> bytes:
        """As `Blobs.get`; raises `DocumentNotFound` or `ContentDamaged`."""
        return await self._threads.run(self._get, digest)

    async def delete(self, digest: str) -> None:
        """As `Blobs.delete`."""
        await self._threads.run(self._delete, digest)

    async def digests(self, *, older_than_seconds: float) -> AsyncIterator[str]:
        """As `Blobs.digests`; what dead processes left beside its place is cleared on the way."""
        await self._threads.run(self._clear_stale)
        before = time.time() - older_than_seconds
        for folder in await self._threads.run(self._shards):
            for digest in await self._threads.run(self._old, folder, before):
                yield digest

    async def close(self) -> None:
        """Wait for what is being written."""
        await self._threads.close()

    def _place(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest[2:]

    def _prepare(self) -> None:
        self._incoming.mkdir(parents=True, exist_ok=True)
        sync_folder(self._folder)

    def _put(self, digest: str, content: bytes) -> None:
        if self._refreshed(digest, content):
            return
        beside = self._incoming / f"{digest}.{secrets.token_hex(8)}"
        try:
            with beside.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            self._rename(beside, digest)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise

    def _adopt(self, digest: str, path: Path) -> None:
        with path.open("rb") as file:
            os.fsync(file.fileno())
        self._rename(path, digest)

    def _refreshed(self, digest: str, content: bytes) -> bool:
        """Whether it is there, and young again. What is damaged is not there, and is replaced."""
        place = self._place(digest)
        try:
            if place.read_bytes() != content:
                log.error("document damaged", extra={"sha256": digest, "where": str(place)})
                return False
            os.utime(place)
        except FileNotFoundError:
            return False
        # Whoever put it there may not have synced it yet.
        sync_folder(place.parent)
        return True

    def _rename(self, path: Path, digest: str) -> None:
        place = self._place(digest)
        if place.parent not in self._synced:
            place.parent.mkdir(exist_ok=True)
            sync_folder(self._folder)
            self._synced.add(place.parent)
        path.replace(place)
        sync_folder(place.parent)

    def _get(self, digest: str) -> bytes:
        try:
            content = self._place(digest).read_bytes()
        except FileNotFoundError:
            raise DocumentNotFound(name=names.document_name(digest)) from None
        verify(digest, content, where=str(self._place(digest)))
        return content

    def _delete(self, digest: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._place(digest).unlink()
            sync_folder(self._place(digest).parent)

    def _shards(self) -> list[Path]:
        return sorted(path for path in self._folder.iterdir() if len(path.name) == 2)

    def _old(self, folder: Path, before: float) -> list[str]:
        found = (folder.name + path.name for path in _older(folder, before))
        return [digest for digest in found if names.DIGEST.fullmatch(digest)]

    def _clear_stale(self) -> None:
        for path in _older(self._incoming, time.time() - STALE_SECONDS):
            path.unlink(missing_ok=True)


def verify(digest: str, content: bytes, *, where: str) -> None:
    """Raise `ContentDamaged` unless the content is what its digest says."""
    if hashlib.sha256(content).hexdigest() != digest:
        log.error("document damaged", extra={"sha256": digest, "where": where})
        raise ContentDamaged(name=names.document_name(digest))


def sync_folder(folder: Path) -> None:
    """Wait until a folder's names are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _older(folder: Path, before: float) -> Iterator[Path]:
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                yield path
