"""Decode plain text, keeping every character where it was so that spans count right.

Nothing is normalised: neither Unicode forms nor line ends, since the spans of findings count code
points of the text as it was sent, and a checker that wants NFC can make it for itself.
"""

from __future__ import annotations

import codecs

from absah_sdk import DocumentUnreadable
from absah_server.decode.limits import DecodeLimits

_SAMPLE_BYTES = 64 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b\x08"))
_MAX_CONTROL_SHARE = 0.01
"""Old office texts carry a stray control character; a binary file is full of them."""


def looks_like_text(content: bytes) -> bool:
    """Whether a file begins like a text in one of the encodings that `decode` reads."""
    sample = content[:_SAMPLE_BYTES]
    encoding, skip = _encoding(sample)
    if encoding.startswith("utf-16"):
        return _decodes(sample[skip:], encoding)
    if not sample or b"\0" in sample:
        return False
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    return controls <= len(sample) * _MAX_CONTROL_SHARE and (
        _decodes(sample[skip:], "utf-8") or _decodes(sample, "cp1252")
    )


def decode(content: bytes, limits: DecodeLimits) -> str:
    """Decode a text document: UTF-8, UTF-16 with its mark, else windows-1252.

    The byte order mark is removed. Raises `DocumentUnreadable` where the text is too long or in
    none of these encodings.
    """
    if len(content) > limits.max_text_bytes:
        raise DocumentUnreadable(
            f"The text is {len(content)} bytes long; at most {limits.max_text_bytes} are accepted "
            "(setting decode.max_text_bytes)."
        )
    encoding, skip = _encoding(content)
    for candidate in (encoding,) if skip else (encoding, "cp1252"):
        try:
            decoded = content[skip:].decode(candidate)
        except UnicodeDecodeError:
            continue
        if "\0" not in decoded:
            return decoded
    raise DocumentUnreadable(
        "The text is in no known encoding; send it as UTF-8, UTF-16 with a byte order mark or "
        "windows-1252."
    )


def _encoding(content: bytes) -> tuple[str, int]:
    """Name the encoding that the byte order mark tells, and the length of the mark."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return encoding, len(mark)
    return "utf-8", 0


def _decodes(sample: bytes, encoding: str) -> bool:
    """Whether a sample that may end in the middle of a character decodes."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return False
    return "\0" not in text
