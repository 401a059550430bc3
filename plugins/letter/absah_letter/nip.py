"""Read and check the numbers of civil servants (NIP).

A NIP has 18 digits: birth date (YYYYMMDD), month of appointment (YYYYMM), sex (1 or 2) and a serial
of three (Peraturan Kepala BKN 22/2007). Contract staff (PPPK) have 21 and upward in place of the
month. Numbers of nine digits are from before 2008 and have no check.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

LABEL = re.compile(r"\bN\s?[I1l|!]\s?P(?:PPK)?\b\s*[.:;]*\s*(?=[0-9OoIlSBZ])", re.IGNORECASE)
_AS_DIGIT = str.maketrans("OoQDIil|!SsBZzGb", "0000111115582266")
_SPACED = re.compile(r"[0-9OoQDIil|!SsBZzGb][0-9OoQDIil|!SsBZzGb .-]{7,26}")
_LOOK_ALIKES = {
    "0": "68", "1": "7", "2": "7", "3": "58", "4": "9", "5": "36", "6": "058", "7": "12",
    "8": "0369", "9": "48",
}  # fmt: skip
_YOUNGEST = 15
_OLDEST = 70


@dataclass(frozen=True, kw_only=True, slots=True)
class Number:
    """A NIP as read; `repairs` counts letters that were taken for digits."""

    digits: str
    start: int
    end: int
    repairs: int

    @property
    def defect(self) -> str | None:
        """Why the digits cannot be a NIP, as a clause; None where they can."""
        return _defect(self.digits)

    @property
    def one_misread_away(self) -> bool:
        """Whether changing one digit into one that looks like it makes a NIP."""
        return any(
            _defect(self.digits[:place] + other + self.digits[place + 1 :]) is None
            for place, digit in enumerate(self.digits)
            for other in _LOOK_ALIKES[digit]
        )


def find(text: str) -> Number | None:
    """The number behind the word NIP in a text, or one of 18 digits that stands alone."""
    label = LABEL.search(text)
    match = _SPACED.match(text, label.end()) if label else _SPACED.fullmatch(text.strip())
    if match is None:
        return None
    raw = re.sub(r"[\s.-]", "", match.group())
    if not label and (len(raw) != 18 or not raw.isdigit()):
        return None
    if sum(character.isdigit() for character in raw) < 7:
        return None
    start = label.end() if label else text.index(match.group())
    return Number(
        digits=raw.translate(_AS_DIGIT),
        start=start,
        end=start + len(match.group()),
        repairs=sum(not character.isdigit() for character in raw),
    )


def mask(digits: str) -> str:
    """A NIP for people's eyes: first four and last two digits."""
    return f"{digits[:4]}{'*' * max(len(digits) - 6, 0)}{digits[-2:]}"


def _defect(digits: str) -> str | None:
    if len(digits) == 9:
        return None
    if len(digits) != 18:
        return f"it has {len(digits)} digits instead of 18"
    born = _date(digits[:8])
    if born is None or born.year < 1900:
        return "its first eight digits are no birth date"
    year, month = int(digits[8:12]), int(digits[12:14])
    if not (1 <= month <= 12 or 21 <= month <= 39):
        return "digits 13 and 14 are no month"
    if not _YOUNGEST <= year - born.year <= _OLDEST:
        return "the year of appointment does not fit the birth date"
    if digits[14] not in "12":
        return "digit 15 is neither 1 nor 2"
    return "its serial is 000" if digits[15:] == "000" else None


def _date(digits: str) -> datetime.date | None:
    try:
        return datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
