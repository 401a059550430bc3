"""Read what a letter is about and to whom it goes."""

from __future__ import annotations

import re

from absah_letter import passages
from absah_letter.lines import Line
from absah_letter.passages import Passage
from absah_letter.sheet import Sheet, label_of
from absah_letter.titles import title_of

_SAME_LEFT = 0.025
"""How far apart lines of one margin begin, as a fraction of the width."""


def subject(sheet: Sheet) -> Passage | None:
    """What the letter is about: its subject row, what follows TENTANG, or its title."""
    for line, label in sheet.labelled("subject"):
        passage = passages.value(sheet, line, label, flows=True)
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
            purpose = passages.value(sheet, line, label, flows=True)
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
