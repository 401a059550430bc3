"""Specimens: fictional people, identity cards, letters and reports, made from a number.

They serve demonstrations, tests and measurements. Every value is invented, every card is marked
SPECIMEN, and the same seed gives the same specimen.

    person = make_person(7)
    card = degrade(draw_identity_card(person), level=Level.PHONE, seed=7)
    letter = make_letter(7, person=person)
    scan = draw_letter(letter)
"""

from __future__ import annotations

from PIL import Image

from absah_ops.specimens import layouts, sheets
from absah_ops.specimens.cards import CardStyle, draw_identity_card, make_style, printed_fields
from absah_ops.specimens.degrading import Level, degrade
from absah_ops.specimens.layouts import LetterStyle, make_letter_style
from absah_ops.specimens.letters import Form, Letter, make_letter
from absah_ops.specimens.people import Person, make_person
from absah_ops.specimens.reports import Report, make_report

__all__ = [
    "CardStyle",
    "Form",
    "Letter",
    "LetterStyle",
    "Level",
    "Person",
    "Report",
    "degrade",
    "draw_identity_card",
    "draw_letter",
    "letter_pdf",
    "letter_text",
    "make_letter",
    "make_letter_style",
    "make_person",
    "make_report",
    "make_style",
    "printed_fields",
]


def draw_letter(letter: Letter, *, style: LetterStyle | None = None, dpi: int = 150) -> Image.Image:
    """Draw a letter on A4 as an RGB image."""
    return sheets.to_image(layouts.lay_out(letter, style), dpi=dpi)


def letter_pdf(letter: Letter, *, style: LetterStyle | None = None) -> bytes:
    """Write a letter as a PDF whose text can be selected."""
    return sheets.to_pdf(layouts.lay_out(letter, style))


def letter_text(letter: Letter, *, style: LetterStyle | None = None) -> str:
    """Write a letter as plain text."""
    return sheets.to_text(layouts.lay_out(letter, style))
