"""Fetch the files that messages refer to, from the places that the configuration allows."""

from __future__ import annotations

import asyncio
import errno
import os
import queue
import re
import ssl
import stat
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

import httpx

from absah_bridge.config import Store
from absah_bridge.errors import BridgeError, Cause, MessageInvalid

CHUNK_BYTES = 2**18
MAX_REFERENCE = 1024
READERS = 4
"""Threads that read from shares: those of a share that hangs must not hold up the bridge."""
_HIDDEN = re.compile(r"[\x00-\x20\x7f\\]|%(?:2e|2f|5c|25|00)", re.IGNORECASE)
"""What servers read in more than one way: blanks, backslashes, encoded dots and slashes."""
_NOT_ALLOWED = {errno.ELOOP, errno.EACCES, errno.EPERM, errno.ENXIO, errno.ENAMETOOLONG}
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR}


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

    def __init__(self, stores: Mapping[str, Store]) -> None:
        """Raises OSError where a secret cannot be read."""
        self._stores: dict[str, AttachmentStore] = {
            name: _opened(store) for name, store in stores.items()
        }
        self._max_bytes = {name: store.max_bytes for name, store in stores.items()}

    async def fetch(self, store: str, reference: str) -> bytes:
        """The file; raises `MessageInvalid` for what is not there, not allowed or too large, and
        `AttachmentsAway` for what passes by itself."""
        if not 0 < len(reference) <= MAX_REFERENCE:
            raise refused()
        return await self._stores[store].fetch(reference)

    def max_bytes(self, store: str) -> int:
        """The most that a file of a store can have."""
        return self._max_bytes[store]

    async def close(self) -> None:
        """Let go of all connections."""
        for store in self._stores.values():
            await store.close()


class Threads:
    """Threads for what blocks. Where one hangs, it keeps no process from ending, as one of a
    `ThreadPoolExecutor` would."""

    def __init__(self, count: int, name: str) -> None:
        self._tasks: queue.SimpleQueue[tuple[Future[bytes], Callable[[], bytes]] | None]
        self._tasks = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, task: Callable[[], bytes]) -> Future[bytes]:
        """Have a task done when a thread is free; until then it can be cancelled."""
        future: Future[bytes] = Future()
        self._tasks.put((future, task))
        return future

    def close(self) -> None:
        """Let the threads end, and wait for none."""
        for _ in self._threads:
            self._tasks.put(None)

    def _work(self) -> None:
        while self._did_next():
            """Nothing of a task is held here while the thread waits for another one."""

    def _did_next(self) -> bool:
        given = self._tasks.get()
        if given is None:
            return False
        future, task = given
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(task())
            except Exception as exc:  # whatever it is, it is for who waits
                future.set_exception(exc)
        return True


def _opened(store: Store) -> AttachmentStore:
    if store.kind == "folder":
        return FolderStore(store)
    if store.kind == "http":
        return HttpStore(store)
    from absah_bridge.sftp import SftpStore

    return SftpStore(store)


class FolderStore:
    """Files below one folder. Links that lead out of it, and what is no plain file, are refused."""

    def __init__(self, store: Store) -> None:
        assert store.folder is not None
        self._folder = store.folder
        self._max_bytes = store.max_bytes
        self._timeout_seconds = store.timeout_seconds
        self._threads = Threads(READERS, "absah-folder")

    async def fetch(self, reference: str) -> bytes:
        """See `AttachmentStore.fetch`."""
        reading = self._threads.submit(lambda: self._read(reference))
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await asyncio.wrap_future(reading)
        except TimeoutError as exc:
            raise AttachmentsAway("the share does not answer in time") from exc

    async def close(self) -> None:
        """Nothing is held open but by threads that hang."""
        self._threads.close()

    def _read(self, reference: str) -> bytes:
        if "\0" in reference or Path(reference).is_absolute():
            raise refused()
        try:
            # A share that is not mounted is away; its files are not missing.
            root = self._folder.resolve(strict=True)
        except OSError as exc:
            raise AttachmentsAway(f"the share is not there: {type(exc).__name__}") from exc
        try:
            path = (root / reference).resolve()
            if not path.is_relative_to(root):
                raise refused()
            handle = _open_below(root, path.relative_to(root).parts)
        except OSError as exc:
            raise _failed(exc) from exc
        except RuntimeError as exc:  # links in a circle
            raise refused() from exc
        try:
            with os.fdopen(handle, "rb") as stream:
                return bytes(bounded(stream.read(self._max_bytes + 1), self._max_bytes))
        except OSError as exc:
            raise _failed(exc) from exc


def _open_below(root: Path, parts: tuple[str, ...]) -> int:
    """Open a file step by step: a link that was put there since it was resolved is not followed."""
    if not parts:
        raise refused()
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for number, part in enumerate(parts, 1):
        kind = os.O_DIRECTORY if number < len(parts) else 0
        above = handle
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | kind
            handle = os.open(part, flags, dir_fd=above)
        finally:
            os.close(above)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise refused()
    return handle


def _failed(error: OSError) -> BridgeError:
    if error.errno in _NOT_THERE:
        return missing()
    if error.errno in _NOT_ALLOWED:
        return refused()
    return AttachmentsAway(f"the share fails: {errno.errorcode.get(error.errno or 0, 'unknown')}")


class HttpStore:
    """Files below one URL. Redirects are not followed: they could lead anywhere."""

    def __init__(self, store: Store) -> None:
        """Raises OSError where the password cannot be read."""
        assert store.url is not None
        self._base = store.url if store.url.endswith("/") else f"{store.url}/"
        self._max_bytes = store.max_bytes
        self._timeout_seconds = store.timeout_seconds
        auth = None
        if store.username is not None:
            password = store.password_file.read_text().strip() if store.password_file else ""
            auth = httpx.BasicAuth(store.username, password)
        self._client = httpx.AsyncClient(
            timeout=store.timeout_seconds,
            follow_redirects=False,
            auth=auth,
            trust_env=False,
            verify=ssl.create_default_context(cafile=store.ca_file) if store.ca_file else True,
            # What unpacks to more than it is cannot be bounded before it is unpacked.
            headers={"Accept-Encoding": "identity"},
        )

    async def fetch(self, reference: str) -> bytes:
        """See `AttachmentStore.fetch`."""
        url = self._url(reference)
        try:
            # httpx counts from one chunk to the next: a server that drips would never end.
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._client.stream("GET", url) as answer,
            ):
                self._judge(answer)
                content = bytearray()
                async for chunk in answer.aiter_raw(CHUNK_BYTES):
                    content += chunk
                    bounded(content, self._max_bytes)
        except (httpx.HTTPError, TimeoutError) as exc:
            raise AttachmentsAway(f"the store does not answer: {type(exc).__name__}") from exc
        return bytes(content)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _judge(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if status in (404, 410):
            raise missing()
        # Who the bridge is there is no message's fault: 401 and 407 too pass when that is mended.
        if status >= 500 or status in (401, 407, 408, 425, 429):
            raise AttachmentsAway(f"the store answers {status}")
        if status != 200:
            raise MessageInvalid(Cause.ATTACHMENT_REFUSED, f"the store answers {status}")
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise MessageInvalid(Cause.ATTACHMENT_REFUSED, "the store sends it compressed")
        length = answer.headers.get("Content-Length", "")
        if length.isdecimal() and int(length[:20]) > self._max_bytes:
            raise too_large(self._max_bytes)

    def _url(self, reference: str) -> str:
        try:
            url = urllib.parse.urljoin(self._base, reference)
            above = ".." in re.split("[/?#]", urllib.parse.urlsplit(url).path)
        except ValueError as exc:  # such as a host with half of its brackets
            raise refused() from exc
        hidden = _HIDDEN.search(reference) is not None
        if hidden or above or not url.startswith(self._base) or url == self._base:
            raise refused()
        return url


def bounded(content: bytes | bytearray, max_bytes: int) -> bytes | bytearray:
    """The content; raises `MessageInvalid` if it is too large."""
    if len(content) > max_bytes:
        raise too_large(max_bytes)
    return content


def too_large(max_bytes: int) -> MessageInvalid:
    """A file beyond what its store allows."""
    return MessageInvalid(
        Cause.ATTACHMENT_TOO_LARGE, f"is larger than the {max_bytes:,} bytes that are allowed"
    )


def refused() -> MessageInvalid:
    """A reference that leads out of its store."""
    return MessageInvalid(Cause.ATTACHMENT_REFUSED, "refers to a place that is not allowed")


def missing() -> MessageInvalid:
    """A reference to what is not there."""
    return MessageInvalid(Cause.MISSING_ATTACHMENT, "refers to a file that is not there")
