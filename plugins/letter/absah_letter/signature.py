"""Read who signed a letter: name, title, rank and number."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from absah_letter import dates, nip
from absah_letter.lines import Line
from absah_letter.sheet import Sheet, label_of

_RANK = re.compile(
    r"^(?:pembina|penata|pengatur|juru|jenderal|kolonel|letnan|mayor|kapten|komisaris|pangkat"
    r"|gol(?:ongan)?\b|perwira)\b.*|^\(?\s*[IVl1]{1,3}\s*/\s*[a-e]\s*\)?$",
    re.IGNORECASE,
)
_OFFICE = re.compile(
    r"^(?:a\.?\s?n\.?|u\.?\s?b\.?|plt\.?|plh\.?|pj\.?|pjs\.?)\s|^an\.?\s+\w|\b(?:kepala|camat|lurah|bupati"
    r"|wali\s?kota|gubernur|sekretaris|ketua|direktur|inspektur|rektor|dekan|menteri|asisten|kabag"
    r"|kabid|kasubag|kasi|komandan|manajer|koordinator|pejabat|penanggung\s+jawab|bendahara"
    r"|pimpinan|keuchik|wali\s+nagari|panitia|deputi|staf\s+ahli|pemohon|pihak)\b",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"hormat\s+(?:kami|saya)|yang\s+(?:membuat|menerangkan|bertanda|menyatakan)|mengetahui"
    r"|ditandatangani|secara\s+elektronik|ttd|dto|materai|meterai",
    re.IGNORECASE,
)
_DEGREES_ONLY = re.compile(r"(?:(?:[A-Z][A-Za-z]{0,4}\.){1,3}[A-Za-z]{0,4}\.?,?\s*){1,4}")
_NAME = re.compile(r"^[(\[]?\s*[^\W\d_][\w.,'’`´ \-–()/]{2,70}$")
_PARTICLE = re.compile(r"bin|binti|van|de|al|(?:drg?|drh|dra|drs|ir|apt)\.?|[a-z]{1,4}\.")
_SURE = 0.85
_REACH = 4.5
"""How far over a number its name may stand, in line heights."""
_SIGNATURE_SPACE = 9.0
"""How far under the title a name may stand, in line heights."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """A signature block; `name_lines` and `title_lines` are where its parts stand."""

    name: str
    name_lines: tuple[Line, ...]
    title: str = ""
    title_lines: tuple[Line, ...] = ()
    number: nip.Number | None = None
    number_line: Line | None = None


def find(sheet: Sheet) -> list[Signature]:
    """All signature blocks in reading order, by number where there is one, else by title."""
    numbered = [s for line in sheet.lines if (s := _over_number(sheet, line))]
    return numbered or _under_titles(sheet)


def main(signatures: Sequence[Signature]) -> Signature | None:
    """The block that gives a letter its force: the rightmost of those in the last row of blocks."""
    if not signatures:
        return None
    last = max(signature.name_lines[0].y for signature in signatures)
    row = [s for s in signatures if last - s.name_lines[0].y < 0.03]
    return max(row, key=lambda signature: signature.name_lines[0].left)


def _over_number(sheet: Sheet, line: Line) -> Signature | None:
    number = nip.find(line.text)
    if number is None:
        return None
    above = sheet.above(line, within=_REACH)
    if any((label := label_of(other.text)) and label.field == "person" for other in above[:2]):
        return None
    name = next((other for other in above if not _is_rank(other.text)), None)
    if name is None or not _may_be_name(name.text):
        return None
    lines = _with_neighbour(sheet, name)
    titles = _title_over(sheet, lines[0])
    return Signature(
        name=_clean(" ".join(piece.text for piece in lines)),
        name_lines=tuple(lines),
        title=_joined(titles),
        title_lines=tuple(titles),
        number=number,
        number_line=line,
    )


def _with_neighbour(sheet: Sheet, name: Line) -> list[Line]:
    """A name whose degrees went over to a line of their own."""
    above = sheet.above(name, within=1.9)
    text = name.text.strip()
    over = above[0].text.strip() if above else ""
    degrees = "." in text and _DEGREES_ONLY.fullmatch(text) is not None
    if degrees and over.endswith(",") and _may_be_name(over) and not _OFFICE.search(over):
        return [above[0], name]
    return [name]


def _title_over(sheet: Sheet, name: Line) -> list[Line]:
    """The lines of the signatory's title, from the top, over the space of the signature."""
    above = [
        other
        for other in sheet.above(name, within=_SIGNATURE_SPACE)
        if not _OPENING.search(other.text) and _near_column(other, name) and not _is_scribble(other)
    ]
    titles: list[Line] = []
    for other in above:
        gap = sheet.row(titles[-1]) - sheet.row(other) if titles else 0.0
        if gap > 1.9 * sheet.height or dates.find(other.text) or other.text.rstrip().endswith("."):
            break
        titles.append(other)
    titles.reverse()
    while titles and not _OFFICE.search(titles[0].text):
        titles = titles[1:] if len(titles) > 1 else []
    return titles


def _near_column(other: Line, name: Line) -> bool:
    return other.right - other.left < 0.55 and abs(other.left - name.left) < 0.25


def _under_titles(sheet: Sheet) -> list[Signature]:
    """Blocks without a number: a name under a title, some lines below, or in brackets."""
    found: list[Signature] = []
    for place, line in enumerate(sheet.lines):
        if place < 4 or not _is_office(line.text):
            continue
        below = sheet.below(line, within=_SIGNATURE_SPACE)
        under = [
            other
            for other in below
            if not (_OPENING.search(other.text) or _is_office(other.text) or _is_scribble(other))
        ]
        name = next((other for other in under if _may_be_name(other.text)), None)
        if name is None or sheet.row(name) - sheet.row(line) < 1.6 * sheet.height:
            continue
        titles = _title_over(sheet, name) or [line]
        found.append(
            Signature(
                name=_clean(name.text),
                name_lines=(name,),
                title=_joined(titles),
                title_lines=tuple(titles),
            )
        )
    return found


def _is_rank(text: str) -> bool:
    """Whether a line is a rank, with accents and digits that OCR put into it."""
    plain = unicodedata.normalize("NFKD", text.strip()).encode("ascii", "ignore").decode()
    return bool(_RANK.match(plain) or _RANK.match(plain.replace("1", "i").replace("0", "o")))


def _is_scribble(line: Line) -> bool:
    """Whether a line is what OCR makes of a signature: a few letters, read with little faith."""
    return line.confidence < _SURE and len(line.text.strip()) <= 6


def _is_office(text: str) -> bool:
    bare = text.strip()
    return len(bare) < 70 and not bare.endswith((".", ";")) and bool(_OFFICE.search(bare))


def _may_be_name(text: str) -> bool:
    bare = text.strip()
    if not _NAME.match(bare) or _is_rank(bare) or label_of(bare) or dates.find(bare):
        return False
    words = [
        word
        for word in re.findall(r"[^\W\d_][^\W\d_'’`]*['’`]?[^\W\d_]+\.?", bare)
        if not _PARTICLE.fullmatch(word)
    ]
    return bool(words) and all(word[0].isupper() for word in words) and len(words) <= 9


def _clean(name: str) -> str:
    """A name without brackets, and without the stroke that a signature laid over it."""
    return " ".join(name.replace("/", " ").split()).strip(" ()[]_:;-")


def _joined(lines: Sequence[Line]) -> str:
    return " ".join(" ".join(line.text.split()) for line in lines).strip(" ,.:")
