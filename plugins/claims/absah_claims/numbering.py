"""Compare the numbers of official letters: 005/123/BKPSDM/III/2026."""

from __future__ import annotations

import re

from absah_claims.comparison import Outcome
from absah_claims.evidence import CERTAIN, SURE
from absah_indonesian import confusions, wordlists

NUMBER_LIMIT = 80
FEW = 2.0
"""Misread characters, one that looks alike counting 0.4, that a bad reading may have."""

_LABEL = re.compile(r"^\s*(?:nomor|no)\b\s*[.:]*\s*", re.IGNORECASE)
_PART = re.compile(r"[A-Za-z0-9]+")
_AS_DIGIT = str.maketrans("OQDILSBZGAT", "00011582647")
_AS_ROMAN = str.maketrans("1L|JU", "IIIIV")
_ROMAN = {
    roman: str(month)
    for roman, month in wordlists.numbered(
        "I, II, III, IV, V, VI, VII, VIII, IX, X, XI, XII", first=1
    ).items()
}
_LABELLED = re.compile(r"(?:^|\n)[ \t]*(?:nomor|no)\b[ \t]*[.:]*[ \t]*([^\n]{1,80})", re.IGNORECASE)


def compare(claimed: str, read: str, confidence: float) -> Outcome:
    """Compare part by part; separators, spaces, leading zeros and case do not count."""
    first, second = parts(claimed), parts(read)
    if not first or not second:
        return Outcome.UNSETTLED
    if first == second or _unsplit(claimed) == _unsplit(read):
        return Outcome.AGREES
    if len(first) == len(second):
        return _by_parts(claimed, read, confidence)
    apart = _cost(_unsplit(claimed), _unsplit(read))
    if _holds(first, second) or _holds(second, first) or apart <= FEW:
        return Outcome.UNSETTLED
    return Outcome.CONTRADICTS if confidence >= SURE else Outcome.UNSETTLED


def month_apart(claimed: str, read: str) -> int | None:
    """The claimed month where two numbers differ in nothing but a Roman month, else None.

    Readers lose strokes of a Roman number, and what is left is another month.
    """
    first, second = _printed(claimed), _printed(read)
    if len(first) != len(second):
        return None
    pairs = zip(first, second, strict=True)
    apart = [pair for pair in pairs if _folded(pair[0]) != _folded(pair[1])]
    if len(apart) != 1 or not set(apart[0]) <= _ROMAN.keys():
        return None
    return int(_ROMAN[apart[0][0]])


def parts(number: str) -> tuple[str, ...]:
    """The runs of letters and digits of a number without its label, each in one form."""
    return tuple(_folded(part) for part in _printed(number))


def labelled(text: str) -> str:
    """The number on the first line of a letter that begins with "Nomor", or nothing."""
    match = _LABELLED.search(text)
    return match[1].strip() if match else ""


def _folded(part: str) -> str:
    """A part in one form: digits without leading zeros, a Roman month as a number."""
    digits = part.translate(_AS_DIGIT)
    if part in _ROMAN:
        return _ROMAN[part]
    if digits.isdigit() and sum(c.isdigit() for c in part) * 2 >= len(part):
        return digits.lstrip("0") or "0"
    roman = part.translate(_AS_ROMAN)
    return _ROMAN.get(roman, part)


def _printed(number: str) -> list[str]:
    return _PART.findall(_LABEL.sub("", number[:NUMBER_LIMIT]).upper())


def _unsplit(number: str) -> str:
    """The number run together, for a reader that lost the strokes between its parts."""
    return "".join(_printed(number)).translate(_AS_DIGIT)


def _by_parts(claimed: str, read: str, confidence: float) -> Outcome:
    pairs = zip(_printed(claimed), _printed(read), strict=True)
    apart = [(one, other) for one, other in pairs if _folded(one) != _folded(other)]
    costs = [min(_cost(*pair), _cost(*map(_folded, pair))) for pair in apart]
    a_code = len(apart) == 1 and "".join(apart[0]).isalpha() and not _ROMAN.keys() & set(apart[0])
    if a_code and costs[0] < 1 and len(parts(claimed)) > 2 and confidence < CERTAIN:
        return Outcome.AGREES
    bearable = max(costs) < 1 or (sum(costs) <= FEW and confidence < CERTAIN)
    return Outcome.UNSETTLED if bearable or confidence < SURE else Outcome.CONTRADICTS


def _cost(one: str, other: str) -> float:
    return confusions.distance(one.lower(), other.lower(), capitals=True)


def _holds(long: tuple[str, ...], short: tuple[str, ...]) -> bool:
    """Whether one number is the other with parts left out at an end."""
    starts = range(len(long) - len(short) + 1)
    return any(long[start : start + len(short)] == short for start in starts)
