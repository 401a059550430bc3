"""An activity agrees where a report tells of it in whatever words' forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from absah_claims import texts

Make = Callable[..., list[dict[str, Any]]]
Outcome = Callable[[str, Any, Any], str]

CASES = [
    ("Penyaluran bantuan sembako", "kami menyalurkan bantuan sembako kepada warga", "AGREES"),
    ("Kegiatan posyandu balita", "Posyandu untuk balita berlangsung lancar", "AGREES"),
    ("Rapat koordinasi stunting", "Rakor penanganan stunting berlangsung", "AGREES"),
    ("Penyuluhan kesehatan ibu dan anak", "memberi penyuluhan kesehatan ibu serta anak", "AGREES"),
    ("Gotong royong", "warga bergotong royong membersihkan selokan", "AGREES"),
    ("Monev dana desa", "Monitoring dan evaluasi dana desa tahap I", "AGREES"),
    ("Pembagian bibit padi", "bibit padi dibagikan kepada kelompok tani", "AGREES"),
    ("Penyaluran bantuan sembako", "Penyaluran bantuan tunai", "UNSETTLED"),
    ("Gotong royong", "Pelatihan komputer", "UNSETTLED"),
    ("kegiatan", "Pelatihan komputer", "UNSETTLED"),
    ("2026", "Pelatihan 2026", "UNSETTLED"),
]


@pytest.mark.parametrize(("claim", "text", "expected"), CASES)
def test_a_report_tells_of_the_activity(
    claim: str, text: str, expected: str, outcome: Outcome, make_report: Make
) -> None:
    assert outcome("match_activity", claim, make_report(text)) == expected


def test_words_far_from_one_another_do_not_tell_of_it(outcome: Outcome, make_report: Make) -> None:
    text = "Penyaluran air. " + "Warga hadir sampai selesai acara pembukaan. " * 30 + "Sembako."
    assert outcome("match_activity", "Penyaluran sembako", make_report(text)) == "UNSETTLED"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("penyaluran", "menyalurkan", True),
        ("pelatihan", "melatih", True),
        ("penanaman", "menanam", True),
        ("perbaikan", "memperbaiki", True),
        ("kunjungan", "mengunjungi", True),
        ("kesehatan", "kesehalan", True),
        ("pengangkatan", "pemberhentian", False),
        ("kesehatan", "pendidikan", False),
        ("pertanian", "perikanan", False),
        ("perindustrian", "perdagangan", False),
        ("2026", "2025", False),
        ("12", "2", False),
    ],
)
def test_forms_of_a_word_are_one(one: str, other: str, same: bool) -> None:
    assert texts.same_word(one, other) is same
