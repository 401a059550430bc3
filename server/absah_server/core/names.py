"""Resource names and the ids in them."""

from __future__ import annotations

import datetime
import re
import secrets
import time
import uuid

DIGEST = re.compile(r"[0-9a-f]{64}")


def new_id() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562): 48 bits of milliseconds, then 74 random ones."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def time_of(id_: uuid.UUID) -> datetime.datetime:
    """When an id of version 7 was made, to the millisecond."""
    return datetime.datetime.fromtimestamp((id_.int >> 80) / 1000, tz=datetime.UTC)


def validation_name(of: uuid.UUID) -> str:
    """As "validations/0192f0c1…"."""
    return f"validations/{of.hex}"


def parse_id(name: str, *, collection: str) -> uuid.UUID | None:
    """The id in "<collection>/<32 hexadecimal digits>", None if that is not its form."""
    prefix, _, digits = name.partition("/")
    if prefix != collection or not re.fullmatch(r"[0-9a-f]{32}", digits):
        return None
    return uuid.UUID(hex=digits)


def document_name(digest: str) -> str:
    """As "documents/" and the SHA-256 in lower-case hexadecimal."""
    return f"documents/{digest}"


def parse_digest(name: str) -> str | None:
    """The SHA-256 in a document's name, None if that is not its form."""
    prefix, _, digest = name.partition("/")
    return digest if prefix == "documents" and DIGEST.fullmatch(digest) else None
