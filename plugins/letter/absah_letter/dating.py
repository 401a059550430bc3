"""Read when, and where, a letter was signed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from absah_letter import dates, passages
from absah_letter.lines import Line
from absah_letter.passages import Passage
from absah_letter.sheet import Sheet, label_of

_PLACED_UNMARKED = re.compile(
    r"^((?!Hari|Pada|Sen|Sel|Rab|Kam|Jum|Sab|Ming)[A-Z][A-Za-z .'’-]{2,40}?)\s+(?=\d)"
)
_NO_COMMA = 0.8
_ISSUED = re.compile(
    r"(?:ditetapkan|dikeluarkan|dibuat|diundangkan|disahkan)\s+di\s*:?\s*(.*)$", re.IGNORECASE
)
_ON_DATE = re.compile(r"(?:pada\s+)?tangga[l1i]\s*:?\s*(?=[\dOIl])", re.IGNORECASE)
_TODAY = re.compile(r"pada\s+hari\s+ini", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dated:
    """The date of a letter, and the place it names where it does."""

    found: dates.Found
    passage: Passage
    place: Passage | None = None


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


def _placed_dates(sheet: Sheet) -> Iterator[Dated]:
    """Lines of a place, a comma and a date, and nothing else: "Bogor, 12 Maret 2026"."""
    for line in sheet.lines:
        if _tells_birth(sheet, line):
            continue
        for text, start in _tails(line.text):
            match = passages.PLACED.match(text)
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
    placed = passages.placed_at(text)
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
        passage = passages.value(sheet, line, label)
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
