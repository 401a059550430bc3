"""How far apart two spellings are, where a reader's usual mistakes count little.

A weighted Levenshtein distance (Wagner and Fischer, 1974): replacing a character by one that looks
like it costs 0.4, two characters that look like one (rn, m) 0.4, halving a doubled letter 0.5, any
other edit 1. A distance below 1 is therefore made of at most two mistakes of a reader; from 1 on
there is something that its usual mistakes do not explain.
"""

from __future__ import annotations

import functools

from absah_indonesian.wordlists import words

LOOKALIKE_COST = 0.4
DOUBLED_COST = 0.5

# Pairs that print readers mix up, by the case they are printed in.
_UPPER = words(
    """OQ OD OC QD CG RP IL IT IJ UV VY EF PF HN HM MN KX O0 D0 Q0 I1 L1 T1 S5 B8 Z2 G6 A4 T7 Z7 S8
    E8"""
)
_LOWER = words(
    """ce co eo ao nh hb il ij lt ft uv gq vy gy nu nr o0 l1 i1 t1 s5 b6 g9 q9 z2 a4 t7 g6 s8 b8"""
)
_DIGITS = words("08 06 17 14 38 35 56 58 68 49 27")
_UPPER_MERGES = (("vv", "w"),)
_MERGES = (("rn", "m"), ("cl", "d"), ("vv", "w"), ("ii", "u"), ("li", "h"), ("ni", "m"))


def _both_ways(pairs: frozenset[str]) -> frozenset[str]:
    return pairs | {pair[::-1] for pair in pairs}


_DIGIT_PAIRS = _both_ways(_DIGITS)
_LOWER_PAIRS = _both_ways(_LOWER) | _DIGIT_PAIRS
_UPPER_PAIRS = frozenset(pair.lower() for pair in _both_ways(_UPPER)) | _DIGIT_PAIRS


def lookalike_digits(first: str, second: str) -> bool:
    """Whether a reader may take one digit for the other."""
    return first + second in _DIGIT_PAIRS


@functools.lru_cache(maxsize=8192)
def distance(first: str, second: str, *, capitals: bool = False) -> float:
    """The cheapest way from one lower-case spelling to the other.

    `capitals` says that the text was printed in capitals, which look alike in other ways.
    """
    pairs = _UPPER_PAIRS if capitals else _LOWER_PAIRS
    rows: list[list[float]] = [[float(column) for column in range(len(second) + 1)]]
    for row in range(1, len(first) + 1):
        current = [float(row)]
        for column in range(1, len(second) + 1):
            cost = _step(first, second, row, column, pairs)
            best = min(
                rows[-1][column - 1] + cost,
                rows[-1][column] + _drop(first, row),
                current[-1] + _drop(second, column),
            )
            for two, one in _UPPER_MERGES if capitals else _MERGES:
                if first.endswith(two, 0, row) and second.endswith(one, 0, column):
                    best = min(best, rows[row - 2][column - 1] + LOOKALIKE_COST)
                if first.endswith(one, 0, row) and second.endswith(two, 0, column):
                    best = min(best, rows[row - 1][column - 2] + LOOKALIKE_COST)
            current.append(best)
        rows.append(current)
    return rows[-1][-1]


@functools.lru_cache(maxsize=8192)
def edits(first: str, second: str) -> int:
    """The plain Levenshtein distance with swapped neighbours counting one."""
    rows = [list(range(len(second) + 1))]
    for row in range(1, len(first) + 1):
        current = [row]
        for column in range(1, len(second) + 1):
            same = first[row - 1] == second[column - 1]
            best = min(rows[-1][column - 1] + (not same), rows[-1][column] + 1, current[-1] + 1)
            swapped = first[row - 2 : row] == second[column - 2 : column][::-1]
            if row > 1 and column > 1 and swapped:
                best = min(best, rows[row - 2][column - 2] + 1)
            current.append(best)
        rows.append(current)
    return rows[-1][-1]


def _step(first: str, second: str, row: int, column: int, pairs: frozenset[str]) -> float:
    one, other = first[row - 1], second[column - 1]
    if one == other:
        return 0.0
    return LOOKALIKE_COST if one + other in pairs else 1.0


def _drop(word: str, position: int) -> float:
    doubled = position > 1 and word[position - 1] == word[position - 2]
    return DOUBLED_COST if doubled else 1.0
