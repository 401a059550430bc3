"""Files of an SFTP server, by paramiko, which blocks and is therefore called in a thread."""

from __future__ import annotations

import asyncio
import stat
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

import paramiko

from absah_bridge import attachments
from absah_bridge.config import Store


class SftpStore:
    """Files below one folder of a server whose key is known; one file at a time."""

    def __init__(self, store: Store) -> None:
        """Raises OSError where a secret cannot be read."""
        assert store.url is not None
        self._store = store
        parts = urllib.parse.urlsplit(store.url)
        self._host, self._port = parts.hostname or "", parts.port or 22
        self._root = PurePosixPath(urllib.parse.unquote(parts.path) or "/")
        self._password = store.password_file.read_text().strip() if store.password_file else None
        self._thread = ThreadPoolExecutor(1, "absah-sftp")
        self._client: paramiko.SSHClient | None = None

    async def fetch(self, reference: str) -> bytes:
        """See `AttachmentStore.fetch`."""
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._fetch, reference
        )

    async def close(self) -> None:
        """Close the connection."""
        self._thread.submit(self._drop)
        await asyncio.to_thread(self._thread.shutdown)

    def _fetch(self, reference: str) -> bytes:
        path = PurePosixPath(reference)
        if path.is_absolute() or ".." in path.parts or "\0" in reference:
            raise attachments.refused()
        try:
            with self._connected().open_sftp() as sftp:
                return self._read(sftp, str(self._root / path))
        except FileNotFoundError as exc:
            raise attachments.missing() from exc
        except PermissionError as exc:
            raise attachments.refused() from exc
        except (OSError, EOFError, paramiko.SSHException) as exc:
            self._drop()
            raise attachments.AttachmentsAway(
                f"the SFTP server cannot be read from: {type(exc).__name__}"
            ) from exc

    def _read(self, sftp: paramiko.SFTPClient, path: str) -> bytes:
        sftp.get_channel().settimeout(self._store.timeout_seconds)
        # The server says where links lead.
        root, real = (PurePosixPath(sftp.normalize(each) or "") for each in (str(self._root), path))
        if not real.is_relative_to(root):
            raise attachments.refused()
        found = sftp.lstat(str(real))
        if found.st_mode is None or not stat.S_ISREG(found.st_mode):
            raise attachments.refused()
        size, most = found.st_size or 0, self._store.max_bytes
        if size > most:
            raise attachments.too_large(most)
        with sftp.open(str(real), "rb") as stream:
            stream.prefetch(size, 16)
            return bytes(attachments.bounded(stream.read(most + 1), most))

    def _connected(self) -> paramiko.SSHClient:
        transport = self._client.get_transport() if self._client else None
        if self._client is None or transport is None or not transport.is_active():
            self._drop()
            self._client = self._connect()
        return self._client

    def _connect(self) -> paramiko.SSHClient:
        store, seconds = self._store, self._store.timeout_seconds
        client = paramiko.SSHClient()
        if store.known_hosts_file is not None:
            client.load_host_keys(str(store.known_hosts_file))
        else:
            client.load_system_host_keys()
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        try:
            client.connect(
                self._host,
                self._port,
                username=store.username,
                password=self._password,
                key_filename=str(store.key_file) if store.key_file else None,
                timeout=seconds,
                banner_timeout=seconds,
                auth_timeout=seconds,
                channel_timeout=seconds,
                allow_agent=False,
                look_for_keys=False,
            )
        except FileNotFoundError as exc:
            # The key's file, not a message's.
            raise paramiko.SSHException("no key file") from exc
        except BaseException:
            client.close()
            raise
        return client

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
