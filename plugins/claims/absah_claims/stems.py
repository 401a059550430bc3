"""Cut Indonesian words to what their forms share: penyaluran, menyalurkan and disalurkan to salur.

A light stemmer in the manner of Nazief and Adriani (1996) without a dictionary: it gives every stem
that the affixes allow, and two words are forms of one where they share a stem.
"""

from __future__ import annotations

import functools
import re

_SHORTEST = 4
_SUFFIXES = tuple(map(re.compile, (r"(?:nya|lah|kah|pun)$", r"(?:an|i|ing)$", r"kan$")))
# What a prefix may have swallowed from the stem's beginning.
_PREFIXES = (
    (re.compile(r"^(?:mem|pem)(?=[aiueo])"), ("p", "m")),
    (re.compile(r"^(?:mem|pem)(?=[bfvp])"), ("",)),
    (re.compile(r"^(?:meny|peny)(?=[aiueo])"), ("s",)),
    (re.compile(r"^(?:meng|peng)(?=[aiueo])"), ("k", "")),
    (re.compile(r"^(?:meng|peng)(?=[ghk])"), ("",)),
    (re.compile(r"^(?:men|pen)(?=[aiueo])"), ("t", "n")),
    (re.compile(r"^(?:men|pen)(?=[cdjszt])"), ("",)),
    (re.compile(r"^(?:me|pe)(?=[lmnrwy])"), ("",)),
    (re.compile(r"^(?:ber|per|ter|di|ke|se|be|te)"), ("",)),
)


@functools.lru_cache(maxsize=8192)
def stems(word: str) -> frozenset[str]:
    """All stems that a lower-case word may have, itself among them."""
    found = {word}
    for pattern in _SUFFIXES:
        found |= {pattern.sub("", stem) for stem in found}
    for _ in range(2):
        for pattern, swallowed in _PREFIXES:
            found |= {
                pattern.sub(first, stem) for stem in found for first in swallowed
                if pattern.match(stem)
            }  # fmt: skip
    return frozenset(stem for stem in found if len(stem) >= _SHORTEST) | {word}
