"""Read a letter's own number."""

from __future__ import annotations

import re

from absah_letter import passages
from absah_letter.lines import Line
from absah_letter.passages import Passage
from absah_letter.sheet import Label, Sheet, label_of
from absah_letter.titles import is_title

_STROKES = re.compile(r"(?<=[/. -])(?=1*[Iil|])[Iil1|]{1,3}(?=[/. -])")
_ROMAN_V = re.compile(r"(?<=/)(?=[VX])([VX][Iil1|]{1,3})(?=[/])")
_AS_LETTER = str.maketrans("0158", "OISB")


def number(sheet: Sheet) -> Passage | None:
    """The letter's own number: under its title, or in the block at its head."""
    offers = [
        (_number_rank(sheet, line, label), place, line, label)
        for place, (line, label) in enumerate(sheet.labelled("number"))
    ]
    for _, _, line, label in sorted(offers, key=lambda offer: offer[:2]):
        passage = passages.value(sheet, line, label)
        if passage and re.search(r"\d", passage.raw) and len(passage.raw) <= 60:
            return passage
    return _number_in_title(sheet)


def tidy_number(raw: str) -> str:
    """A number without spaces around its strokes, its words and Roman numbers mended."""
    text = re.sub(r"\s*/\s*", "/", " ".join(raw.split())).strip(" .:;,=")
    text = re.sub(r"[A-Za-z0158]{4,}", _as_word, text)
    text = _STROKES.sub(lambda m: "I" * len(m.group()), text)
    return _ROMAN_V.sub(lambda m: m.group()[0] + "I" * (len(m.group()) - 1), text)


def month_fits(number: str, month: int) -> bool:
    """Whether a number that names its month by a Roman number names this one.

    One that names another, or a Roman number that is none, was more likely misread than miswritten:
    a stroke is easily lost. Numbers that name no month fit.
    """
    roman = re.search(r"/([IVX]{1,5})/", number)
    return roman is None or roman.group(1) == _ROMAN[month - 1]


_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")


def _as_word(match: re.Match[str]) -> str:
    """A run that is letters but for one digit is a word, such as the name of an office."""
    text = match.group()
    digits = sum(character.isdigit() for character in text)
    return text.translate(_AS_LETTER) if digits == 1 and text[0].isalpha() else text


def _number_rank(sheet: Sheet, line: Line, label: Label) -> int:
    """Lower is better: under a title, then in a block with other labels, then with a colon."""
    if any(is_title(above.text) for above in sheet.above(line, within=3.5)):
        return 0
    block = sheet.below(line, within=4.5)
    beside = sheet.beside(line)[:1]
    if any((k := label_of(o.text)) and k.field in _BLOCK for o in block[:3]):
        return 1
    colon = label.colon or any(o.text.lstrip().startswith(":") for o in beside)
    return 2 if colon else 4


_BLOCK = ("nature", "attachment", "subject", "date", "from")


def _number_in_title(sheet: Sheet) -> Passage | None:
    """A number in the title's own line: "KEPUTUSAN BUPATI BOGOR NOMOR 12 TAHUN 2026"."""
    for line in sheet.lines:
        match = re.search(r"\bN(?:OMOR|O\.?)\s*[:.]?\s*(\S.*)$", line.text)
        if match and is_title(line.text) and re.search(r"\d", match.group(1)):
            return Passage(raw=match.group(1).strip(), lines=(line,))
    return None
