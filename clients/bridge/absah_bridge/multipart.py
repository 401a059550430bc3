"""Split a multipart body (RFC 2046) into the message and the files beside it."""

from __future__ import annotations

import base64
import email.message
import email.parser
import email.policy
import quopri
import string
from collections.abc import Mapping
from dataclasses import dataclass

from absah_bridge.codecs import Incoming
from absah_bridge.errors import Cause, MessageInvalid

MAX_PARTS = 64
MAX_HEAD_BYTES = 2048
"""Of one part's headers: the parser of headers takes time by the square of their length."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    name: str
    content_type: str
    content: bytes


def split(incoming: Incoming) -> tuple[Incoming, Mapping[str, bytes]]:
    """The first part as the message, the others by name; a body that is not multipart as it is.

    A part's name is its Content-ID without brackets, else its filename, else its number. Parts are
    bytes as they came, or base64 or quoted-printable by their Content-Transfer-Encoding. Headers of
    the message that hold bytes are files too, by their own names. Raises `MessageInvalid`.
    """
    files = {name: value for name, value in incoming.headers.items() if isinstance(value, bytes)}
    if not incoming.content_type.lower().startswith("multipart/"):
        return incoming, files
    first, *others = [_part(each, n) for n, each in enumerate(_between(incoming), 1)]
    for number, part in enumerate(others, 2):
        name = part.name or str(number)
        if name in files:
            raise MessageInvalid(
                Cause.NOT_WELL_FORMED, "two parts have one name", position=f"part {number}"
            )
        files[name] = part.content
    message = Incoming(
        body=first.content, content_type=first.content_type, headers=incoming.headers
    )
    return message, files


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


def _part(piece: bytes, number: int) -> _Part:
    end = b"\r\n" if piece.startswith(b"\r\n") else b"\n"
    head, blank, content = piece.removeprefix(end).partition(end + end)
    if piece.startswith(end + end):
        head, blank, content = b"", end, piece[2 * len(end) :]
    if not piece.startswith(end) or not blank or len(head) > MAX_HEAD_BYTES:
        raise MessageInvalid(
            Cause.NOT_WELL_FORMED,
            f"has no headers of at most {MAX_HEAD_BYTES:,} bytes with a blank line below",
            position=f"part {number}",
        )
    try:
        parser = email.parser.BytesHeaderParser(policy=email.policy.HTTP)
        headers = parser.parsebytes(head)
        assert isinstance(headers, email.message.EmailMessage)
        encoding = str(headers["Content-Transfer-Encoding"] or "binary").strip().lower()
        return _Part(
            name=str(headers["Content-ID"] or "").strip("<> ") or headers.get_filename() or "",
            content_type=str(headers["Content-Type"] or ""),
            content=_decoded(content, encoding),
        )
    except (ValueError, LookupError, AttributeError, RecursionError) as exc:
        # The parser of headers has faults of its own with what is no header.
        raise MessageInvalid(
            Cause.NOT_WELL_FORMED, "cannot be read", position=f"part {number}"
        ) from exc


def _decoded(content: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        return base64.b64decode(content.translate(None, string.whitespace.encode()), validate=True)
    if encoding == "quoted-printable":
        return quopri.decodestring(content)
    if encoding not in ("7bit", "8bit", "binary"):
        raise ValueError(encoding)
    return content
