"""Between bytes and text in the character sets of legacy systems."""

from __future__ import annotations

import codecs
from typing import Literal, get_args

from absah_bridge.errors import Cause, MessageInvalid

Charset = Literal["utf-8", "utf-16", "windows-1252", "iso-8859-1", "us-ascii"]
KNOWN: tuple[Charset, ...] = get_args(Charset)
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode(body: bytes, charset: Charset) -> str:
    """The text; raises `MessageInvalid` that names the first byte that does not fit.

    UTF-16 without a byte order mark is read in the order that its blanks and digits show, else as
    big-endian (RFC 2781).
    """
    body = body.removeprefix(codecs.BOM_UTF8) if charset == "utf-8" else body
    order: str = charset
    if charset == "utf-16" and not body.startswith(UTF_16_MARKS):
        order = "utf-16-le" if body[1:200:2].count(0) > body[0:200:2].count(0) else "utf-16-be"
    try:
        text = body.decode(order)
    except UnicodeDecodeError as exc:
        raise MessageInvalid(
            Cause.WRONG_CHARSET,
            f"byte 0x{body[exc.start]:02x} is not {charset}; was it sent in another character set?",
            position=_place(body, exc.start),
        ) from exc
    if (nul := text.find("\0")) >= 0:
        raise MessageInvalid(
            Cause.WRONG_CHARSET,
            f"holds NUL bytes, which no text in {charset} has; was it sent in UTF-16?",
            position=f"character {nul + 1}",
        )
    return text


def encode(text: str, charset: Charset, *, field: str = "", substitute: str | None = None) -> bytes:
    """The bytes; raises `MessageInvalid` that names the first character that has none there.

    A `substitute` is written in the place of such characters instead.
    """
    try:
        return text.encode(charset)
    except UnicodeEncodeError as exc:
        if substitute is not None:
            known = (c if _fits(c, charset) else substitute for c in text)
            return "".join(known).encode(charset)
        raise MessageInvalid(
            Cause.ANSWER_FAILED,
            f"character U+{ord(text[exc.start]):04X} has no place in {charset}",
            field=field,
        ) from exc


def _fits(character: str, charset: Charset) -> bool:
    try:
        character.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _place(body: bytes, index: int) -> str:
    before = body[:index]
    column = index - before.rfind(b"\n")  # which is -1 in the first line
    line = before.count(b"\n") + 1
    return f"line {line}, byte {column}"
