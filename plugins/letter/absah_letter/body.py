"""Read number, date, subject and addressee of a letter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from absah_letter import dates
from absah_letter.lines import Line
from absah_letter.sheet import Label, Sheet, label_of
from absah_letter.titles import is_title, title_of

_PLACED = re.compile(r"^[^\w:;]*([A-Z][A-Za-z .'’/-]{2,40}?)\s*[,.;]\s*(?:tanggal\s+)?(?=[\dOIl])")
_PLACED_UNMARKED = re.compile(
    r"^((?!Hari|Pada|Sen|Sel|Rab|Kam|Jum|Sab|Ming)[A-Z][A-Za-z .'’-]{2,40}?)\s+(?=\d)"
)
_NO_COMMA = 0.8
_ISSUED = re.compile(
    r"(?:ditetapkan|dikeluarkan|dibuat|diundangkan|disahkan)\s+di\s*:?\s*(.*)$", re.IGNORECASE
)
_ON_DATE = re.compile(r"(?:pada\s+)?tangga[l1i]\s*:?\s*(?=[\dOIl])", re.IGNORECASE)
_TODAY = re.compile(r"pada\s+hari\s+ini", re.IGNORECASE)
_STROKES = re.compile(r"(?<=[/. -])(?=1*[Iil|])[Iil1|]{1,3}(?=[/. -])")
_ROMAN_V = re.compile(r"(?<=/)(?=[VX])([VX][Iil1|]{1,3})(?=[/])")
_AS_LETTER = str.maketrans("0158", "OISB")
_MOST_CONTINUATION = 4
_SAME_LEFT = 0.025
"""How far apart lines of one margin begin, as a fraction of the width."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A field's raw text with its lines; `sure` is less than 1 where it was guessed."""

    raw: str
    lines: tuple[Line, ...]
    sure: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Dated:
    """The date of a letter, and the place it names where it does."""

    found: dates.Found
    passage: Passage
    place: Passage | None = None


def number(sheet: Sheet) -> Passage | None:
    """The letter's own number: under its title, or in the block at its head."""
    offers = [
        (_number_rank(sheet, line, label), place, line, label)
        for place, (line, label) in enumerate(sheet.labelled("number"))
    ]
    for _, _, line, label in sorted(offers, key=lambda offer: offer[:2]):
        passage = _value(sheet, line, label)
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


def date(sheet: Sheet) -> Dated | None:
    """When the letter was signed: by place and date, by a formula at its end, or by its label."""
    for read in (
        _placed_dates,
        _issued_dates,
        _labelled_dates,
        _bare_dates,
        _todays_dates,
        _unmarked_dates,
    ):
        found = next(read(sheet), None)
        if found:
            return found
    return None


def subject(sheet: Sheet) -> Passage | None:
    """What the letter is about: its subject row, what follows TENTANG, or its title."""
    for line, label in sheet.labelled("subject"):
        passage = _value(sheet, line, label, flows=True)
        if passage and len(passage.raw) >= 3:
            return passage
    return _about(sheet) or _title_and_purpose(sheet)


def title(sheet: Sheet) -> Passage | None:
    """The paper's title, such as SURAT TUGAS."""
    for line in sheet.lines:
        found = title_of(line.text)
        if found:
            return Passage(raw=found, lines=(line,))
    return None


def addressee(sheet: Sheet) -> Passage | None:
    """To whom the letter goes: what follows "Yth.", over as many lines as it takes."""
    for line, label in sheet.labelled("addressee"):
        rest = re.sub(r"^(?:y[t1]h\.?|:|\s)+", "", label.rest, flags=re.IGNORECASE).strip(" :.")
        lines = [line]
        if not rest:
            following = sheet.value(line, label) or sheet.below(line, within=1.9)[:1]
            if not following or label_of(following[0].text):
                continue
            lines, rest = following, following[0].text.strip(" :.")
        for more in sheet.below(lines[-1], within=1.9):
            if _ends_address(more.text) or sheet.owned(more) or len(rest) > 120:
                break
            if sheet.row(more) - sheet.row(lines[-1]) < 1.9 * sheet.height:
                rest, lines = f"{rest} {more.text.strip()}", [*lines, more]
        if len(rest) >= 3:
            return Passage(raw=rest, lines=tuple(lines))
    return None


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


def _value(sheet: Sheet, line: Line, label: Label, *, flows: bool = False) -> Passage | None:
    """A label's value; where it `flows`, with the lines under it up to the next label."""
    pieces = sheet.value(line, label)
    if not pieces:
        return None
    raw = label.rest if label.rest else pieces[0].text.lstrip(" :;.=").strip()
    placed = _placed_at(raw)
    if placed and not flows:
        raw = raw[:placed].strip(" ,;")
    if not flows:
        return Passage(raw=raw, lines=tuple(pieces)) if raw else None
    for more in _continuation(sheet, line, pieces[0]):
        raw, pieces = f"{raw} {more.text.strip()}", [*pieces, more]
    return Passage(raw=raw.strip(), lines=tuple(pieces)) if raw else None


def _placed_at(raw: str) -> int | None:
    """Where a place and date begin that OCR ran together with what stood left of them."""
    match = re.search(r"\s[A-Z][A-Za-z .'-]{2,30},\s*\d{1,2}\s+[A-Za-z]{3,10}\s+\d{4}", raw)
    return match.start() if match else None


def _continuation(sheet: Sheet, label_line: Line, value: Line) -> Iterator[Line]:
    """Lines that go on a value: in its column, right of the label's edge, without a gap."""
    last = value
    column = value.left if value is not label_line else label_line.left + 5 * value.letter_width
    for more in sheet.below(value, within=(_MOST_CONTINUATION + 1) * 1.7):
        gap = sheet.row(more) - sheet.row(last)
        if gap > 1.9 * sheet.height or sheet.owned(more):
            return
        if label_of(more.text) or _is_dated(more.text):
            return
        if more.left < column - 2 * value.letter_width or more.left > column + 0.15:
            if more.left < column - 2 * value.letter_width:
                return
            continue
        yield more
        last = more


def _is_dated(text: str) -> bool:
    return bool(_PLACED.match(text)) and dates.find(text) is not None


def _placed_dates(sheet: Sheet) -> Iterator[Dated]:
    """Lines of a place, a comma and a date, and nothing else: "Bogor, 12 Maret 2026"."""
    for line in sheet.lines:
        if _tells_birth(sheet, line):
            continue
        for text, start in _tails(line.text):
            match = _PLACED.match(text)
            found = dates.find(text[match.end() :]) if match else None
            if not match or not found or found.start > 2:
                continue
            if len(text) - match.end() - found.end > 3:
                continue
            yield Dated(
                found=found,
                passage=Passage(raw=text[match.end() :].strip(), lines=(line,), sure=start),
                place=Passage(raw=match.group(1).strip(), lines=(line,)),
            )


def _tells_birth(sheet: Sheet, line: Line) -> bool:
    """Whether a place and date are those of a birth, by what stands before them in the row."""
    return any("lahir" in other.text.lower() for other in sheet.before(line))


def _bare_dates(sheet: Sheet) -> Iterator[Dated]:
    """Lines that are a date alone: beside the number, or just over the signatory's title."""
    for line in sheet.lines:
        found = dates.find(line.text)
        if found is None or found.start > 2 or len(line.text.rstrip(" .,")) > found.end + 1:
            continue
        labels = [label for other in sheet.before(line) if (label := label_of(other.text))]
        if any(label.field == "number" for label in labels) or not (labels or sheet.owned(line)):
            yield Dated(found=found, passage=Passage(raw=line.text.strip(), lines=(line,)))


def _unmarked_dates(sheet: Sheet) -> Iterator[Dated]:
    """Lines of a place and a date whose comma was lost: "Tanah Bumbu 2 Januari 2024"."""
    for line in sheet.lines:
        match = _PLACED_UNMARKED.match(line.text)
        found = dates.find(line.text[match.end() :]) if match else None
        if not match or not found or found.start > 0 or label_of(line.text) or sheet.owned(line):
            continue
        if len(line.text) - match.end() - found.end <= 2:
            yield Dated(
                found=found,
                passage=Passage(raw=line.text[match.end() :], lines=(line,), sure=_NO_COMMA),
                place=Passage(raw=match.group(1), lines=(line,), sure=_NO_COMMA),
            )


def _tails(text: str) -> Iterator[tuple[str, float]]:
    """A line, and what follows a number in it where OCR ran two columns together."""
    yield text, 1.0
    placed = _placed_at(text)
    if placed:
        yield text[placed:].strip(), 0.9


def _issued_dates(sheet: Sheet) -> Iterator[Dated]:
    """The formula "Ditetapkan di … pada tanggal …", in one line or two."""
    for line in sheet.lines:
        match = _ISSUED.search(line.text)
        if not match:
            continue
        here = [line, *sheet.below(line, within=2.6)[:1]]
        text = " ".join(piece.text.strip() for piece in here)
        found = dates.find(text)
        if found:
            place = _ON_DATE.split(match.group(1))[0].strip(" ,.:")
            yield Dated(
                found=found,
                passage=Passage(raw=text[found.start : found.end], lines=tuple(here)),
                place=Passage(raw=place, lines=(line,)) if len(place) > 2 else None,
            )


def _labelled_dates(sheet: Sheet) -> Iterator[Dated]:
    """A row "Tanggal : …" of the block that also has number or subject, not of an event's list."""
    for line, label in sheet.labelled("date"):
        around = [*sheet.above(line, within=4.5)[:2], *sheet.below(line, within=4.5)[:2]]
        fields = {near.field for other in around if (near := label_of(other.text))}
        passage = _value(sheet, line, label)
        if "event" in fields or not fields & {"number", "subject", "from", "nature"} or not passage:
            continue
        found = dates.find(passage.raw)
        if found:
            yield Dated(found=found, passage=passage)


def _todays_dates(sheet: Sheet) -> Iterator[Dated]:
    """The opening of minutes: "Pada hari ini, Kamis tanggal dua belas bulan Maret …"."""
    for place, line in enumerate(sheet.lines):
        if _TODAY.search(line.text):
            here = sheet.lines[place : place + 4]
            text = " ".join(piece.text.strip() for piece in here)
            found = dates.find(text)
            if found:
                yield Dated(
                    found=found,
                    passage=Passage(raw=text[found.start : found.end], lines=tuple(here)),
                )


def _about(sheet: Sheet) -> Passage | None:
    """What stands under or behind TENTANG in the head of a decree, circular or minutes."""
    for line, label in sheet.labelled("about"):
        if not line.text.strip().isupper() and label.rest:
            continue
        lines = [line] if label.rest else []
        last = line
        for more in sheet.below(line, within=9.0):
            most = 3.2 if last is line else 1.9
            if sheet.row(more) - sheet.row(last) > most * sheet.height or label_of(more.text):
                break
            if not _like_heading(more.text):
                break
            lines, last = [*lines, more], more
        raw = " ".join(piece.text.strip() for piece in lines if piece is not line)
        raw = f"{label.rest} {raw}".strip(" .:")
        if len(raw) >= 3:
            return Passage(raw=raw, lines=tuple(lines))
    return None


def _like_heading(text: str) -> bool:
    letters = [character for character in text if character.isalpha()]
    return bool(letters) and sum(c.isupper() for c in letters) >= 0.7 * len(letters)


def _title_and_purpose(sheet: Sheet) -> Passage | None:
    """The title, with what the paper is for where it says so."""
    head = title(sheet)
    if head is None:
        return None
    for line, label in sheet.labelled("purpose"):
        beside = sheet.beside(line)[:1]
        if label.colon or (beside and not label.rest) or _in_a_list(sheet, line):
            purpose = _value(sheet, line, label, flows=True)
            if purpose:
                raw = f"{head.raw}: {purpose.raw}"
                return Passage(raw=raw, lines=(*head.lines, *purpose.lines), sure=0.9)
    return Passage(raw=head.raw, lines=head.lines, sure=0.8)


def _in_a_list(sheet: Sheet, line: Line) -> bool:
    """Whether a line begins where the labels of a person's details above it begin."""
    return any(
        abs(other.left - line.left) < _SAME_LEFT
        for other in sheet.above(line, within=9.0)
        if (label := label_of(other.text)) and label.field == "person"
    )


def _ends_address(text: str) -> bool:
    label = label_of(text)
    bare = text.strip(" .,:-–").lower()
    if re.match(r"\w{2,12}\s*:", bare):
        return True
    letters = sum(character.isalpha() for character in bare)
    return (
        label is not None
        or letters < 4
        or bare in ("di", "tempat", "d i")
        or bare.startswith(("di ", "di-"))
    )


def joined_text(lines: Sequence[Line]) -> str:
    """The text of lines, with spaces between."""
    return " ".join(line.text.strip() for line in lines)
