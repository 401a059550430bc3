"""A real SFTP server for tests, by paramiko's own server side: one folder, one user."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import paramiko


class SftpServer:
    """Serves `folder` as "/" on a free port, to the user "bridge" with the password "rahasia".

    While `answers` is clear it answers no request for a session; where `drips` is set it gives a
    byte of a file at a time.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.connections = 0
        self.logins: list[str] = []
        self.drips = False
        self.answers = threading.Event()
        self.answers.set()
        self._key = paramiko.ECDSAKey.generate()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._transports: list[paramiko.Transport] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> SftpServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        self.answers.set()
        self.cut()

    def known_hosts(self, file: Path) -> Path:
        """Write a file that knows this server's key."""
        name = f"[127.0.0.1]:{self.port}"
        file.write_text(f"{name} {self._key.get_name()} {self._key.get_base64()}\n")
        return file

    def cut(self) -> None:
        """End all connections."""
        for transport in self._transports:
            transport.close()
        self._transports.clear()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            transport = paramiko.Transport(connection)
            transport.add_server_key(self._key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, served=self)
            self._transports.append(transport)
            try:
                transport.start_server(server=_Door(self))
            except (paramiko.SSHException, EOFError, OSError):
                transport.close()  # a client that does not like our key, or went


class _Door(paramiko.ServerInterface):
    def __init__(self, server: SftpServer) -> None:
        self._server = server

    def check_auth_password(self, username: str, password: str) -> int:
        self._server.logins.append(username)
        if (username, password) == ("bridge", "rahasia"):
            return paramiko.AUTH_SUCCESSFUL
        return paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        self._server.answers.wait()
        return super().check_channel_subsystem_request(channel, name)


class _Dripping(paramiko.SFTPHandle):
    def read(self, offset: int, length: int) -> Any:
        time.sleep(0.02)
        return super().read(offset, min(length, 1))


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, door: _Door, *args: Any, served: SftpServer) -> None:
        super().__init__(door, *args)
        self._folder = served.folder
        self._served = served

    def canonicalize(self, path: str) -> str:
        real = os.path.realpath(self._local(path))
        return "/" + os.path.relpath(real, self._folder)

    def stat(self, path: str) -> Any:
        return self._told(lambda: Path(self._local(path)).stat())

    def lstat(self, path: str) -> Any:
        return self._told(lambda: Path(self._local(path)).lstat())

    def open(self, path: str, flags: int, attr: Any) -> Any:
        try:
            handle = _Dripping(flags) if self._served.drips else paramiko.SFTPHandle(flags)
            handle.readfile = Path(self._local(path)).open("rb")  # noqa: SIM115 - closed by it
        except OSError as exc:
            return paramiko.SFTPServer.convert_errno(exc.errno or 0)
        return handle

    def _local(self, path: str) -> str:
        return f"{self._folder}/{path.lstrip('/')}"

    def _told(self, look: Any) -> Any:
        try:
            return paramiko.SFTPAttributes.from_stat(look())
        except OSError as exc:
            return paramiko.SFTPServer.convert_errno(exc.errno or 0)
