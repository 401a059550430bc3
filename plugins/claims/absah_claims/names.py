"""Compare a claimed name with one that was read, word by word.

A name agrees when all its words do, allowing for titles, spellings, initials and at most one
reading mistake in sight; it differs when a word stands against another that no reader would take
for it. What lies between is left to a person: Dedi and Deni may be brothers.
"""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from absah_claims import titles
from absah_claims.comparison import Outcome
from absah_claims.evidence import CERTAIN, SURE
from absah_indonesian import confusions, spelling, wordlists

NAME_LIMIT = 120
WORD_LIMIT = 12
_WORD = re.compile(r"[^\s.,;:/\\()\[\]\-]+\.?")
_PARTICLES = frozenset(["bin", "binti", "ibn"])
_OPTIONAL = frozenset().union(*map(spelling.keys, ["muhammad", "i", "ni"]))
_COMMON = frozenset().union(
    *map(
        spelling.keys,
        wordlists.words(
            """muhammad abdul siti sri nur dwi tri eka i ni made wayan nyoman ketut putu kadek gede
            komang dewi"""
        ),
    )
)
"""Words that so many names begin with that two people sharing them share little."""


class Likeness(enum.IntEnum):
    """How one word of a name stands to another, worst first."""

    OTHER = 0
    NEAR = 1
    """One letter apart, or cut short: a mistake or a sibling."""
    INITIAL = 2
    LOOKALIKE = 3
    """Apart by letters that a print reader mixes up."""
    VARIANT = 4
    """The same where an old j is y."""
    SAME = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """One word of a name in lower-case letters. `short` marks an initial or an abbreviation."""

    text: str
    short: bool = False
    capitals: bool = False

    @property
    def common(self) -> bool:
        return bool(spelling.keys(self.text) & _COMMON)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """Words of both names that belong together."""

    likeness: Likeness
    claimed: Word
    read: Word


@dataclass(frozen=True, kw_only=True, slots=True)
class Alignment:
    """Which words belong together, in order, and which stand alone."""

    pairs: tuple[Pair, ...] = ()
    claimed_alone: tuple[Word, ...] = ()
    read_alone: tuple[Word, ...] = ()

    @property
    def score(self) -> int:
        return sum(p.likeness * (len(p.claimed.text) + len(p.read.text)) for p in self.pairs)


def words(name: str) -> tuple[Word, ...]:
    """The words of a name without titles, degrees and particles."""
    kept = titles.strip(name[:NAME_LIMIT])
    capitals = kept.isupper()
    found = (word_of(token, capitals=capitals) for token in _WORD.findall(kept))
    return tuple(w for w in found if w.text and w.text not in _PARTICLES)[:WORD_LIMIT]


def word_of(token: str, *, capitals: bool) -> Word:
    """One printed word; a dot behind it or a single letter marks it as short for another."""
    text = spelling.letters(token)
    short = len(text) == 1 or (token.endswith(".") and len(text) <= 4)
    return Word(text=text, short=short, capitals=capitals)


def compare(claimed: str, read: str, confidence: float) -> Outcome:
    """Compare two names; only a reading of confidence `SURE` or more contradicts."""
    first, second = words(claimed), words(read)
    if not any(len(w.text) > 1 for w in first) or not second:
        return Outcome.UNSETTLED
    alignment = align(first, second)
    if agree(alignment, confidence) or _reordered(first, second):
        return Outcome.AGREES
    if confidence >= SURE and _conflict(alignment, confidence):
        return Outcome.CONTRADICTS
    return Outcome.UNSETTLED


def align(claimed: Sequence[Word], read: Sequence[Word]) -> Alignment:
    """The alignment of most likeness; two or three words may be one on the other side."""
    best: dict[tuple[int, int], Alignment] = {}
    for i in range(len(claimed), -1, -1):
        for j in range(len(read), -1, -1):
            options = [Alignment(claimed_alone=tuple(claimed[i:]), read_alone=tuple(read[j:]))]
            if i < len(claimed):
                rest = best[i + 1, j]
                options.append(replace(rest, claimed_alone=(claimed[i], *rest.claimed_alone)))
            if j < len(read):
                rest = best[i, j + 1]
                options.append(replace(rest, read_alone=(read[j], *rest.read_alone)))
            for di, dj in ((1, 1), (2, 1), (1, 2), (3, 1), (1, 3)):
                if i + di <= len(claimed) and j + dj <= len(read):
                    pair = _pair(claimed[i : i + di], read[j : j + dj])
                    if pair is not None:
                        rest = best[i + di, j + dj]
                        options.append(replace(rest, pairs=(pair, *rest.pairs)))
            best[i, j] = max(options, key=lambda alignment: alignment.score)
    return best[0, 0]


def agree(alignment: Alignment, confidence: float) -> bool:
    """Whether the alignment leaves no doubt that both are one name.

    All that is claimed must have been read. Of what was read, the claim may leave out one word of
    three or more.
    """
    pairs = alignment.pairs
    if not pairs or any(p.likeness is Likeness.NEAR for p in pairs):
        return False
    strong = [p for p in pairs if p.likeness >= Likeness.LOOKALIKE and len(p.claimed.text) >= 3]
    telling = [p for p in strong if not p.claimed.common]
    variants = sum(p.likeness is Likeness.VARIANT for p in pairs)
    if not strong or variants > 1 or not _lookalikes_bearable(pairs, confidence):
        return False
    left_out = len(_needed(alignment.read_alone))
    if _needed(alignment.claimed_alone) or left_out > 1:
        return False
    if left_out:
        return len(telling) >= 2
    if alignment.claimed_alone or alignment.read_alone:
        return bool(telling) and len(strong) >= 2
    return bool(telling) or all(p.likeness is Likeness.SAME for p in pairs)


@functools.lru_cache(maxsize=8192)
def likeness(claimed: Word, read: Word) -> Likeness:
    """How two words stand to each other."""
    if claimed.text == read.text or spelling.keys(claimed.text) & spelling.keys(read.text):
        return Likeness.SAME
    if claimed.short or read.short:
        return Likeness.INITIAL if _abbreviates(claimed, read) else Likeness.OTHER
    old = spelling.old_keys(claimed.text), spelling.old_keys(read.text)
    if old[0] & spelling.keys(read.text) or old[1] & spelling.keys(claimed.text):
        return Likeness.VARIANT
    return _apart(claimed, read)


def _apart(claimed: Word, read: Word) -> Likeness:
    one, other = claimed.text, read.text
    if not _may_be_near(one, other) and not any(
        _may_be_near(first, second)
        for first in spelling.keys(one)
        for second in spelling.keys(other)
    ):
        return Likeness.OTHER
    if _gender_apart(one, other):
        return Likeness.NEAR
    if min(len(one), len(other)) >= 3 and _visual(claimed, read) < 1:
        return Likeness.LOOKALIKE
    shorter = min(len(one), len(other))
    edits = min(
        confusions.edits(first, second)
        for first in {one, *spelling.keys(one)}
        for second in {other, *spelling.keys(other)}
    )
    cut = len(other) >= 3 and one.startswith(other)
    if cut or (edits == 1 and shorter >= 3) or (edits == 2 and shorter >= 8):
        return Likeness.NEAR
    return Likeness.OTHER


def _may_be_near(one: str, other: str) -> bool:
    """A quick look that rules most pairs of words out."""
    if one.startswith(other):
        return True
    return abs(len(one) - len(other)) <= 2 and len(set(one) ^ set(other)) <= 4


def _visual(claimed: Word, read: Word) -> float:
    return confusions.distance(claimed.text, read.text, capitals=read.capitals)


def _gender_apart(one: str, other: str) -> bool:
    """Dina and Dino, Mario and Maria: the last vowel tells women from men."""
    return one[:-1] == other[:-1] and {one[-1:], other[-1:]} == {"a", "o"}


def _abbreviates(claimed: Word, read: Word) -> bool:
    short, long = (claimed, read) if len(claimed.text) <= len(read.text) else (read, claimed)
    starts = {long.text, *spelling.keys(long.text)}
    return short.short and any(start.startswith(short.text) for start in starts)


def _pair(claimed: Sequence[Word], read: Sequence[Word]) -> Pair | None:
    first, second = _joined(claimed), _joined(read)
    found = likeness(first, second)
    parts = len(claimed) + len(read) > 2
    if found is Likeness.OTHER or (parts and found < Likeness.LOOKALIKE):
        return None
    return Pair(likeness=found, claimed=first, read=second)


def _joined(parts: Sequence[Word]) -> Word:
    if len(parts) == 1:
        return parts[0]
    return Word(text="".join(w.text for w in parts), capitals=parts[0].capitals)


def _lookalikes_bearable(pairs: Sequence[Pair], confidence: float) -> bool:
    """One mistake in a short name, two in a long one, and none that was read with certainty."""
    total = sum(_visual(p.claimed, p.read) for p in pairs if p.likeness is Likeness.LOOKALIKE)
    letters = sum(len(p.claimed.text) for p in pairs)
    same = any(p.likeness is Likeness.SAME and len(p.claimed.text) >= 3 for p in pairs)
    if total == 0:
        return True
    limit = 0.85 if letters >= 12 else 0.45
    return confidence < CERTAIN and total <= limit and (same or letters >= 8)


def _needed(alone: Sequence[Word]) -> list[Word]:
    """Words but Muhammad (or M.) and the Balinese I and Ni, which people write or leave out."""
    return [w for w in alone if w.text != "m" and not (spelling.keys(w.text) & _OPTIONAL)]


def _conflict(alignment: Alignment, confidence: float) -> bool:
    """Whether a word that was read stands against what was claimed, beyond a bad reading of it."""
    claimed = _needed(alignment.claimed_alone)
    return bool(claimed) and any(
        len(word.text) >= 3 and all(_unlike(other, word, confidence) for other in claimed)
        for word in _needed(alignment.read_alone)
    )


def _unlike(claimed: Word, read: Word, confidence: float) -> bool:
    """Whether two words differ in two letters or more, and in more than a bad reading would.

    From 28 % of the letters where the reading is good (0.97) up to 45 % where it is poor (0.92).
    """
    share = min(max(0.28 + 3.4 * (0.97 - confidence), 0.28), 0.45)
    longer = max(len(claimed.text), len(read.text))
    return _visual(claimed, read) >= max(1.9, share * longer)


def _reordered(first: Sequence[Word], second: Sequence[Word]) -> bool:
    """The same two or more full words in another order: "Santoso, Budi"."""
    if len(first) != len(second) or len(first) < 2 or any(len(w.text) < 3 for w in first):
        return False
    left = list(second)
    for word in first:
        match = next((w for w in left if likeness(word, w) is Likeness.SAME), None)
        if match is None:
            return False
        left.remove(match)
    return True
