"""Read an identity number (NIK) in spite of look-alike letters, and take it apart.

A NIK has 16 digits: province, regency, district (two each), birth date as DDMMYY with 40 added to
the day for women, and a serial of four (Permendagri 40/2019). Letters are read as the digits they
resemble; a digit is never changed into another, which could hide a forgery.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lokal import nik as rules

from absah_identity import regions

_LOOK_ALIKE = {
    "O": "0", "o": "0", "Q": "0", "U": "0", "D": "0", "C": "0", "I": "1", "l": "1", "i": "1",
    "|": "1", "!": "1", "[": "1", "]": "1", "J": "1", "L": "1", "t": "1", "Z": "2", "z": "2",
    "E": "3", "A": "4", "h": "4", "S": "5", "s": "5", "G": "6", "b": "6", "?": "7", "T": "7",
    "Y": "7", "/": "7", "B": "8", "&": "8", "g": "9", "q": "9", "P": "9",
}  # fmt: skip
LOOK_ALIKE_DIGITS = {
    "0": "68", "1": "7", "2": "7", "3": "58", "4": "9", "5": "36", "6": "0589", "7": "12",
    "8": "03569", "9": "468",
}  # fmt: skip
"""The digits that each digit is misread as."""
_ALTERNATIVES = {"D": "0", "b": "68", "?": "72", "S": "58", "Z": "27", "B": "83", "G": "60"}
_SEPARATORS = re.compile(r"[\s.:;,_'`\"-]+")
_MOST_CANDIDATES = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Number:
    """A NIK as read: `digits` as repaired, and how many characters the repair changed."""

    digits: str
    repairs: int

    @property
    def has_form(self) -> bool:
        """Whether length, province, birth date and serial can be those of a NIK."""
        return not defects(self.digits)

    @property
    def one_misread_away(self) -> bool:
        """Whether changing one digit into one that looks like it makes a NIK."""
        return any(
            not defects(self.digits[:place] + other + self.digits[place + 1 :])
            for place, digit in enumerate(self.digits)
            for other in LOOK_ALIKE_DIGITS[digit]
        )

    @property
    def female(self) -> bool:
        return int(self.digits[6:8]) > 40

    @property
    def birth_digits(self) -> str:
        """DDMMYY as a person says it, without the 40 added for women."""
        return f"{int(self.digits[6:8]) - 40 * self.female:02d}{self.digits[8:12]}"

    @property
    def regions(self) -> tuple[str, str, str]:
        """Dotted codes of province, regency and district."""
        a, b, c = self.digits[:2], self.digits[2:4], self.digits[4:6]
        return a, f"{a}.{b}", f"{a}.{b}.{c}"


def read(texts: Iterable[str]) -> Number | None:
    """The best NIK in these texts: a well-formed one with few repairs, else what has 16 digits.

    None where no text looks like a number of about that length.
    """
    numbers = [number for text in texts for number in _numbers(text)]
    if not numbers:
        return None
    return min(numbers, key=lambda n: (not n.has_form, n.repairs, abs(len(n.digits) - 16)))


def defects(digits: str) -> frozenset[str]:
    """Why the digits cannot be a NIK: "format", "province", "wilayah", "birth_date", "serial".

    "wilayah" is a regency or district of 00; one that the register does not have is no defect, as
    old numbers keep old codes.
    """
    return frozenset(issue.code for issue in rules.parse_nik(digits).errors)


def mask(digits: str) -> str:
    """A NIK for people's eyes: first six and last two digits."""
    return f"{digits[:6]}{'*' * max(len(digits) - 8, 0)}{digits[-2:]}"


def known_regions(number: Number) -> bool:
    """Whether the register has this regency and district today."""
    return all(regions.name_of(code) for code in number.regions)


def _numbers(text: str) -> Iterator[Number]:
    compact = _SEPARATORS.sub("", text)
    digits = sum(character.isdigit() for character in compact)
    if digits < 10 or not 15 <= len(compact) <= 18:
        compact = max(re.findall(r"\S+", text), key=_digit_count, default="")
        compact = _SEPARATORS.sub("", compact)
        if _digit_count(compact) < 10 or not 14 <= len(compact) <= 18:
            return
    for extra in _trimmed(compact):
        yield from _repaired(*extra)


def _digit_count(text: str) -> int:
    return sum(character.isdigit() for character in text)


def _trimmed(compact: str) -> Iterator[tuple[str, int]]:
    """The text, and where it has too many characters, its 16 first and last."""
    yield compact, 0
    if len(compact) > 16:
        cut = len(compact) - 16
        yield compact[cut:], cut
        yield compact[:16], cut


def _repaired(text: str, repairs: int) -> Iterator[Number]:
    choices = [_choices(character) for character in text]
    if not all(choices):
        return
    repairs += sum(not character.isdigit() for character in text)
    for digits in itertools.islice(itertools.product(*choices), _MOST_CANDIDATES):
        yield Number(digits="".join(digits), repairs=repairs)


def _choices(character: str) -> str:
    if character.isascii() and character.isdigit():
        return character
    return _ALTERNATIVES.get(character) or _LOOK_ALIKE.get(character, "")
