"""People named in running text, on cards and under letters."""

from __future__ import annotations

import pytest

from absah_claims import mentions
from absah_claims.comparison import Outcome

TEXT = """LAPORAN KEGIATAN
Pelapor: Drs. H. Ahmad Fauzi, M.Si. NIP 197001012000031001
Peserta: Budi Hartono, Siti Santoso dan Muh. Rizki Pratama. Turut hadir Budi
Santoso serta NURHASANAH LUBIS di Jalan Jenderal Sudirman. Bpk. A. Rahman menutup acara.
Andi Tono Wijaya mencatat."""


@pytest.mark.parametrize(
    "name",
    [
        "Ahmad Fauzi",
        "H. Achmad Fauzi, S.H.",
        "Budi Santoso",
        "BUDI HARTONO",
        "Muhammad Rizki Pratama",
        "Nur Hasanah Lubis",
        "Abdul Rahman",
        "Tono Wijaya",
    ],
)
def test_a_person_named_in_a_text_is_found(name: str) -> None:
    found = mentions.find(name, TEXT, scanned=False)
    assert found is not None
    assert found.outcome is Outcome.AGREES


@pytest.mark.parametrize(
    "name",
    [
        "Siti Aminah",
        "Joko Widodo",
        "Budi Pratama",
        "Hartono Siti",
        "Jenderal Sudirman",
        "Rizki Hartono",
        "Handi Tono Wijaya",
        "Tono Wijayanto",
        "Sudirman",
        "",
    ],
)
def test_a_person_not_named_in_a_text_is_not_found(name: str) -> None:
    found = mentions.find(name, TEXT, scanned=False)
    assert found is None or found.outcome is Outcome.UNSETTLED


def test_a_mention_tells_where_it_stands() -> None:
    found = mentions.find("Budi Santoso", TEXT, scanned=False)
    assert found is not None
    assert TEXT[found.start : found.end] == "Budi\nSantoso"


@pytest.mark.parametrize(
    ("text", "author"),
    [
        (TEXT, "Drs. H. Ahmad Fauzi, M.Si"),
        ("Yang bertanda tangan di bawah ini:\nNama : Budi Santoso\nNIK : 1", "Budi Santoso"),
        ("Laporan ini disusun oleh Siti Aminah pada tanggal 12 Maret", "Siti Aminah"),
        ("Pada hari ini saya Siti Aminah bersama tim", "Siti Aminah"),
        ("Saya, Yohanes Kapitan, melaporkan kegiatan", "Yohanes Kapitan"),
        ("Demikian laporan ini.\nHormat kami,\n\nDwi Lestari\nNIP 1", "Dwi Lestari"),
        ("Cibinong, 12 Maret 2026\nPelapor,\n\n\n( Joko Susilo, S.E. )", "Joko Susilo, S.E"),
        ("Saya Kepala Desa melaporkan", ""),
        ("Dibuat oleh panitia kegiatan", ""),
        ("Nama : Budi Santoso\nNama : Siti Aminah", ""),
        ("Tidak ada yang melaporkan kerusakan", ""),
    ],
)
def test_the_author_of_a_report_is_read(text: str, author: str) -> None:
    found = mentions.author(text)
    assert (found.name if found else "") == author
    assert found is None or text[found.start : found.end] == author
