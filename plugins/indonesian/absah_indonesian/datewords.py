"""Words of Indonesian dates: months, weekdays, numbers spelled out."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from absah_indonesian import confusions, spelling, wordlists

MONTHS = wordlists.numbered(
    """januari jan january djanuari, februari feb pebruari peb february, maret mar mrt march,
    april apr, mei may, juni jun june djuni, juli jul july djuli,
    agustus agt agu ags aug august agst agus, september sep sept, oktober okt oct october,
    november nov nopember nop, desember des dec december""",
    first=1,
)
_FULL_MONTHS = {word: number for word, number in MONTHS.items() if len(word) >= 4}

WEEKDAYS = wordlists.numbered(
    "senin, selasa, rabu, kamis, jumat jum'at, sabtu, minggu ahad", first=0
)

_ONES = wordlists.numbered(
    "nol kosong, satu se, dua, tiga, empat, lima, enam, tujuh, delapan, sembilan", first=0
)
NUMBER_WORDS = frozenset(
    [*_ONES, "sepuluh", "sebelas", "belas", "puluh", "ratus", "seratus", "ribu", "seribu"]
)


@functools.lru_cache(maxsize=1024)
def month(word: str) -> int | None:
    """The month that a word names, also where one letter was misread: "Marel" is 3.

    June and July are a letter apart, so a misread letter must leave a single month near.
    """
    text = spelling.letters(word)
    if text in MONTHS:
        return MONTHS[text]
    if len(text) < 4:
        return None
    near = {
        number
        for name, number in _FULL_MONTHS.items()
        if abs(len(name) - len(text)) <= 2
        and (confusions.distance(name, text) < 1 or _misspelled(name, text))
    }
    return near.pop() if len(near) == 1 else None


def _misspelled(name: str, text: str) -> bool:
    return min(len(name), len(text)) >= 5 and confusions.edits(name, text) == 1


def number(words: Sequence[str]) -> int | None:
    """The number spelled out: "dua puluh enam" is 26, "dua ribu dua puluh enam" is 2026.

    A year read out in halves, "dua puluh dua enam", is no number and gives None.
    """
    total, part, last = 0, 0, 0
    if not words:
        return None
    for word in words:
        if word in ("sepuluh", "sebelas"):
            part += 10 if word == "sepuluh" else 11
            last = 0
        elif word in ("seratus", "seribu"):
            part += 100 if word == "seratus" else 1000
            last = 0
        elif word in _ONES and not last:
            last = _ONES[word]
            part += last
        elif word == "belas" and last:
            part, last = part + 10, 0
        elif word in ("puluh", "ratus") and last:
            part, last = part - last + last * (10 if word == "puluh" else 100), 0
        elif word == "ribu" and part:
            total, part, last = total + part * 1000, 0, 0
        else:
            return None
    return total + part
