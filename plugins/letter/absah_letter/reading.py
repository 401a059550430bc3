"""Read all fields of a letter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from absah_letter import body, dating, head, nip, numbering, passages, signature
from absah_letter.lines import Line
from absah_letter.passages import Passage
from absah_letter.sheet import Sheet
from absah_sdk import Box, Region, Span

_MONTH_DIFFERS = 0.7
"""Confidence in a number whose Roman month is not that of the letter's date."""
_GUESSED = 0.6
"""Confidence in an institution that only the signatory's title names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One field of a letter. `confidence` is 0 to 1: how surely `value` is what it prints."""

    name: str
    value: str
    raw: str
    confidence: float
    region: Region | None
    span: Span


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """What was read of a letter; `nip` is the signatory's number with its repairs."""

    fields: dict[str, Field]
    nip: nip.Number | None = None
    signatories: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    """The institution from the whole to the part."""


def read(lines: Sequence[Line]) -> Letter:
    """Read the letter that these lines make."""
    sheet = Sheet(lines)
    signatures = signature.find(sheet)
    signed = signature.main(signatures)
    heads = head.institution(sheet)
    made = {field.name: field for field in _fields(sheet, heads, signed)}
    return Letter(
        fields=made,
        nip=signed.number if signed else None,
        signatories=tuple(one.name for one in signatures),
        units=tuple(head.parts(heads)),
    )


def _fields(
    sheet: Sheet, heads: Sequence[Line], signed: signature.Signature | None
) -> Iterator[Field]:
    dated = dating.date(sheet)
    if found := numbering.number(sheet):
        number = numbering.tidy_number(found.raw)
        fits = dated is None or numbering.month_fits(number, dated.found.date.month)
        yield _field("number", number, found, sure=1.0 if fits else _MONTH_DIFFERS)
    if dated:
        sure = dated.passage.sure * dated.found.sure
        yield _field("date", dated.found.date.isoformat(), dated.passage, sure=sure)
        if dated.place:
            yield _field("place", dated.place.raw, dated.place)
    if found := body.subject(sheet):
        yield _field("subject", found.raw.strip(" .:;"), found)
    if found := body.title(sheet):
        yield _field("title", found.raw, found)
    if found := body.addressee(sheet):
        yield _field("addressee", found.raw.strip(" .:;,"), found)
    yield from _institution(heads, signed)
    if signed:
        yield from _signed(signed)


def _institution(heads: Sequence[Line], signed: signature.Signature | None) -> Iterator[Field]:
    if heads:
        passage = Passage(raw=passages.joined_text(heads), lines=tuple(heads))
        yield _field("institution", ", ".join(head.parts(heads)), passage)
    elif signed and (named := head.from_title(signed.title)):
        passage = Passage(raw=signed.title, lines=signed.title_lines, sure=_GUESSED)
        yield _field("institution", named, passage)


def _signed(signed: signature.Signature) -> Iterator[Field]:
    raw = passages.joined_text(signed.name_lines)
    yield _field("signatory", signed.name, Passage(raw=raw, lines=signed.name_lines))
    if signed.title:
        passage = Passage(raw=signed.title, lines=signed.title_lines)
        yield _field("signatory_title", signed.title, passage)
    if signed.number and signed.number_line:
        sure = 0.93**signed.number.repairs
        line = signed.number_line
        yield _field(
            "signatory_nip", signed.number.digits, Passage(raw=line.text, lines=(line,)), sure=sure
        )


def _field(name: str, value: str, passage: Passage, *, sure: float | None = None) -> Field:
    confidence = min(line.confidence for line in passage.lines)
    sure = passage.sure if sure is None else sure
    return Field(
        name=name,
        value=value,
        raw=passage.raw,
        confidence=round(confidence * sure, 4),
        region=_region(passage.lines),
        span=Span(
            start=min(line.start for line in passage.lines),
            end=max(line.end for line in passage.lines),
        ),
    )


def _region(lines: Sequence[Line]) -> Region | None:
    """The box around the lines on the first of their pages."""
    regions = [line.region for line in lines if line.region]
    if not regions:
        return None
    page = min(region.page for region in regions)
    boxes = [region.box for region in regions if region.page == page]
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right = max(box.left + box.width for box in boxes)
    bottom = max(box.top + box.height for box in boxes)
    return Region(page=page, box=Box(left=left, top=top, width=right - left, height=bottom - top))
