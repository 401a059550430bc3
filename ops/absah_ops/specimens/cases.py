"""Invent whole field reports: photos, text, letter and card that tell the same story."""

from __future__ import annotations

import datetime
import io
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from absah_ops.specimens import cards, degrading, layouts, letters, people, reports, sheets
from absah_ops.specimens.degrading import Level
from absah_ops.specimens.letters import Letter
from absah_ops.specimens.people import Person
from absah_ops.specimens.reports import Report

PHOTOS = Path(__file__).parents[1] / "samples" / "photos"
SHOWN = ("photographer.jpg", "naval-officer.jpg")
"""Photos of one person each."""
ASSIGNED_BEFORE = datetime.timedelta(days=3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A field report's files by role and name, and the claims that they bear out."""

    person: Person
    report: Report
    letter: Letter
    files: dict[str, dict[str, bytes]]

    @property
    def claims(self) -> dict[str, str | int]:
        """The claims of the policy `field-report`."""
        return self.report.claims()

    def write(self, folder: Path) -> dict[str, list[Path]]:
        """Write the files into a folder; returns their paths by role."""
        written: dict[str, list[Path]] = {}
        for role, files in self.files.items():
            for name, content in files.items():
                (folder / name).write_bytes(content)
                written.setdefault(role, []).append(folder / name)
        return written


def make_case(seed: int, *, card: Level = Level.PHONE, letter: Level = Level.SCAN) -> Case:
    """Invent the case of this number, its card and letter worn at these levels.

    Its photos are real ones, of one person each.
    """
    person = people.make_person(seed)
    photos = {name: (PHOTOS / name).read_bytes() for name in SHOWN}
    report = reports.make_report(person, seed=seed, participants=len(photos))
    sent = _letter(person, report, seed)
    page = sheets.to_image(layouts.lay_out(sent))
    drawn = cards.draw_identity_card(person, seed=seed)
    return Case(
        person=person,
        report=report,
        letter=sent,
        files={
            "photo": photos,
            "report": {"report.txt": report.text.encode()},
            "letter": {"letter.jpg": jpeg(degrading.degrade(page, level=letter, seed=seed))},
            "identity": {"identity.jpg": jpeg(degrading.degrade(drawn, level=card, seed=seed))},
        },
    )


def _letter(person: Person, report: Report, seed: int) -> Letter:
    drawn = letters.make_letter(seed, form=letters.Form.ASSIGNMENT, person=person)
    day = letters.in_words(report.date)
    task = f"Untuk: melaksanakan {report.activity} di {report.place} pada tanggal {day}."
    date = report.date - ASSIGNED_BEFORE
    return replace(
        drawn,
        date=date,
        number=drawn.number.replace(str(drawn.date.year), str(date.year)),
        institution=(f"PEMERINTAH {person.regency}", "DINAS PEMBERDAYAAN MASYARAKAT DAN DESA"),
        place=person.regency.split(" ", 1)[1].title(),
        signatory_title="Kepala Dinas",
        on_behalf="",
        paragraphs=(drawn.paragraphs[0], task, drawn.paragraphs[-1]),
    )


def jpeg(image: Image.Image, *, quality: int = 88) -> bytes:
    """The image as a JPEG file's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
