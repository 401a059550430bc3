"""Header tables as any publisher may write them.

pika raises at a time that no date of Python's holds (milliseconds where seconds are meant), at a
double that is no number, at what is nested very deep; and that ends the connection, with all that
it carries, each time that the message is delivered.
"""

from __future__ import annotations

import struct
from typing import Any

import pika.data

DEEPEST = 32
"""Tables and lists within each other; what is deeper is read as nothing."""
LONGEST = 2**63
"""Numbers are sent again in 64 bits with a sign."""
FORMS = {b"T": ">Q", b"f": ">f", b"d": ">d"}
"""Types of a value that pika may fail at, as `struct` reads them."""

_pikas = pika.data.decode_value


def install() -> None:
    """Have pika read header tables by this module, for all connections of the process."""
    pika.data.decode_value = decode_value


def decode_value(encoded: bytes, offset: int, depth: int = 0) -> tuple[Any, int]:
    """A value, and where the next one begins.

    It is pika's own where that can be sent again, and a text otherwise.
    """
    kind = encoded[offset : offset + 1]
    if kind in (b"F", b"A"):
        return _nested(encoded, offset, depth)
    if kind not in FORMS:
        return _pikas(encoded, offset)  # type: ignore[no-any-return]
    try:
        value, end = _pikas(encoded, offset)
        if not isinstance(value, int) or -LONGEST <= value < LONGEST:
            return value, end
    except (ValueError, OverflowError, OSError):
        end = offset + 1 + struct.calcsize(FORMS[kind])
    return str(struct.unpack_from(FORMS[kind], encoded, offset + 1)[0]), end


def _nested(encoded: bytes, offset: int, depth: int) -> tuple[Any, int]:
    """A table or a list."""
    listed = encoded[offset : offset + 1] == b"A"
    (size,) = struct.unpack_from(">I", encoded, offset + 1)
    at = offset + 5
    end = at + size
    if depth == DEEPEST:
        return None, end
    items: list[Any] = []
    fields: dict[Any, Any] = {}
    while at < end:
        if listed:
            value, at = decode_value(encoded, at, depth + 1)
            items.append(value)
        else:
            name, at = pika.data.decode_short_string(encoded, at)
            fields[name], at = decode_value(encoded, at, depth + 1)
    return (items if listed else fields), end
