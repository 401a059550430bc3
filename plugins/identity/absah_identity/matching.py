"""Compare words as a reader of poor print would: look-alikes are one letter, a few may differ."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_LOOK_ALIKE = str.maketrans(
    {"1": "i", "l": "i", "|": "i", "!": "i", "0": "o", "5": "s", "8": "b", "6": "g", "9": "g"}
    | {"4": "a", "2": "z", "3": "e", "q": "g"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Skeleton:
    """A text reduced to its letters with look-alikes folded.

    `ends[i]` is the index in the text just behind the characters that made letter i.
    """

    letters: str
    ends: tuple[int, ...]


def skeleton(text: str) -> Skeleton:
    """Fold case, accents, digits that look like letters, "rn" for "m" and "vv" for "w"."""
    letters: list[str] = []
    ends: list[int] = []
    for end, character in enumerate(text, start=1):
        base = unicodedata.normalize("NFKD", character.lower()).translate(_LOOK_ALIKE)
        for letter in base:
            if not letter.isalnum():
                continue
            touching = bool(letters) and ends[-1] == end - 1
            pair = letters[-1] + letter if touching else ""
            if pair in ("rn", "vv"):
                letters[-1], ends[-1] = ("m" if pair == "rn" else "w"), end
            else:
                letters.append(letter)
                ends.append(end)
    return Skeleton(letters="".join(letters), ends=tuple(ends))


def fold(text: str) -> str:
    """The letters of `skeleton`."""
    return skeleton(text).letters


def prefix_distance(word: str, text: str) -> tuple[int, int]:
    """Fewest edits that make `word` a prefix of `text`, and that prefix's length.

    Levenshtein's distance with a free end on the side of `text`; of equal ends the one whose
    length is nearest to that of `word` is taken.
    """
    width = min(len(text), len(word) + 3)
    row = list(range(width + 1))
    for i, a in enumerate(word, start=1):
        previous, row[0] = row[0], i
        for j in range(1, width + 1):
            cost = previous + (a != text[j - 1])
            previous = row[j]
            row[j] = min(cost, row[j] + 1, row[j - 1] + 1)
    end = min(range(width + 1), key=lambda j: (row[j], abs(j - len(word))))
    return row[end], end


def distance(a: str, b: str) -> int:
    """Levenshtein's distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            cost = previous + (x != y)
            previous = row[j]
            row[j] = min(cost, row[j] + 1, row[j - 1] + 1)
    return row[-1]


class Vocabulary:
    """Words to be recognised, folded once."""

    def __init__(self, words: Iterable[str]) -> None:
        self._folded = tuple((word, fold(word)) for word in words)

    def nearest(self, text: str, *, most: float = 0.2) -> tuple[str, int] | None:
        """The word that `text` was meant to be, and the edits between them.

        At most `most` of the word's letters may differ, and no other word may be as near.
        """
        letters = fold(text)
        ranked = sorted(
            (distance(letters, folded), word)
            for word, folded in self._folded
            if abs(len(folded) - len(letters)) <= most * len(folded)
        )
        if not ranked or ranked[0][0] > most * len(fold(ranked[0][1])):
            return None
        if len(ranked) > 1 and ranked[1][0] == ranked[0][0] > 0:
            return None
        edits, word = ranked[0]
        return word, edits
