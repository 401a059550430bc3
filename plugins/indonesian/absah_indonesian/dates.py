"""Find the dates in Indonesian text, in every form that reports and letters write them.

Digits and words, ranges and lists of days, months in short, years left out; and digits that a
reader took for letters (l2 Maret 2O26). Times of day are not read.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from absah_indonesian import confusions, datewords

MENTION_LIMIT = 500
"""Dates of one text that are looked at, for each way of writing them."""

_DIGIT = str.maketrans("OoQIil|SsBZz", "000111155822")
_DAY = r"[0-3OoIl|SZ]?[0-9OoIl|SBZ]"
_YEAR = r"[12Il|Z][0-9OoIl|SBZ]{3}"
_TO = r"\s*(?:s\s?[./]?\s?d\s?\.?|sampai(?:\s+dengan)?|hingga|ke|to|-|–|—)\s*"
_AND = r"\s*(?:,\s*dan|,|/|dan|&|serta)\s*"
_SPELLED = r"\s*(?:\([A-Za-z ]{3,40}\))?\s*"
_MONTH = r"(?P<month>[A-Za-z0][A-Za-z01|]{1,8}(?:[A-Za-z]|[1|](?!\d)))\.?"
_BEFORE, _BEHIND = r"(?<!\w)(?<![A-Z0-9]/)", r"(?![\w/]|[-.,]\d)"

_TEXTUAL = re.compile(
    rf"(?<!\w)(?<!\d/)(?P<days>{_DAY}(?:(?:{_TO}|{_AND}){_DAY}){{0,6}}){_SPELLED}[-./]?\s*(?:bulan\s+)?"
    rf"{_MONTH}(?:{_SPELLED}[-./,]?\s*(?:tahun\s+)?(?P<year>{_YEAR}|(?<=-)\d\d|'\d\d)(?!\w))?",
    re.IGNORECASE,
)
_NUMERIC = re.compile(
    rf"{_BEFORE}(?:(?P<from>\d{{1,2}})\s?[-–]\s?)?(?P<day>{_DAY})\s?(?P<mark>[-/.])\s?"
    rf"(?P<month>{_DAY})\s?(?P=mark)\s?(?P<year>{_YEAR}|\d\d){_BEHIND}"
)
_ISO = re.compile(
    rf"{_BEFORE}(?P<year>{_YEAR})(?P<mark>[-/.:])(?P<month>[01OoIl|][0-9OoIl|SBZ])(?P=mark)"
    rf"(?P<day>[0-3OoIl|][0-9OoIl|SBZ])(?![0-9/])"
)
_IN_BRACKETS = re.compile(r"(?P<weekday>[A-Za-z']{4,6})\s*\((?P<day>\d\d?)/(?P<month>\d\d?)\)")
_ENGLISH = re.compile(rf"\b{_MONTH}\s+(?P<day>\d{{1,2}})\s*,?\s+(?P<year>{_YEAR})(?!\w)")
_WORD = "(?:" + "|".join(sorted(datewords.NUMBER_WORDS, key=len, reverse=True)) + ")"
_WORDS = rf"{_WORD}(?:\s*{_WORD}\b){{0,9}}"
_SPOKEN = re.compile(
    rf"\b(?P<day>{_WORDS})\s+(?:bulan\s+)?{_MONTH}\s+(?:tahun\s+)?(?P<year>{_WORDS}|{_YEAR})\b",
    re.IGNORECASE,
)
_NUMBER_WORD = re.compile(_WORD, re.IGNORECASE)
_RANGE = re.compile(_TO, re.IGNORECASE)
_RANGE_MARK = re.compile(_TO.replace(r"\s*(", r"(").replace(r")\s*", ")"), re.IGNORECASE)
_WEEKDAY = re.compile(r"([A-Za-z']{4,7})\s*[,/(]?\s*(?:tanggal|tgl\.?)?\s*:?\s*$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """A date whose year may be unknown."""

    year: int | None
    month: int
    day: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """A date or a run of days in a text, [start, end), from `first` to `last`.

    `swapped` is the other reading where day and month in digits could stand the American way.
    `weekday` (Monday is 0) is the one written before it.
    """

    first: Day
    last: Day
    start: int
    end: int
    text: str
    swapped: Day | None = None
    weekday: int | None = None

    def covers(self, date: datetime.date) -> bool:
        """Whether the date lies in the run; without a year any year will do."""
        if self.first.year is None or self.last.year is None:
            return (
                (self.first.month, self.first.day)
                <= (date.month, date.day)
                <= (
                    self.last.month,
                    self.last.day,
                )
            )
        lower = (self.first.year, self.first.month, self.first.day)
        upper = (self.last.year, self.last.month, self.last.day)
        return lower <= (date.year, date.month, date.day) <= upper

    @property
    def dated(self) -> bool:
        """Whether the year is known."""
        return self.first.year is not None and self.last.year is not None


def parse(text: str) -> datetime.date | None:
    """The one date that a short text holds, such as a claim or a field; None for none or several.

    It may be told twice: "dua belas Maret dua ribu dua puluh enam (12-03-2026)".
    """
    days = {day for mention in find(text[:100]) for day in (mention.first, mention.last)}
    return as_date(days.pop()) if len(days) == 1 else None


def as_date(day: Day) -> datetime.date | None:
    """The calendar date, or None where the year is unknown or there is no such day."""
    if day.year is None:
        return None
    try:
        return datetime.date(day.year, day.month, day.day)
    except ValueError:
        return None


def lookalike(first: datetime.date, second: datetime.date) -> bool:
    """Whether a reader may take one date for the other: one digit apart, and that alike."""
    pairs = zip(first.strftime("%Y%m%d"), second.strftime("%Y%m%d"), strict=True)
    apart = [(one, other) for one, other in pairs if one != other]
    return len(apart) == 1 and confusions.lookalike_digits(*apart[0])


def find(text: str) -> tuple[Mention, ...]:
    """All dates of a text in order, none overlapping another."""
    found: list[Mention] = []
    ways = (_iso, _numeric, _textual, _spoken, _in_brackets, _english)
    for candidates in (way(text) for way in ways):
        taken = [(m.start, m.end) for m in found]
        found += [
            mention
            for mention in itertools.islice(candidates, MENTION_LIMIT)
            if not any(mention.start < end and start < mention.end for start, end in taken)
        ]
    found.sort(key=lambda mention: mention.start)
    return tuple(_with_weekday(mention, text) for mention in _joined(found, text))


def _textual(text: str) -> Iterator[Mention]:
    for match in _TEXTUAL.finditer(text):
        days_told = _days(match["days"])
        month = datewords.month(match["month"]) if days_told else None
        if month is None:
            continue
        year = _year(match["year"])
        end = match.end() if match["year"] else match.end("month")
        for days in days_told:
            first, last = (Day(year=year, month=month, day=day) for day in days)
            yield from _mention(text, match.start(), end, first, last)


def _numeric(text: str) -> Iterator[Mention]:
    for match in _NUMERIC.finditer(text):
        if len(match["year"]) == 2 and match["mark"] == ".":
            continue  # 10.11.12 numbers a paragraph
        year, month, day = _year(match["year"]), _digits(match["month"]), _digits(match["day"])
        first = _digits(match["from"]) if match["from"] else day
        swapped = Day(year=year, month=day, day=month) if day <= 12 and day != month else None
        if month > 12 and day <= 12:
            first, month, day, swapped = month, day, month, None
        yield from _mention(
            text,
            match.start(),
            match.end(),
            Day(year=year, month=month, day=first),
            Day(year=year, month=month, day=day),
            swapped=swapped,
        )


def _iso(text: str) -> Iterator[Mention]:
    for match in _ISO.finditer(text):
        day = Day(
            year=_year(match["year"]), month=_digits(match["month"]), day=_digits(match["day"])
        )
        yield from _mention(text, match.start(), match.end(), day, day)


def _spoken(text: str) -> Iterator[Mention]:
    for match in _SPOKEN.finditer(text):
        month, day = datewords.month(match["month"]), _spelled(match["day"])
        year = _spelled(match["year"]) or _year(match["year"])
        if month and day and year:
            date = Day(year=year, month=month, day=day)
            yield from _mention(text, match.start(), match.end(), date, date)


def _in_brackets(text: str) -> Iterator[Mention]:
    """The way of newspapers: "Kamis (12/3)"."""
    for match in _IN_BRACKETS.finditer(text):
        if match["weekday"].casefold() in datewords.WEEKDAYS:
            day = Day(year=None, month=int(match["month"]), day=int(match["day"]))
            yield from _mention(text, match.start("day"), match.end("month"), day, day)


def _english(text: str) -> Iterator[Mention]:
    for match in _ENGLISH.finditer(text):
        month = datewords.month(match["month"])
        if month:
            day = Day(year=_year(match["year"]), month=month, day=_digits(match["day"]))
            yield from _mention(text, match.start(), match.end(), day, day)


def _mention(
    text: str, start: int, end: int, first: Day, last: Day, *, swapped: Day | None = None
) -> Iterator[Mention]:
    """The mention, if there are such days."""
    leap = (replace(d, year=d.year or 2024) for d in (first, last))
    dates = [as_date(day) for day in leap]
    if dates[0] is None or dates[1] is None or dates[0] > dates[1]:
        return
    if last.year is None or 1900 <= last.year <= 2100:
        yield Mention(
            first=first, last=last, start=start, end=end, text=text[start:end], swapped=swapped
        )


def _joined(found: Sequence[Mention], text: str) -> list[Mention]:
    """Two dates with "until" between them are one run of days; the year may stand once."""
    joined: list[Mention] = []
    for mention in found:
        if joined and _RANGE.fullmatch(text[joined[-1].end : mention.start]):
            run = _run(joined[-1], mention, text)
            if run is not None:
                joined[-1] = run
                continue
        joined.append(mention)
    return joined


def _run(first: Mention, last: Mention, text: str) -> Mention | None:
    start, end = first.first, last.last
    if start.year is None and end.year is not None:
        turns = (start.month, start.day) > (end.month, end.day)
        start = replace(start, year=end.year - turns)
    runs = _mention(text, first.start, last.end, start, end)
    return next(runs, None)


def _with_weekday(mention: Mention, text: str) -> Mention:
    before = _WEEKDAY.search(text[max(0, mention.start - 30) : mention.start])
    if before is None:
        return mention
    return replace(mention, weekday=datewords.WEEKDAYS.get(before[1].casefold()))


def _days(text: str) -> list[tuple[int, int]]:
    """The first and last day of "12 s.d. 14"; each day alone of "12, 13 dan 14"."""
    days = [_digits(day) for day in re.findall(rf"(?<!\w){_DAY}(?!\w)", _RANGE_MARK.sub(" ", text))]
    if not days or not any(c.isdigit() for c in text) or not all(1 <= day <= 31 for day in days):
        return []
    if _RANGE_MARK.search(text):
        return [(days[0], days[-1])]
    return [(day, day) for day in days]


def _digits(text: str) -> int:
    return int(text.translate(_DIGIT))


def _year(text: str | None) -> int | None:
    """The year; two digits are of this century up to 2050 and of the last from then on."""
    if text is None:
        return None
    digits = text.translate(_DIGIT).lstrip("'")
    if not digits.isdigit():
        return None
    year = int(digits)
    return year if len(digits) == 4 else year + (2000 if year <= 50 else 1900)


def _spelled(text: str) -> int | None:
    return datewords.number([word.lower() for word in _NUMBER_WORD.findall(text)])
