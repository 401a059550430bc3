"""Split a multipart body (RFC 2046) into the message and the files beside it."""

from __future__ import annotations

import base64
import binascii
import email.message
import email.parser
import email.policy
import quopri
from collections.abc import Mapping

from absah_bridge.codecs import Incoming
from absah_bridge.errors import Cause, MessageInvalid

MAX_PARTS = 64
MAX_HEAD_BYTES = 8192


def split(incoming: Incoming) -> tuple[Incoming, Mapping[str, bytes]]:
    """The first part as the message, the others by name; a body that is not multipart as it is.

    A part's name is its Content-ID without brackets, else its filename, else its number. Parts are
    bytes as they came, or base64 or quoted-printable by their Content-Transfer-Encoding. Headers of
    the message that hold bytes are files too, by their own names. Raises `MessageInvalid`.
    """
    files = {name: value for name, value in incoming.headers.items() if isinstance(value, bytes)}
    if not incoming.content_type.lower().startswith("multipart/"):
        return incoming, files
    parts = [_part(each, n) for n, each in enumerate(_between(incoming), 1)]
    for number, (head, content) in enumerate(parts[1:], 2):
        name = str(head["Content-ID"] or "").strip("<> ") or head.get_filename() or str(number)
        if name in files:
            raise MessageInvalid(
                Cause.NOT_WELL_FORMED, "two parts have one name", position=f"part {number}"
            )
        files[name] = content
    head, body = parts[0]
    content_type = str(head["Content-Type"] or "")
    return Incoming(body=body, content_type=content_type, headers=incoming.headers), files


def _between(incoming: Incoming) -> list[bytes]:
    """What stands between the boundaries."""
    head = email.message.Message()
    head["Content-Type"] = incoming.content_type.replace("\r", " ").replace("\n", " ")
    boundary = head.get_boundary("")
    if not 0 < len(boundary) <= 70 or not boundary.isascii():
        raise MessageInvalid(Cause.NOT_WELL_FORMED, "its content type names no boundary")
    mark = b"\r\n--" + boundary.encode()
    # A body may begin with its first boundary, and lines may end as on Unix.
    body = b"\r\n" + incoming.body
    if mark + b"\r\n" not in body:
        mark, body = mark[1:], b"\n" + incoming.body
    if body.count(mark) > MAX_PARTS + 1:
        raise MessageInvalid(Cause.NOT_WELL_FORMED, f"has more than {MAX_PARTS} parts")
    pieces = body.split(mark)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise MessageInvalid(
            Cause.NOT_WELL_FORMED,
            "has no part that begins and ends with the boundary that its content type names",
        )
    return pieces[1:-1]


def _part(piece: bytes, number: int) -> tuple[email.message.EmailMessage, bytes]:
    """A part's headers and content."""
    end = b"\r\n" if piece.startswith(b"\r\n") else b"\n"
    head, blank, content = piece.removeprefix(end).partition(end + end)
    if piece.startswith(end + end):
        head, blank, content = b"", end, piece[2 * len(end) :]
    if not piece.startswith(end) or not blank or len(head) > MAX_HEAD_BYTES:
        raise MessageInvalid(
            Cause.NOT_WELL_FORMED,
            "has no headers with a blank line below",
            position=f"part {number}",
        )
    try:
        parser = email.parser.BytesHeaderParser(policy=email.policy.HTTP)
        headers = parser.parsebytes(head)
        assert isinstance(headers, email.message.EmailMessage)
        encoding = str(headers["Content-Transfer-Encoding"] or "binary").strip().lower()
        return headers, _decoded(content, encoding)
    except (binascii.Error, ValueError, LookupError, IndexError, AttributeError) as exc:
        # The parser of headers has faults of its own with what is no header.
        raise MessageInvalid(
            Cause.NOT_WELL_FORMED, "cannot be read", position=f"part {number}"
        ) from exc


def _decoded(content: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        return base64.b64decode(b"".join(content.split()), validate=True)
    if encoding == "quoted-printable":
        return quopri.decodestring(content)
    if encoding not in ("7bit", "8bit", "binary"):
        raise ValueError(encoding)
    return content
