"""Files of an SFTP server (paramiko, which blocks and is therefore called in threads)."""

from __future__ import annotations

import asyncio
import stat
import threading
import urllib.parse
from pathlib import Path, PurePosixPath

import paramiko

from absah_bridge import attachments
from absah_bridge.config import Store


class SftpStore:
    """Files below one folder of a server whose key is known; one file at a time."""

    def __init__(self, store: Store, folder: Path) -> None:
        assert store.url is not None
        self._store = store
        self._folder = folder
        parts = urllib.parse.urlsplit(store.url)
        self._host, self._port = parts.hostname or "", parts.port or 22
        self._root = PurePosixPath(parts.path or "/")
        self._lock = threading.Lock()
        self._client: paramiko.SSHClient | None = None

    async def fetch(self, reference: str) -> bytes:
        """See `AttachmentStore.fetch`."""
        return await asyncio.to_thread(self._fetch, reference)

    async def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            await asyncio.to_thread(self._client.close)

    def _fetch(self, reference: str) -> bytes:
        path = PurePosixPath(reference)
        if path.is_absolute() or ".." in path.parts or "\0" in reference:
            raise attachments.refused()
        with self._lock:
            try:
                return self._read(str(self._root / path))
            except FileNotFoundError as exc:
                raise attachments.missing() from exc
            except PermissionError as exc:
                raise attachments.refused() from exc
            except (OSError, EOFError, paramiko.SSHException) as exc:
                self._drop()
                raise attachments.AttachmentsAway(
                    f"the SFTP server does not answer: {type(exc).__name__}"
                ) from exc

    def _read(self, path: str) -> bytes:
        sftp = self._connected().open_sftp()
        with sftp:
            # A link may lead anywhere.
            mode = sftp.lstat(path).st_mode
            if mode is None or not stat.S_ISREG(mode):
                raise attachments.refused()
            with sftp.open(path, "rb") as stream:
                stream.prefetch(None, 16)
                content = stream.read(self._store.max_bytes + 1)
        return attachments.bounded(content, self._store.max_bytes)

    def _connected(self) -> paramiko.SSHClient:
        if self._client is None:
            client = paramiko.SSHClient()
            if self._store.known_hosts_file is not None:
                client.load_host_keys(str(self._folder / self._store.known_hosts_file))
            else:
                client.load_system_host_keys()
            client.set_missing_host_key_policy(paramiko.RejectPolicy())
            client.connect(
                self._host,
                self._port,
                username=self._store.username,
                password=self._secret(self._store.password_file),
                key_filename=self._path(self._store.key_file),
                timeout=self._store.timeout_seconds,
                allow_agent=False,
                look_for_keys=False,
            )
            self._client = client
        return self._client

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _path(self, file: Path | None) -> str | None:
        return str(self._folder / file) if file is not None else None

    def _secret(self, file: Path | None) -> str | None:
        return (self._folder / file).read_text().strip() if file is not None else None
