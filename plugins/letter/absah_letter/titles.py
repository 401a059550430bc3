"""The titles of official papers that carry one: assignments, decrees, circulars, minutes."""

from __future__ import annotations

import difflib
import re

TITLES = (
    "SURAT TUGAS", "SURAT PERINTAH TUGAS", "SURAT PERINTAH", "SURAT PERINTAH PERJALANAN DINAS",
    "SURAT PERJALANAN DINAS", "SURAT KETERANGAN", "SURAT EDARAN", "SURAT PENGANTAR", "SURAT KUASA",
    "SURAT UNDANGAN", "SURAT PERNYATAAN", "SURAT IZIN", "SURAT REKOMENDASI", "SURAT PANGGILAN",
    "SURAT PERJANJIAN", "SURAT KEPUTUSAN", "NOTA DINAS", "NOTA KESEPAHAMAN", "BERITA ACARA",
    "KEPUTUSAN", "PERATURAN", "INSTRUKSI", "PENGUMUMAN", "LAPORAN", "TELAAHAN STAF", "MEMORANDUM",
    "MEMO", "UNDANGAN", "REKOMENDASI", "NOTULA", "NOTULEN", "SERTIFIKAT", "PIAGAM",
)  # fmt: skip
_NUMBER = re.compile(r"\s*\b(?:NOMOR|NO)\b.*$", re.IGNORECASE)


def title_of(text: str) -> str | None:
    """The title that a line is, as it is printed, or None: "KEPUTUSAN BUPATI BOGOR"."""
    line = _NUMBER.sub("", " ".join(text.split())).strip(" .:-")
    if not line or line != line.upper() or len(line) > 90:
        return None
    spaced = re.fullmatch(r"(?:\w ){4,}\w", line)
    line = line.replace(" ", "") if spaced else line
    for title in TITLES:
        start = line[: len(title)]
        if _alike(start, title) and not line[len(title) : len(title) + 1].isalnum():
            return f"{title}{line[len(title) :]}"
        if spaced and line == title.replace(" ", ""):
            return title
    return None


def is_title(text: str) -> bool:
    """Whether a line is a title."""
    return title_of(text) is not None


def _alike(a: str, b: str) -> bool:
    if a == b:
        return True
    return len(b) >= 8 and difflib.SequenceMatcher(None, a, b, autojunk=False).ratio() >= 0.88
