"""Lay out invented letters as offices do, in several styles."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from absah_ops.specimens import fonts, words
from absah_ops.specimens.letters import TITLES, Form, Letter, in_words
from absah_ops.specimens.sheets import Sheet


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterStyle:
    """How an office writes its letters."""

    typeface: fonts.Typeface = fonts.SERIF
    size: float = 11.0
    number_label: str = "Nomor"
    subject_label: str = "Hal"
    colon: str = ": "
    date_first: bool = False
    """Whether the date stands over the block of numbers instead of beside it."""
    addressee_right: bool = False
    nip_spaced: bool = True
    nip_label: str = "NIP. "
    name_underlined: bool = True
    signature_left: float = 320.0
    ruled: bool = True
    stamped: bool = False
    """Whether a stamp and a signature lie over the signature block."""


def make_letter_style(
    seed: int, typefaces: Sequence[fonts.Typeface] = fonts.TYPEFACES
) -> LetterStyle:
    """Invent the style of this number."""
    rng = random.Random(f"letter style {seed}")  # noqa: S311
    return LetterStyle(
        typeface=rng.choice(typefaces),
        size=rng.uniform(10.5, 12.0),
        number_label=rng.choice(("Nomor", "Nomor", "Nomor", "No.", "NOMOR")),
        subject_label=rng.choice(("Hal", "Perihal", "Hal", "H a l")),
        colon=rng.choice((": ", ": ", ":")),
        date_first=rng.random() < 0.3,
        addressee_right=rng.random() < 0.3,
        nip_spaced=rng.random() < 0.6,
        nip_label=rng.choice(("NIP. ", "NIP ", "NIP. ", "NIP: ", "Nip. ")),
        name_underlined=rng.random() < 0.7,
        signature_left=rng.uniform(300, 345),
        ruled=rng.random() < 0.85,
        stamped=rng.random() < 0.5,
    )


def lay_out(letter: Letter, style: LetterStyle | None = None) -> Sheet:
    """Write a letter on a sheet of A4."""
    style = style or LetterStyle()
    sheet = Sheet(typeface=style.typeface, size=style.size)
    _head(sheet, letter, style)
    _FORMS[letter.form](sheet, letter, style)
    _copies(sheet, letter)
    return sheet


def _head(sheet: Sheet, letter: Letter, style: LetterStyle) -> None:
    for place, line in enumerate(letter.institution):
        sheet.centred(line, size=style.size + 2 + 1.5 * (place > 0), bold=place > 0)
        sheet.skip(1.25)
    for line in letter.contact:
        sheet.centred(line, size=style.size - 1.5)
        sheet.skip(0.9)
    if style.ruled:
        sheet.y -= style.size
        sheet.rule(2.0)
        sheet.skip(1.0)
    sheet.skip(0.8)


def _block(sheet: Sheet, rows: Sequence[tuple[str, str]], style: LetterStyle, right: float) -> None:
    """Rows of label and value, such as number, attachment and subject."""
    for label, value in rows:
        sheet.at(label, sheet.left)
        sheet.at(style.colon.strip(), sheet.left + 58)
        sheet.wrapped(value, sheet.left + 66, right=right)
        sheet.skip()


def _dated(letter: Letter) -> str:
    return f"{letter.place}, {in_words(letter.date)}"


def _letter(sheet: Sheet, letter: Letter, style: LetterStyle) -> None:
    dated = min(385.0, sheet.right - sheet.width(_dated(letter), style.size))
    if style.date_first:
        sheet.at(_dated(letter), dated)
        sheet.skip(1.5)
    else:
        sheet.at(_dated(letter), dated)
    rows = [
        (style.number_label, letter.number),
        ("Sifat", "Penting"),
        ("Lampiran", "-"),
        (style.subject_label, letter.subject),
    ]
    _block(sheet, rows, style, right=min(370, dated - 10))
    sheet.skip(0.7)
    x = dated if style.addressee_right else sheet.left
    sheet.at("Kepada", x)
    sheet.skip()
    sheet.wrapped(f"Yth. {letter.addressee}", x)
    sheet.skip()
    sheet.at("di -", x)
    sheet.skip()
    sheet.at("     Tempat", x)
    sheet.skip(1.6)
    _body(sheet, letter)
    _signature(sheet, letter, style, dated=False)


def _memo(sheet: Sheet, letter: Letter, style: LetterStyle) -> None:
    sheet.centred("NOTA DINAS", bold=True)
    sheet.skip(1.6)
    rows = [
        ("Kepada", f"Yth. {letter.addressee}"),
        ("Dari", letter.signatory_title),
        ("Tanggal", in_words(letter.date)),
        (style.number_label, letter.number),
        (style.subject_label, letter.subject),
    ]
    _block(sheet, rows, style, right=sheet.right)
    sheet.rule(1.0)
    sheet.skip(1.4)
    _body(sheet, letter)
    _signature(sheet, letter, style, dated=False)


def _titled(sheet: Sheet, letter: Letter, style: LetterStyle) -> None:
    title = TITLES.get(letter.form) or f"KEPUTUSAN {letter.signatory_title.upper()}"
    sheet.centred(title, bold=True)
    sheet.skip()
    sheet.centred(f"{style.number_label.upper()} {style.colon.strip()} {letter.number}")
    sheet.skip(1.5)
    if letter.form in (Form.DECREE, Form.CIRCULAR, Form.MINUTES):
        sheet.centred("TENTANG")
        sheet.skip()
        for line in _halves(letter.subject):
            sheet.centred(line)
            sheet.skip()
        sheet.skip(0.5)
    if letter.form is Form.MINUTES:
        _opening(sheet, letter)
    _body(sheet, letter)
    _signature(sheet, letter, style, dated=True)


def _halves(text: str) -> list[str]:
    split = text.split()
    if len(text) < 48:
        return [text]
    middle = len(split) // 2
    return [" ".join(split[:middle]), " ".join(split[middle:])]


def _opening(sheet: Sheet, letter: Letter) -> None:
    day = words.DAYS[letter.date.weekday()]
    date = letter.date
    sheet.wrapped(
        f"Pada hari ini {day} tanggal {date.day} bulan {words.MONTHS[date.month - 1]} tahun "
        f"{date.year} ({date:%d-%m-%Y}) bertempat di {letter.place}, kami yang bertanda tangan di "
        "bawah ini:",
        sheet.left,
    )
    sheet.skip(1.4)


def _body(sheet: Sheet, letter: Letter) -> None:
    for paragraph in letter.paragraphs:
        for line in paragraph.split("\n"):
            label, colon, value = line.partition(": ")
            if colon and len(label) < 14:
                sheet.at(label, sheet.left + 20)
                sheet.at(":", sheet.left + 95)
                sheet.wrapped(value, sheet.left + 105)
            else:
                sheet.wrapped(line, sheet.left)
            sheet.skip()
        sheet.skip(0.5)


def _signature(sheet: Sheet, letter: Letter, style: LetterStyle, *, dated: bool) -> None:
    x = style.signature_left
    sheet.skip(0.8)
    if dated and letter.form in (Form.DECREE, Form.CIRCULAR):
        sheet.at(f"Ditetapkan di {letter.place}", x)
        sheet.skip()
        sheet.at(f"pada tanggal {in_words(letter.date)}", x)
        sheet.skip()
    elif dated:
        sheet.at(_dated(letter), x)
        sheet.skip()
    if letter.on_behalf:
        sheet.at(letter.on_behalf, x)
        sheet.skip()
    sheet.wrapped(f"{letter.signatory_title},", x)
    if style.stamped:
        sheet.stamps.append((x + 6, sheet.y + 38))
    sheet.skip(4.2)
    sheet.at(letter.signatory, x, bold=True, underlined=style.name_underlined)
    sheet.skip()
    sheet.at(letter.signatory_rank, x)
    sheet.skip()
    nip = letter.signatory_nip
    spaced = f"{nip[:8]} {nip[8:14]} {nip[14]} {nip[15:]}" if style.nip_spaced else nip
    sheet.at(f"{style.nip_label}{spaced}", x)
    sheet.skip(1.5)


def _copies(sheet: Sheet, letter: Letter) -> None:
    if letter.copies:
        sheet.at("Tembusan:", sheet.left)
        for number, copy in enumerate(letter.copies, start=1):
            sheet.skip()
            sheet.at(f"{number}. {copy}", sheet.left)


_FORMS: dict[Form, Callable[[Sheet, Letter, LetterStyle], None]] = {
    Form.LETTER: _letter,
    Form.INVITATION: _letter,
    Form.MEMO: _memo,
    Form.ASSIGNMENT: _titled,
    Form.STATEMENT: _titled,
    Form.DECREE: _titled,
    Form.CIRCULAR: _titled,
    Form.MINUTES: _titled,
}
