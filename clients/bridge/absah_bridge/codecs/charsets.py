"""Between bytes and text in the character sets of legacy systems."""

from __future__ import annotations

import codecs
from typing import Literal, get_args

from absah_bridge.errors import Cause, MessageInvalid

Charset = Literal["utf-8", "utf-16", "windows-1252", "iso-8859-1", "us-ascii"]
KNOWN: tuple[Charset, ...] = get_args(Charset)


def decode(body: bytes, charset: Charset) -> str:
    """The text; raises `MessageInvalid` that names the first byte that does not fit."""
    body = body.removeprefix(codecs.BOM_UTF8) if charset == "utf-8" else body
    try:
        return body.decode(charset)
    except UnicodeDecodeError as exc:
        before = body[: exc.start]
        line = before.count(b"\n") + 1
        raise MessageInvalid(
            Cause.WRONG_CHARSET,
            f"byte 0x{body[exc.start]:02x} is not {charset}; was it sent in another character set?",
            position=f"line {line}, byte {exc.start + 1}",
        ) from exc


def encode(text: str, charset: Charset, *, field: str = "") -> bytes:
    """The bytes; raises `MessageInvalid` that names the first character that has none there."""
    try:
        return text.encode(charset)
    except UnicodeEncodeError as exc:
        raise MessageInvalid(
            Cause.ANSWER_FAILED,
            f"character U+{ord(text[exc.start]):04X} has no place in {charset}",
            field=field,
        ) from exc
