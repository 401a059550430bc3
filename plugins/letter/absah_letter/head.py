"""Read the head of a letter: who wrote it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from absah_letter.lines import Line
from absah_letter.sheet import Sheet, label_of
from absah_letter.titles import is_title

_UNITS = (
    "PEMERINTAH", "KEMENTERIAN", "DINAS", "BADAN", "KANTOR", "SEKRETARIAT", "INSPEKTORAT",
    "KECAMATAN", "KELURAHAN", "DESA", "DIREKTORAT", "BALAI", "UPTD", "UPT", "RUMAH SAKIT", "RSUD",
    "PUSKESMAS", "SEKOLAH", "SMP", "SMA", "SMK", "SD", "UNIVERSITAS", "FAKULTAS", "LEMBAGA",
    "KOMISI", "DEWAN", "MAHKAMAH", "PENGADILAN", "KEJAKSAAN", "KEPOLISIAN", "BUPATI", "GUBERNUR",
    "WALI KOTA", "WALIKOTA", "PUSAT", "SATUAN", "BIRO", "BAGIAN", "PERUSAHAAN", "KOMANDO",
    "POLITEKNIK", "INSTITUT", "MAJELIS", "PERWAKILAN", "PROVINSI", "NAGARI", "GAMPONG",
)  # fmt: skip
_UNIT = re.compile(rf"(?:{'|'.join(_UNITS)})\b", re.IGNORECASE)
_CONTACT = re.compile(
    r"\b(?:jalan|jln?|telp?|telepon|tlp|fax|faks\w*|laman|website|e-?mail|pos-?el|kode\s+pos|www"
    r"|kotak\s+pos)\b|@|www|https?:|\.go\.id|\d{5}|\(0\d{2,}",
    re.IGNORECASE,
)
_LONG_UNITS = tuple(unit for unit in _UNITS if len(unit) >= 9 and " " not in unit)
_MOST_LINES = 7


def institution(sheet: Sheet) -> list[Line]:
    """The lines that name the writing institution, from the top; empty where there is no head."""
    chosen: list[Line] = []
    for line in sheet.lines[: _MOST_LINES + 3]:
        text = line.text.strip()
        if _ends_head(text) or len(chosen) >= _MOST_LINES:
            break
        if _CONTACT.search(text):
            if chosen:
                break
            continue
        if _is_name(text) or (chosen and _is_capitals(text)):
            chosen.append(line)
        elif chosen:
            break
    return chosen


def parts(lines: Sequence[Line]) -> list[str]:
    """The institution's units as a list: a line that names no unit goes on the one before it."""
    units: list[str] = []
    for line in lines:
        text = " ".join(line.text.split()).strip(" .,:-")
        if units and not _names_unit(text):
            units[-1] = f"{units[-1]} {text}"
        else:
            units.append(text)
    return units


def from_title(title: str) -> str | None:
    """The unit that a signatory's title names: "Kepala Dinas Kesehatan" heads one."""
    match = re.search(
        r"\b(?:kepala|plt\.?|plh\.?|ketua|direktur|camat|lurah)\b\s*", title, re.IGNORECASE
    )
    rest = title[match.end() :].strip(" ,.") if match else ""
    return rest if _UNIT.match(rest) else None


def _ends_head(text: str) -> bool:
    label = label_of(text)
    return is_title(text) or (label is not None and label.field not in ("event", "person"))


def _is_name(text: str) -> bool:
    return _names_unit(text) and (_is_capitals(text) or text[0].isupper())


def _names_unit(text: str) -> bool:
    """Whether a line begins with a kind of unit, even one that OCR broke in two."""
    compact = text.replace(" ", "").upper()
    return bool(_UNIT.match(text)) or any(compact.startswith(unit) for unit in _LONG_UNITS)


def _is_capitals(text: str) -> bool:
    letters = [character for character in text if character.isalpha()]
    capitals = sum(character.isupper() for character in letters)
    return len(letters) >= 3 and capitals >= 0.9 * len(letters)
