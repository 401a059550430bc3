"""Number, date, institution and subject of a letter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from absah_claims import numbering

Make = Callable[..., list[dict[str, Any]]]
Outcome = Callable[[str, Any, Any], str]

TEXT = """PEMERINTAH KABUPATEN BOGOR
DINAS KESEHATAN
Jalan Raya Tegar Beriman, Cibinong
Cibinong, 12 Maret 2026
Nomor : 005/123/BKPSDM/III/2026
Perihal : Undangan Rapat Koordinasi
Penanggulangan Stunting
Kepada Yth. Kepala Dinas Pendidikan Kabupaten Bogor
menindaklanjuti surat tanggal 1 Februari 2026
"""
NUMBER = "005/123/BKPSDM/III/2026"

NUMBERS = [
    (NUMBER, NUMBER, 0.97, "AGREES"),
    (NUMBER, "005 / 123 / BKPSDM / III / 2026", 0.97, "AGREES"),
    (NUMBER, "O05/123/BKPSDM/lII/2O26", 0.9, "AGREES"),
    (NUMBER, "005/123/BKPSDM/II1/2026", 0.9, "AGREES"),
    (NUMBER, "005/123/BKPSDM/3/2026", 0.97, "AGREES"),
    (NUMBER, "5/123/BKPSDM/III/2026", 0.97, "AGREES"),
    (NUMBER, "Nomor : 005/123/BKPSDM/III/2026", 0.97, "AGREES"),
    (NUMBER, "005123BKPSDMIII2026", 0.9, "AGREES"),
    (NUMBER, "005/123/BKPSDN/III/2026", 0.9, "AGREES"),
    (NUMBER, "005/123/bkpsdm/iii/2026", 0.97, "AGREES"),
    ("B-123/KP.04/2026", "B 123/KP 04/2026", 0.97, "AGREES"),
    ("800/1234-BKD", "800/1234 BKD.", 0.97, "AGREES"),
    (NUMBER, "005/128/BKPSDM/III/2026", 0.97, "UNSETTLED"),
    (NUMBER, "005/124/BKPSDM/III/2026", 0.97, "UNSETTLED"),
    (NUMBER, "005/123", 0.97, "UNSETTLED"),
    (NUMBER, "094/77/Dinkes/IV/2026", 0.6, "UNSETTLED"),
    (NUMBER, "///", 0.97, "UNSETTLED"),
    (NUMBER, "005/124/BKPSDM/III/2026", 0.99, "CONTRADICTS"),
    (NUMBER, "005/123/BKPSDM/IV/2026", 0.99, "CONTRADICTS"),
    (NUMBER, "094/77/Dinkes/IV/2026", 0.97, "CONTRADICTS"),
    (NUMBER, "005/987/BKPSDM/III/2026", 0.97, "CONTRADICTS"),
    (NUMBER, "421.2/55-SMAN1", 0.97, "CONTRADICTS"),
]

INSTITUTIONS = [
    ("Dinas Kesehatan Kabupaten Bogor", "DINAS KESEHATAN", TEXT, "AGREES"),
    ("Dinkes Kab. Bogor", "PEMERINTAH KABUPATEN BOGOR DINAS KESEHATAN", "", "AGREES"),
    ("Dinas Kesehatan", "PEMERINTAH KABUPATEN BOGOR", TEXT, "AGREES"),
    ("Dinas Kesehatan Kabupaten Bogor", "", TEXT, "AGREES"),
    ("Dinas Kesehatan", "DINAS KESEHATAN KABUPATEN BOGOR", "", "AGREES"),
    ("BKPSDM", "BADAN KEPEGAWAIAN DAN PENGEMBANGAN SUMBER DAYA MANUSIA", "", "AGREES"),
    ("Kemendagri", "KEMENTERIAN DALAM NEGERI REPUBLIK INDONESIA", "", "AGREES"),
    ("Dinas Kesehatan", "DlNAS KESEHATAN", "", "AGREES"),
    ("Bappeda", "BADAN PERENCANAAN PEMBANGUNAN DAERAH", "", "AGREES"),
    ("Kesbangpol Kota Depok", "KESATUAN BANGSA DAN POLITIK KOTA DEPOK", "", "AGREES"),
    ("BPBD Kab. Cianjur", "BADAN PENANGGULANGAN BENCANA DAERAH KABUPATEN CIANJUR", "", "AGREES"),
    ("BKD", "DINAS KESEHATAN", "", "CONTRADICTS"),
    ("Pemkot Depok", "PEMERINTAH KOTA DEPOK", "", "AGREES"),
    ("Dinas Pendidikan Kabupaten Bogor", "DINAS KESEHATAN", TEXT, "CONTRADICTS"),
    ("Dinas Kesehatan Kota Bogor", "PEMERINTAH KABUPATEN BOGOR DINAS KESEHATAN", "", "CONTRADICTS"),
    ("Dinas Kesehatan Kabupaten Depok", "DINAS KESEHATAN KABUPATEN BOGOR", "", "CONTRADICTS"),
    ("Dinas Sosial", "DINAS PERTANIAN", "", "CONTRADICTS"),
    ("Kementerian Kesehatan", "KEMENTERIAN AGAMA", "", "CONTRADICTS"),
    ("BKPSDM Kabupaten Bogor", "BADAN KEPEGAWAIAN DAN PENGEMBANGAN", "", "UNSETTLED"),
    ("Dinas Kesehatan Kabupaten Bogor", "DINAS KESEHATAN", "", "UNSETTLED"),
    ("Dinas Pendidikan", "", TEXT, "UNSETTLED"),
    ("Republik", "DINAS KESEHATAN", "", "UNSETTLED"),
]

STUNTING = "Undangan Rapat Koordinasi Penanggulangan Stunting"
SUBJECTS = [
    (STUNTING, STUNTING, "", "AGREES"),
    (STUNTING, "Undangan Rapat Koordinasi", TEXT, "AGREES"),
    (STUNTING, "", TEXT, "AGREES"),
    ("Undangan Rakor Stunting", STUNTING, "", "AGREES"),
    ("Undangan Rapat", "Undangan Rapat Koordinasi", "", "AGREES"),
    ("undangan rapat koordinasi", "Undangan Rapal Koordinasi", "", "AGREES"),
    ("Permohonan Narasumber", "Permohonan menjadi Narasumber", "", "AGREES"),
    ("Penyaluran Bantuan", "Menyalurkan Bantuan", "", "AGREES"),
    ("Undangan Sosialisasi Pajak Daerah", "Undangan Rapat Koordinasi", TEXT, "CONTRADICTS"),
    ("Permohonan Narasumber", "Permohonan Data", "", "CONTRADICTS"),
    ("Cuti Tahunan", "Undangan Rapat", "", "CONTRADICTS"),
    ("Rapat Koordinasi Stunting", STUNTING, "", "AGREES"),
    ("melaksanakan posyandu", "SURAT TUGAS: melaksanakan kegiatan posyandu", "", "AGREES"),
    ("Pelaksanaan Pertanian Organik", "Pembentukan Tim Pertanian Organik", "", "UNSETTLED"),
    ("Dinas Pendidikan Kabupaten Bogor", "", TEXT, "UNSETTLED"),
    ("Undangan", STUNTING, "", "UNSETTLED"),
    ("Pengangkatan CPNS Tahun 2026", "Pengangkatan CPNS Tahun 2025", "", "UNSETTLED"),
    ("Pengangkatan CPNS", "Pemberhentian CPNS", "", "UNSETTLED"),
    ("Simulasi Bencana Alam", "SIMULASIBENCANA ALAM", "", "AGREES"),
    ("Cuti Tahunan", "", TEXT, "UNSETTLED"),
    ("---", STUNTING, "", "UNSETTLED"),
]

DATES = [
    ("2026-03-12", "2026-03-12", "", 0.97, "AGREES"),
    ("12 Maret 2026", "2026-03-12", "", 0.97, "AGREES"),
    ("2026-03-12", "", TEXT, 0.97, "AGREES"),
    ("2026-03-13", "2026-03-12", TEXT, 0.97, "CONTRADICTS"),
    ("2025-12-01", "2026-03-12", TEXT, 0.97, "CONTRADICTS"),
    ("2026-02-01", "2026-03-12", TEXT, 0.97, "CONTRADICTS"),
    ("2026-03-12", "2026-03-15", TEXT, 0.97, "UNSETTLED"),
    ("2026-03-12", "2026-08-12", "", 0.97, "UNSETTLED"),
    ("2026-03-12", "2096-03-12", "", 0.97, "UNSETTLED"),
    ("2026-03-12", "2026-05-20", "", 0.6, "UNSETTLED"),
    ("2026-02-01", "", TEXT, 0.97, "UNSETTLED"),
    ("besok", "2026-03-12", "", 0.97, "UNSETTLED"),
]


@pytest.mark.parametrize(("claim", "read", "confidence", "expected"), NUMBERS)
def test_letter_numbers_are_compared_part_by_part(
    claim: str, read: str, confidence: float, expected: str
) -> None:
    assert numbering.compare(claim, read, confidence).value == expected


def test_a_roman_month_is_set_right_by_the_date(outcome: Outcome, make_letter: Make) -> None:
    read = "005/123/BKPSDM/II/2026"
    letter = make_letter(number=read, date="2026-03-12", confidence=0.9)
    assert outcome("match_letter_number", NUMBER, letter) == "AGREES"
    letter = make_letter(number=read, date="2026-02-12", confidence=0.9)
    assert outcome("match_letter_number", NUMBER, letter) == "UNSETTLED"


def test_a_line_with_the_number_stands_in_for_the_field(
    outcome: Outcome, make_letter: Make
) -> None:
    assert outcome("match_letter_number", NUMBER, make_letter(text=TEXT)) == "AGREES"
    assert outcome("match_letter_number", "094/1/X", make_letter(text=TEXT)) == "UNSETTLED"


def test_a_line_with_the_number_keeps_a_wrong_field_from_rejecting(
    outcome: Outcome, make_letter: Make
) -> None:
    letter = make_letter(text=TEXT, number="094/77/Dinkes/IV/2026")
    assert outcome("match_letter_number", NUMBER, letter) == "UNSETTLED"


@pytest.mark.parametrize(("claim", "read", "text", "expected"), INSTITUTIONS)
def test_institutions_are_compared_by_their_words(
    claim: str, read: str, text: str, expected: str, outcome: Outcome, make_letter: Make
) -> None:
    letter = make_letter(text=text, institution=read)
    assert outcome("match_institution", claim, letter) == expected


@pytest.mark.parametrize(("claim", "read", "text", "expected"), SUBJECTS)
def test_subjects_are_compared_by_their_words(
    claim: str, read: str, text: str, expected: str, outcome: Outcome, make_letter: Make
) -> None:
    letter = make_letter(text=text, subject=read)
    assert outcome("match_subject", claim, letter) == expected


@pytest.mark.parametrize(("claim", "read", "text", "confidence", "expected"), DATES)
def test_the_date_of_a_letter_is_compared(
    claim: str,
    read: str,
    text: str,
    confidence: float,
    expected: str,
    outcome: Outcome,
    make_letter: Make,
) -> None:
    letter = make_letter(text=text, date=read, confidence=confidence)
    assert outcome("match_letter_date", claim, letter) == expected


@pytest.mark.parametrize("function", ["match_institution", "match_subject", "match_letter_number"])
def test_a_doubtful_reading_contradicts_nothing(
    function: str, outcome: Outcome, make_letter: Make
) -> None:
    letter = make_letter(
        confidence=0.6, institution="KEMENTERIAN AGAMA", subject="Cuti Tahunan", number="1/X/2020"
    )
    assert outcome(function, "Dinas Pekerjaan Umum 094/55/2026", letter) == "UNSETTLED"
