"""Compare short texts, such as a subject or an institution, by the words that carry meaning."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from absah_claims import abbreviations, stems
from absah_indonesian import confusions, spelling
from absah_indonesian.wordlists import words

TEXT_WORDS = 12_000
CLAIM_WORDS = 60

_TOKEN = re.compile(r"[^\W_]+")
_STOP_WORDS = words(
    """di ke dari dan atau yang untuk pada dengan dalam oleh bagi para serta tentang perihal hal
    sebagai agar akan telah sudah adalah ini itu tersebut kepada terhadap guna rangka yth bapak ibu
    sdr saudara the of and in for to a kami saya kita juga antara secara tahun tanggal"""
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """One word that carries meaning, in lower case, at [start, end) of its text."""

    text: str
    start: int = 0
    end: int = 0

    @property
    def number(self) -> bool:
        return self.text.isdigit()


@dataclass(frozen=True, kw_only=True, slots=True)
class Overlap:
    """Which words of a claim and of a reading have a counterpart, and which have none."""

    matched: tuple[Token, ...]
    claimed_alone: tuple[Token, ...]
    read_alone: tuple[Token, ...]


def tokens(text: str, *, limit: int = TEXT_WORDS) -> tuple[Token, ...]:
    """The words of a text with shortenings written out and filling words left out."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        word = spelling.plain(match[0])
        for part in abbreviations.written_out(word).split():
            if part not in _STOP_WORDS and (len(part) > 1 or part.isdigit()):
                found.append(Token(text=_number(part), start=match.start(), end=match.end()))
        if len(found) >= limit:
            break
    return tuple(found)


def same_word(claimed: str, read: str) -> bool:
    """Whether two words are one, allowing for affixes, spelling and a reader's mistakes.

    Numbers must be equal: another year or house is another thing.
    """
    if claimed == read:
        return True
    if claimed.isdigit() or read.isdigit() or abs(len(claimed) - len(read)) > 7:
        return False
    if stems.stems(claimed) & stems.stems(read):
        return True
    if abs(len(claimed) - len(read)) > 2 or len(set(claimed) ^ set(read)) > 4:
        return False
    one, other = spelling.letters(claimed), spelling.letters(read)
    shorter = min(len(one), len(other))
    if shorter >= 4 and confusions.distance(one, other) < 1:
        return True
    edits = confusions.edits(one, other)
    return (shorter >= 7 and edits <= 1) or (shorter >= 10 and edits <= 2)


def overlap(claimed: Sequence[Token], read: Sequence[Token]) -> Overlap:
    """Match the words of a claim with those of a reading, whatever their order.

    A word of one may be several of the other: their initials (BKPSDM), or they were run together.
    """
    matched = [c for c in claimed if any(same_word(c.text, r.text) for r in read)]
    claimed_alone = [c for c in claimed if c not in matched]
    read_alone = [r for r in read if not any(same_word(c.text, r.text) for c in claimed)]
    for single, many in ((claimed_alone, read_alone), (read_alone, claimed_alone)):
        for token in list(single):
            run = _spelled_out(token.text, many) or _run_together(token.text, many)
            if run:
                single.remove(token)
                matched += [token] if single is claimed_alone else run
                many[:] = [other for other in many if other not in run]
    return Overlap(
        matched=tuple(matched), claimed_alone=tuple(claimed_alone), read_alone=tuple(read_alone)
    )


def nearest(claimed: Sequence[Token], text: Sequence[Token]) -> tuple[Token, ...]:
    """The stretch of a text, not much longer than the claim, that holds most of its words.

    Returns one token of the text for each claimed word found there.
    """
    words = {c.text for c in claimed}
    kinds = {t.text for t in text}
    pieces = {piece for word in words for piece in _pieces(word)}
    means = {
        kind: {w for w in words if same_word(w, kind)} if pieces & _pieces(kind) else set()
        for kind in kinds
    }
    places = [(position, t) for position, t in enumerate(text) if means[t.text]]
    reach = 12 + 4 * len(words)
    best: tuple[Token, ...] = ()
    for first, (start, _) in enumerate(places):
        seen: dict[str, Token] = {}
        for position, token in places[first : first + reach]:
            if position - start > reach:
                break
            for word in means[token.text]:
                seen.setdefault(word, token)
        if len(seen) > len(best):
            best = tuple(seen.values())
        if len(best) == len(words):
            break
    return best


def _pieces(word: str) -> set[str]:
    """Runs of three letters: forms of one word share at least one."""
    return {word[i : i + 3] for i in range(max(1, len(word) - 2))}


def _spelled_out(short: str, long: Sequence[Token]) -> list[Token]:
    """The run of words whose beginnings make up the short one: BKPSDM, Bappeda, Kesbangpol.

    Of first letters alone the last may be missing, where a long name was read in part.
    """
    if not 3 <= len(short) <= 14 or not short.isalpha():
        return []
    for first in range(len(long)):
        run = list(long[first : first + len(short)])
        initials = "".join(t.text[0] for t in run)
        if len(run) >= 3 and short.startswith(initials):
            return run
        for size in range(len(run), 1, -1):
            if len(short) >= 5 and _blends(short, [t.text for t in run[:size]]):
                return run[:size]
    return []


def _run_together(joined: str, words: Sequence[Token]) -> list[Token]:
    """The run of words that were printed or read as one: "rapatkoordinasi", or nothing."""
    for first in range(len(words)):
        for last in range(first + 2, min(len(words), first + 6) + 1):
            text = "".join(t.text for t in words[first:last])
            if abs(len(text) - len(joined)) <= 1 and confusions.edits(text, joined) <= 1:
                return list(words[first:last])
    return []


def _blends(short: str, parts: Sequence[str]) -> bool:
    """Whether a word is made of one to five first letters of each part."""
    if not parts:
        return not short
    return any(
        parts[0].startswith(short[:size]) and _blends(short[size:], parts[1:])
        for size in range(1, min(5, len(short)) + 1)
    )


def _number(word: str) -> str:
    return word.lstrip("0") or "0" if word.isdigit() else word
