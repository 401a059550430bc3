"""Draw the files that the bridge's example messages refer to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from absah_ops.specimens import cards, cases, degrading, layouts, letters, people, sheets
from absah_ops.specimens.degrading import Level

REPORT_CASE = 11
LETTERS = {"000022": 22, "000024": 24, "000027": 27}
CARDS = {"45": 45, "47": 47}


def draw(folder: Path) -> list[Path]:
    """Draw them below a folder; returns their paths. The same each time."""
    written = []
    for name, content in _files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content())
        written.append(path)
    return written


def _files() -> Mapping[str, Callable[[], bytes]]:
    case = cases.make_case(REPORT_CASE)
    return {
        "silap/surat-tugas-00117.jpg": lambda: case.files["letter"]["letter.jpg"],
        "silap/ktp-00117.jpg": lambda: case.files["identity"]["identity.jpg"],
        "silap/foto-00117-2.jpg": lambda: case.files["photo"]["naval-officer.jpg"],
        **{f"arsip/{name}.jpg": _letter(seed) for name, seed in LETTERS.items()},
        **{f"kartu/ktp-{name}.jpg": _card(seed) for name, seed in CARDS.items()},
    }


def _letter(seed: int) -> Callable[[], bytes]:
    def drawn() -> bytes:
        page = sheets.to_image(layouts.lay_out(letters.make_letter(seed)))
        return cases.jpeg(degrading.degrade(page, level=Level.SCAN, seed=seed))

    return drawn


def _card(seed: int) -> Callable[[], bytes]:
    def drawn() -> bytes:
        card = cards.draw_identity_card(people.make_person(seed), seed=seed)
        return cases.jpeg(degrading.degrade(card, level=Level.PHONE, seed=seed), quality=80)

    return drawn
