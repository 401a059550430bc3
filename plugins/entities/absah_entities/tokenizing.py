"""Cut raw text into words and pieces, and remember where each word stood.

Words are cut as the corpora that the model learnt from cut them: punctuation stands alone,
full stops and apostrophes inside a word stay ("kompas.com", "Qur'an"), hyphens do not.
Offsets count Unicode code points of the text as it was given.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

MARK = "\u2581"
SPECIAL_PIECES = 2
LONGEST_WORD = 32
SHOUTED_SHARE = 0.8
SENTENCE_ENDS = frozenset(".!?:;")
CLOSERS = frozenset(")]}\"'\u201d\u2019")
PLAIN_WORD = 5
"""A lower-case word of as many letters before a full stop is no abbreviation."""

_LETTERS = r"[^\W_\u2581][\u0300-\u036f\u200c\u200d]*"
_INSIDE = r"[.'\u2019]|(?<=\d)[,:](?=\d)"
_WORD = re.compile(rf"(?:{_LETTERS})+(?:(?:{_INSIDE})(?:{_LETTERS})+)*|\S")
_LINE = re.compile(r"[^\r\n\x0b\x0c\x85\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a punctuation mark: text[start:end]."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """What the model reads at once: ids (int64), and for each word where its first piece is.

    `words` are whole words in reading order; `first` is the index of that window's first
    word among all words of the text.
    """

    words: tuple[Word, ...]
    first: int
    input_ids: NDArray[np.int64]
    heads: NDArray[np.int64]

    @property
    def attention_mask(self) -> NDArray[np.int64]:
        return np.ones_like(self.input_ids)


def words_of(text: str) -> list[Word]:
    """Cut a text into words and punctuation marks."""
    return [Word(m.group(), m.start(), m.end()) for m in _WORD.finditer(text)]


def unshouted(words: Sequence[Word]) -> list[str]:
    """The words as the model should read them: lower case where nearly all is upper case.

    A heading in capitals says nothing by its capitals, and the model knows lower case well.
    """
    letters = [c for word in words for c in word.text if c.isalpha()]
    upper = sum(c.isupper() for c in letters)
    if len(words) > 1 and letters and upper >= SHOUTED_SHARE * len(letters):
        return [word.text.lower() for word in words]
    return [word.text for word in words]


@dataclass(frozen=True, kw_only=True, slots=True)
class SpecialPieces:
    """Ids of the pieces that stand around a window's own, and for a word without pieces."""

    bos: int = 0
    eos: int = 2
    unknown: int = 3


class PieceTokenizer:
    """Cuts words into pieces with the model's own vocabulary (`tokenizer.json`)."""

    def __init__(self, path: Path, special: SpecialPieces = SpecialPieces()) -> None:
        self._tokenizer = Tokenizer.from_file(str(path))
        self._special = special

    def pieces(self, words: Sequence[str]) -> list[list[int]]:
        """Ids of each word's pieces: at least one, at most LONGEST_WORD."""
        encodings = self._tokenizer.encode_batch(list(words), add_special_tokens=False)
        return [(e.ids or [self._special.unknown])[:LONGEST_WORD] for e in encodings]

    def windows(self, text: str, *, size: int = 256, overlap: int = 64) -> list[Window]:
        """Cut a text into windows of at most `size` pieces.

        A window ends where a sentence surely does, since the model learnt from sentences; what
        is longer is cut into windows that share about `overlap` pieces. Capitals are judged
        line by line. An empty text has no windows.
        """
        words = words_of(text)
        pieces = self.pieces([t for line in _lines(text, words) for t in unshouted(line)])
        ends = np.cumsum([0, *map(len, pieces)])
        return [
            _window(words[a:b], a, pieces[a:b], self._special)
            for start, end in itertools.pairwise(_sentence_edges(text, words))
            for a, b in _spans(ends, start, end, size - SPECIAL_PIECES, overlap)
        ]


def _lines(text: str, words: Sequence[Word]) -> Iterator[list[Word]]:
    """Group words by the line they stand on."""
    index = 0
    for line in _LINE.finditer(text):
        start = index
        while index < len(words) and words[index].end <= line.end():
            index += 1
        yield list(words[start:index])


def _sentence_edges(text: str, words: Sequence[Word]) -> list[int]:
    """Indices of the words that begin a sentence, and the number of words."""
    begins = (i for i in range(1, len(words)) if _begins_sentence(text, words, i))
    return sorted({0, *begins, len(words)})


def _begins_sentence(text: str, words: Sequence[Word], index: int) -> bool:
    """Whether the words before surely end a sentence: doubtful cases do not count."""
    gap = text[words[index - 1].end : words[index].start]
    if gap.count("\n") > 1:
        return True
    last = index - 1
    while last > 0 and words[last].text in CLOSERS:
        last -= 1
    if not gap or words[last].text not in SENTENCE_ENDS:
        return False
    if "\n" in gap:
        return True
    before = words[last - 1].text if last else ""
    ended = before.islower() and len(before) >= PLAIN_WORD and words[last].text in ".!?"
    return ended and words[index].text[:1].isupper()


def _spans(
    ends: NDArray[np.int64], start: int, end: int, room: int, overlap: int
) -> Iterator[tuple[int, int]]:
    """Ranges of words from start to end that fit the room and share about `overlap` pieces.

    ends[i] is the number of pieces before word i.
    """
    while start < end:
        stop = int(np.searchsorted(ends, ends[start] + room, side="right")) - 1
        stop = max(stop, start + 1)
        yield start, min(stop, end)
        if stop >= end:
            return
        back = int(np.searchsorted(ends, ends[stop] - overlap, side="left"))
        start = min(max(back, start + 1), stop)


def _window(
    words: Sequence[Word], first: int, pieces: Sequence[Sequence[int]], special: SpecialPieces
) -> Window:
    ids = [special.bos]
    heads = []
    for word in pieces:
        heads.append(len(ids))
        ids.extend(word)
    ids.append(special.eos)
    return Window(
        words=tuple(words),
        first=first,
        input_ids=np.array(ids, np.int64),
        heads=np.array(heads, np.int64),
    )
