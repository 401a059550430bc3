"""Split a multipart body (RFC 2046) into the message and the files beside it."""

from __future__ import annotations

import email.message
import email.parser
import email.policy
from collections.abc import Mapping

from absah_bridge.codecs import Incoming
from absah_bridge.errors import Cause, MessageInvalid

MAX_PARTS = 64


def split(incoming: Incoming) -> tuple[Incoming, Mapping[str, bytes]]:
    """The first part as the message, the others by name; a body that is not multipart as it is.

    A part's name is its Content-ID without brackets, else its filename, else its number. Raises
    `MessageInvalid`.
    """
    if not incoming.content_type.lower().startswith("multipart/"):
        return incoming, _header_parts(incoming)
    head = f"Content-Type: {incoming.content_type}\r\nMIME-Version: 1.0\r\n\r\n"
    try:
        whole = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
            head.encode("ascii") + incoming.body
        )
    except (UnicodeEncodeError, ValueError) as exc:
        raise MessageInvalid(Cause.NOT_WELL_FORMED, "its content type cannot be read") from exc
    parts = list(whole.iter_parts()) if whole.is_multipart() else []
    if not parts or len(parts) > MAX_PARTS or whole.defects:
        raise MessageInvalid(
            Cause.NOT_WELL_FORMED,
            f"is no multipart body of 1 to {MAX_PARTS} parts with the boundary that it names",
        )
    files: dict[str, bytes] = {}
    for number, part in enumerate(parts[1:], 2):
        name = str(part["Content-ID"] or "").strip("<> ") or part.get_filename() or str(number)
        if name in files:
            raise MessageInvalid(
                Cause.NOT_WELL_FORMED, "two parts have one name", position=f"part {number}"
            )
        files[name] = _content(part)
    first = Incoming(
        body=_content(parts[0]),
        content_type=parts[0].get_content_type(),
        headers=incoming.headers,
    )
    return first, {**_header_parts(incoming), **files}


def _content(part: email.message.MIMEPart) -> bytes:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        raise MessageInvalid(Cause.NOT_WELL_FORMED, "a part holds parts of its own")
    return content


def _header_parts(incoming: Incoming) -> Mapping[str, bytes]:
    return {name: value for name, value in incoming.headers.items() if isinstance(value, bytes)}
