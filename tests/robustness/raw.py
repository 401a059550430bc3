"""Calls without a gRPC client, which would not send what no client may: frames of HTTP/2.

As much of RFC 9113 and RFC 7541 as it takes to send one request and find the status.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Sequence

from serving import Server

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, GOAWAY = 0x0, 0x1, 0x3, 0x4, 0x7
END_STREAM, END_HEADERS = 0x1, 0x4
STATUS = re.compile(rb"grpc-status[\x01\x02](\d+)")
"""As gRPC writes it the first time on a connection: a literal, its length, its digits."""
READ_SECONDS = 10.0


def call(server: Server, path: str, message: bytes, metadata: Sequence[tuple[bytes, bytes]]) -> str:
    """The number of the status, "reset" for a call that HTTP/2 itself refused, else "hung up".

    An answer of more than 64 KiB never comes to its end: no window is opened for it.
    """
    host, port = server.address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=READ_SECONDS) as connection:
        connection.sendall(
            PREFACE
            + _frame(SETTINGS, 0, 0, b"")
            + _frame(HEADERS, END_HEADERS, 1, _headers(path, metadata))
            + _frame(DATA, END_STREAM, 1, struct.pack(">?I", False, len(message)) + message)
        )
        return _status(connection)


def _status(connection: socket.socket) -> str:
    received = b""
    while piece := _some(connection):
        received += piece
        kinds = set(_kinds(received))
        if found := STATUS.search(received):
            return found[1].decode()
        if RESET in kinds or GOAWAY in kinds:
            return "reset"
    return "hung up"


def _some(connection: socket.socket) -> bytes:
    try:
        return connection.recv(2**16)
    except (ConnectionResetError, TimeoutError):
        return b""


def _kinds(received: bytes) -> list[int]:
    """The types of the frames that have begun."""
    kinds, place = [], 0
    while place + 9 <= len(received):
        kinds.append(received[place + 3])
        place += 9 + int.from_bytes(received[place : place + 3], "big")
    return kinds


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    head = len(payload).to_bytes(3, "big") + bytes((kind, flags))
    return head + struct.pack(">I", stream) + payload


def _headers(path: str, metadata: Sequence[tuple[bytes, bytes]]) -> bytes:
    fields = [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", path.encode()),
        (b":authority", b"localhost"),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        *metadata,
    ]
    return b"".join(b"\0" + _string(name) + _string(value) for name, value in fields)


def _string(text: bytes) -> bytes:
    """A string literal without Huffman's code: its length, the first seven bits apart, and it."""
    if len(text) < 0x7F:
        return bytes([len(text)]) + text
    rest, length = len(text) - 0x7F, bytearray([0x7F])
    while rest > 0x7F:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*length, rest]) + text
