"""Fetch the files that messages refer to, from the places that the configuration allows."""

from __future__ import annotations

import asyncio
import os
import stat
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import httpx

from absah_bridge.config import Store
from absah_bridge.errors import BridgeError, Cause, MessageInvalid

CHUNK_BYTES = 2**18


class AttachmentsAway(BridgeError):
    """A store does not answer; another time it may."""


class AttachmentStore(Protocol):
    """One place of files."""

    async def fetch(self, reference: str) -> bytes:
        """The file; raises `MessageInvalid` or `AttachmentsAway`."""

    async def close(self) -> None:
        """Let go of connections."""


class Attachments:
    """The stores of bridge.yaml by name."""

    def __init__(self, stores: Mapping[str, Store], folder: Path) -> None:
        """Paths in `stores` are relative to `folder`."""
        self._stores: dict[str, AttachmentStore] = {
            name: _opened(store, folder) for name, store in stores.items()
        }

    async def fetch(self, store: str, reference: str) -> bytes:
        """The file; raises `MessageInvalid` for what is not there, not allowed or too large, and
        `AttachmentsAway` for what passes by itself."""
        return await self._stores[store].fetch(reference)

    async def close(self) -> None:
        """Let go of all connections."""
        for store in self._stores.values():
            await store.close()


def _opened(store: Store, folder: Path) -> AttachmentStore:
    if store.kind == "folder":
        assert store.folder is not None
        return FolderStore((folder / store.folder).resolve(), max_bytes=store.max_bytes)
    if store.kind == "http":
        return HttpStore(store)
    from absah_bridge.sftp import SftpStore

    return SftpStore(store, folder)


class FolderStore:
    """Files below one folder. Links that lead out of it, and what is no plain file, are refused."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    async def fetch(self, reference: str) -> bytes:
        """See `AttachmentStore.fetch`."""
        return await asyncio.to_thread(self._read, reference)

    async def close(self) -> None:
        """Nothing is held open."""

    def _read(self, reference: str) -> bytes:
        if "\0" in reference or Path(reference).is_absolute():
            raise refused()
        path = (self._folder / reference).resolve()
        if not path.is_relative_to(self._folder):
            raise refused()
        try:
            # Resolved already: a link that was put there since is not followed.
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError as exc:
            raise missing() from exc
        except OSError as exc:
            raise refused() from exc
        with os.fdopen(handle, "rb") as stream:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise refused()
            content = stream.read(self._max_bytes + 1)
        return bounded(content, self._max_bytes)


class HttpStore:
    """Files below one URL. Redirects are not followed: they could lead anywhere."""

    def __init__(self, store: Store) -> None:
        assert store.url is not None
        self._base = store.url if store.url.endswith("/") else f"{store.url}/"
        self._max_bytes = store.max_bytes
        auth = None
        if store.username is not None:
            password = store.password_file.read_text().strip() if store.password_file else ""
            auth = httpx.BasicAuth(store.username, password)
        self._client = httpx.AsyncClient(
            timeout=store.timeout_seconds, follow_redirects=False, auth=auth, trust_env=False
        )

    async def fetch(self, reference: str) -> bytes:
        """See `AttachmentStore.fetch`."""
        url = self._url(reference)
        try:
            async with self._client.stream("GET", url) as answer:
                if answer.status_code in (404, 410):
                    raise missing()
                if answer.status_code >= 500 or answer.status_code == 429:
                    raise AttachmentsAway(f"the store answers {answer.status_code}")
                if answer.status_code != 200:
                    raise MessageInvalid(
                        Cause.ATTACHMENT_REFUSED, f"the store answers {answer.status_code}"
                    )
                content = bytearray()
                async for chunk in answer.aiter_bytes(CHUNK_BYTES):
                    content += chunk
                    bounded(content, self._max_bytes)
        except httpx.HTTPError as exc:
            raise AttachmentsAway(f"the store does not answer: {type(exc).__name__}") from exc
        return bytes(content)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _url(self, reference: str) -> str:
        url = urllib.parse.urljoin(self._base, reference)
        path = urllib.parse.unquote(urllib.parse.urlsplit(url).path)
        if not url.startswith(self._base) or ".." in path.split("/"):
            raise refused()
        return url


def bounded(content: bytes | bytearray, max_bytes: int) -> bytes:
    """The content; raises `MessageInvalid` if it is too large."""
    if len(content) > max_bytes:
        raise MessageInvalid(
            Cause.ATTACHMENT_TOO_LARGE, f"is larger than the {max_bytes:,} bytes that are allowed"
        )
    return bytes(content)


def refused() -> MessageInvalid:
    """A reference that leads out of its store."""
    return MessageInvalid(Cause.ATTACHMENT_REFUSED, "refers to a place that is not allowed")


def missing() -> MessageInvalid:
    """A reference to what is not there."""
    return MessageInvalid(Cause.MISSING_ATTACHMENT, "refers to a file that is not there")
