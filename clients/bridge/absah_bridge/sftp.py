"""Files of an SFTP server, by paramiko, which blocks and is therefore called in a thread."""

from __future__ import annotations

import asyncio
import stat
import threading
import urllib.parse
from pathlib import PurePosixPath

import paramiko

from absah_bridge import attachments
from absah_bridge.attachments import AttachmentsAway
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
        self._thread = attachments.Threads(1, "absah-sftp")
        self._turn = asyncio.Lock()
        self._client: paramiko.SSHClient | None = None

    async def fetch(self, reference: str) -> bytes:
        """See `AttachmentStore.fetch`."""
        path = PurePosixPath(reference)
        if path.is_absolute() or ".." in path.parts or "\0" in reference:
            raise attachments.refused()
        async with self._turn:
            given_up = threading.Event()
            reading = self._thread.submit(lambda: self._fetch(str(self._root / path), given_up))
            try:
                # paramiko counts from one answer to the next, and for some has no patience set.
                async with asyncio.timeout(self._store.timeout_seconds):
                    return await asyncio.wrap_future(reading)
            except TimeoutError as exc:
                raise AttachmentsAway("the SFTP server does not answer in time") from exc
            finally:
                if not reading.done():
                    given_up.set()
                    self._drop()

    async def close(self) -> None:
        """Close the connection, under whatever reads from it."""
        self._thread.close()
        self._drop()

    def _fetch(self, path: str, given_up: threading.Event) -> bytes:
        try:
            with self._session(given_up) as sftp:
                sftp.get_channel().settimeout(self._store.timeout_seconds)
                root = PurePosixPath(sftp.normalize(str(self._root)) or "")
                return self._read(sftp, root, path)
        except (OSError, EOFError, paramiko.SSHException) as exc:
            self._drop()
            raise AttachmentsAway(
                f"the SFTP server cannot be read from: {type(exc).__name__}"
            ) from exc

    def _read(self, sftp: paramiko.SFTPClient, root: PurePosixPath, path: str) -> bytes:
        try:
            return self._content(sftp, root, path)
        except FileNotFoundError as exc:
            # Where the folder itself is not there, the store is away; its files are not missing.
            sftp.stat(str(root))
            raise attachments.missing() from exc
        except PermissionError as exc:
            raise attachments.refused() from exc

    def _content(self, sftp: paramiko.SFTPClient, root: PurePosixPath, path: str) -> bytes:
        # The server says where links lead.
        real = PurePosixPath(sftp.normalize(path) or "")
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

    def _session(self, given_up: threading.Event) -> paramiko.SFTPClient:
        sftp = self._connected(given_up).open_sftp_client()
        if sftp is None:
            raise paramiko.SSHException("no session")
        return sftp

    def _connected(self, given_up: threading.Event) -> paramiko.Transport:
        transport = self._client.get_transport() if self._client else None
        if transport is not None and transport.is_active():
            return transport
        self._drop()
        # Known before it is connected, so that who gives up can close it under the thread.
        client = self._client = paramiko.SSHClient()
        try:
            self._connect(client)
        except Exception as exc:  # paramiko raises all kinds for files that hold no keys
            self._drop()
            file = f" of {exc.filename}" if isinstance(exc, OSError) and exc.filename else ""
            raise AttachmentsAway(
                f"no connection to the SFTP server: {type(exc).__name__}{file}"
            ) from exc
        transport = client.get_transport()
        if transport is None or given_up.is_set():
            client.close()
            raise AttachmentsAway("the SFTP server was given up")
        return transport

    def _connect(self, client: paramiko.SSHClient) -> None:
        store, seconds = self._store, self._store.timeout_seconds
        if store.known_hosts_file is not None:
            client.load_host_keys(str(store.known_hosts_file))
        else:
            client.load_system_host_keys()
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
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

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()
