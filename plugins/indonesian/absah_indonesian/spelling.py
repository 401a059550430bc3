"""Fold the spellings of an Indonesian name's word to one key.

The Soewandi spelling (1947) wrote oe, dj, tj, sj, nj and j for what the spelling of 1972 writes u,
j, c, sy, ny and y; families keep the old form. Arabic names come over in many ways (ch, kh, sy, dz,
a final h), and y stands for i. A key holds what all of them have in common.
"""

from __future__ import annotations

import functools
import re
import unicodedata

WORD_LIMIT = 40

_LETTER_FOR_DIGIT = str.maketrans("015846279|!$@ı", "oisbagztgiisai")

_VARIANTS = {
    "muhammad": """mohammad muhamad mohamad mochammad mochamad muchamad muchammad mohd muhd moh muh
    moch much mhd mohammed muhammed muhamed mohamed mohamat muhamat mokhamad mokhammad mukhamad
    muhammat mohammat muchamat mochamat""",
    "abdul": "abd abdoel abdel abdur abdus abdun abduz abdud",
    "ahmad": "ach achmad akhmad ahmed akhmat achmat ahmat akmad",
    "siti": "st sitti",
    "yohanes": "johanes johannes yohannes",
    "yusuf": "jusuf yusup jusup yoesoef joesoef yousef youssef yosef josef yosep joseph yoseph",
    "fransiskus": "franciscus fransiscus",
    "husain": "husein husen hussein husin hoesein hoesin",
    "syaiful": "saeful saipul syaipul",
    "usman": "oesman osman uthman",
    "umar": "omar oemar",
    "aisah": "aisyah aisya aisha aisjah aisyiah",
    "rahman": "rohman rachman rochman rakhman rokhman",
    "rahmawati": "rohmawati rachmawati rochmawati rakhmawati",
    "rahmat": "rohmat rachmat rochmat rakhmat rokhmat",
    "nur": "noor nor noer",
}
_CANONICAL = {variant: name for name, many in _VARIANTS.items() for variant in many.split()}

_OLD_SPELLING = (("oe", "u"), ("dj", "J"), ("tj", "c"), ("sj", "sy"), ("nj", "ny"))
_FOLDS = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        ("^abdul(?=[dnrstz].)", "abdu"), ("sy|sh|ts", "s"), ("dz", "z"), ("kh", "h"),
        ("dh", "d"), ("th", "t"), ("ph", "f"), ("bh", "b"), ("gh", "g"), ("v", "f"),
        ("qu|q|ck", "k"), ("x", "ks"), ("ie|ee", "i"), ("aa", "a"), ("oo|ou", "u"),
        ("iy(?=[aeou])", "i"), ("uw(?=[aei])", "u"), ("(?<![aeiou])y(?![aeiou])", "i"),
        ("(?<=[^aeiou])y(?=[aeou])", "i"), ("(?<=[aeo])y(?![aeiou])", "i"), ("[eo]i|ae", "ai"),
        (r"(.)\1+", r"\1"), ("(?<=[aiueo])h$", ""),
    )
)  # fmt: skip


def plain(text: str) -> str:
    """Lower case without accents and apostrophes: "Ma'ruf" becomes "maruf"."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in decomposed if not unicodedata.combining(c) and c not in "'’‘`´ʼ\"")


def letters(word: str) -> str:
    """The word in letters alone; digits among letters are taken for what they look like."""
    found = plain(word)
    if any(c.isalpha() for c in found):
        found = found.translate(_LETTER_FOR_DIGIT)
    return "".join(c for c in found if c.isalpha())[:WORD_LIMIT]


@functools.lru_cache(maxsize=8192)
def keys(word: str) -> frozenset[str]:
    """The spelling that stands for all usual spellings of a word given in `letters`.

    There are several where ch may be read as c (Chandra) or as h (Rachmat).
    """
    if word in _CANONICAL:
        return keys(_CANONICAL[word])
    return frozenset(_fold(reading) for reading in _ch_readings(_modern(word)))


@functools.lru_cache(maxsize=8192)
def old_keys(word: str) -> frozenset[str]:
    """The keys with every bare j read as the y that it was before 1972 (Jani, Yani)."""
    if "j" not in word or word in _CANONICAL:
        return frozenset()
    return frozenset(_fold(reading) for reading in _ch_readings(_modern(word, old_j=True)))


def _ch_readings(word: str) -> tuple[str, ...]:
    return (word.replace("ch", "c"), word.replace("ch", "h")) if "ch" in word else (word,)


def _modern(word: str, *, old_j: bool = False) -> str:
    found = word
    for old, new in _OLD_SPELLING:
        found = found.replace(old, new)
    # Whoever writes another sound the old way writes y as j.
    if old_j or found != word:
        found = found.replace("j", "y")
    return found.replace("J", "j")


def _fold(word: str) -> str:
    found = word
    for pattern, to in _FOLDS:
        found = pattern.sub(to, found)
    return found
