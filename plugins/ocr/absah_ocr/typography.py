"""Bring what was read into the characters that a Latin text is written with.

The recogniser knows Chinese type as well and now and then answers with its wide punctuation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_LIKE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
"""What stands for a character in Latin type; first the full-width forms of ASCII."""
_LIKE |= str.maketrans("\u3000、。・【】〔〕《》〈〉「」『』〜￥", " ,.·[][]«»<>“”“”~¥")
_OTHER_SCRIPT = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_SPACED_AFTER = re.compile("(?<=[：；，。！？、])(?=[^\\W\\d_])")


def latin(text: str) -> str:
    """Replace wide punctuation in a line without Chinese, Japanese or Korean characters.

    Wide marks carry their own space, so one is added before a letter that follows.
    """
    if _OTHER_SCRIPT.search(text):
        return text
    return " ".join(_SPACED_AFTER.sub(" ", text).translate(_LIKE).split())


def abreast(pieces: Sequence[str]) -> list[str]:
    """What stands on one row, as it is joined with spaces between: as many texts as pieces.

    A colon between a label and its value stands alone, once, and begins the value. A piece of
    nothing but colons may so become empty.
    """
    texts: list[str] = []
    for piece in pieces:
        if texts and piece.startswith(":"):
            for index in reversed(range(len(texts))):
                texts[index] = texts[index].rstrip(": ")
                if texts[index]:
                    break
            piece = f": {piece[1:].lstrip(': ')}".rstrip()
        texts.append(piece)
    return texts
