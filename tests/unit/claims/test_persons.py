"""Whether card, report and letter together name the claimed person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from absah_claims.functions import policy_functions

Make = Callable[..., list[dict[str, Any]]]
Outcome = Callable[[str, Any, Any], str]

LETTER = """PEMERINTAH KABUPATEN BOGOR
DINAS KESEHATAN
Nomor : 094/12/Dinkes/III/2026
Menugaskan:
Nama : Siti Aminah
NIP : 198001012005012001
untuk melaksanakan kegiatan pada 12 Maret 2026 di Kecamatan Cibinong.
Demikian surat ini dibuat.
Cibinong, 3 Maret 2026
Kepala Dinas
Drs. H. Ahmad Fauzi, M.Si.
NIP 197001012000031001"""


def test_the_card_decides_though_the_report_names_the_claimed(
    outcome: Outcome, make_card: Make, make_report: Make
) -> None:
    evidence = make_card(name="SITI AMINAH") + make_report("Pelapor: Budi Santoso")
    assert outcome("match_name", "Budi Santoso", evidence) == "CONTRADICTS"


def test_other_people_in_a_report_speak_against_nobody(
    outcome: Outcome, make_card: Make, make_report: Make
) -> None:
    evidence = make_card(name="BUDI SANTOSO") + make_report("Hadir Siti Aminah dan Joko Susilo.")
    assert outcome("match_name", "Budi Santoso", evidence) == "AGREES"


def test_a_report_in_anothers_name_opens_the_case_of_a_card_that_agrees(
    outcome: Outcome, make_card: Make, make_report: Make
) -> None:
    evidence = make_card(name="BUDI SANTOSO") + make_report("Pelapor: Siti Aminah\nKegiatan")
    assert outcome("match_name", "Budi Santoso", evidence) == "UNSETTLED"


def test_an_unreadable_card_is_not_made_up_for_by_the_report(
    outcome: Outcome, make_card: Make, make_report: Make
) -> None:
    evidence = make_card() + make_report("Pelapor: Budi Santoso")
    assert outcome("match_name", "Budi Santoso", evidence) == "UNSETTLED"


def test_the_text_of_a_card_stands_in_for_a_missing_name(outcome: Outcome, make_card: Make) -> None:
    card = make_card(text="PROVINSI JAWA BARAT\nNama BUDI SANTOSO\n")
    assert outcome("match_name", "Budi Santoso", card) == "AGREES"


def test_a_name_elsewhere_on_the_card_keeps_a_wrong_field_from_rejecting(
    outcome: Outcome, make_card: Make
) -> None:
    card = make_card(name="GOLONGAN DARAH", text="Nama BUDI SANTOSO\nGOLONGAN DARAH")
    assert outcome("match_name", "Budi Santoso", card) == "UNSETTLED"


@pytest.mark.parametrize(
    ("claim", "read"),
    [
        ("Muhammad Lubis", "MUHAMMAD LUBIS KRISTEN"),
        ("Aisyah Iskandar", "AISYAH ISKANDAR WARA BARAT"),
        ("Dewi", "DEWI SEUMUR HIDUP"),
        ("Budi Santoso", "BUDI SANTOSO WARA BARAT ISLAM WNI"),
    ],
)
def test_words_of_the_next_column_are_no_part_of_a_name(
    claim: str, read: str, outcome: Outcome, make_card: Make
) -> None:
    card = make_card(name=read, regency="KOTA PALOPO")
    assert outcome("match_name", claim, card) == "AGREES"


def test_a_region_of_another_regency_is_part_of_a_name(outcome: Outcome, make_card: Make) -> None:
    card = make_card(name="AISYAH ISKANDAR WARA BARAT", regency="KABUPATEN BOGOR")
    assert outcome("match_name", "Aisyah Iskandar", card) == "UNSETTLED"


@pytest.mark.parametrize("read", ["NIP. 198405212011092007", "PEMBENTUKAN TIM PELAKSANA"])
def test_what_can_be_no_signatory_contradicts_nobody(
    read: str, outcome: Outcome, make_letter: Make
) -> None:
    assert outcome("match_signatory", "Ahmad Fauzi", make_letter(signatory=read)) == "UNSETTLED"


def test_a_report_alone_may_name_the_person(outcome: Outcome, make_report: Make) -> None:
    assert outcome("match_name", "Budi Santoso", make_report("Pelapor: Budi Santoso")) == "AGREES"
    assert outcome("match_name", "Budi Santoso", make_report("Pelapor: Siti Aminah")) == (
        "CONTRADICTS"
    )
    assert outcome("match_name", "Budi Santoso", make_report("Kegiatan lancar")) == "UNSETTLED"


def test_a_report_that_names_the_claimed_but_is_by_another_is_agreed_with(
    outcome: Outcome, make_report: Make
) -> None:
    text = "Pelapor: Siti Aminah\nPetugas lapangan Budi Santoso"
    assert outcome("match_name", "Budi Santoso", make_report(text)) == "AGREES"


def test_an_author_whom_entities_know_as_no_person_contradicts_nobody(
    outcome: Outcome, make_report: Make
) -> None:
    text = "Dilaporkan oleh Puskesmas Cibinong"
    evidence = make_report(text, ("ORG", "Puskesmas Cibinong"))
    assert outcome("match_name", "Budi Santoso", evidence) == "UNSETTLED"
    evidence = make_report("Dilaporkan oleh Siti Aminah", ("PER", "Siti Aminah"))
    assert outcome("match_name", "Budi Santoso", evidence) == "CONTRADICTS"


def test_a_report_by_a_namesake_in_part_contradicts(outcome: Outcome, make_report: Make) -> None:
    text = "Pelapor: Sri Handayani\nKegiatan lancar"
    assert outcome("match_name", "Ade Handayani", make_report(text)) == "CONTRADICTS"
    text += "\nHadir Ade"
    assert outcome("match_name", "Ade Kusumawati", make_report(text)) == "CONTRADICTS"


def test_the_answer_points_at_the_entity_that_names_the_person(make_report: Make) -> None:
    evidence = make_report("Hadir Budi Santoso", ("LOC", "Hadir"), ("PER", "Budi Santoso"))
    answer = policy_functions()["match_name"]("Budi Santoso", evidence)
    assert answer["findings"] == [{"document": "report", "checker": "entities", "index": 1}]


def test_the_answer_points_at_the_field_that_was_compared(make_card: Make) -> None:
    answer = policy_functions()["match_name"]("Budi", make_card(nik="1", name="SITI AMINAH"))
    assert answer["findings"] == [{"document": "identity", "checker": "identity", "index": 1}]
    assert answer["found"] == "SITI AMINAH"
    assert set(answer["detail"]) == {"id", "en"}


def test_the_signatory_field_settles_the_signatory(outcome: Outcome, make_letter: Make) -> None:
    letter = make_letter(text=LETTER, signatory="Drs. H. Ahmad Fauzi, M.Si.")
    assert outcome("match_signatory", "Ahmad Fauzi", letter) == "AGREES"
    assert outcome("match_signatory", "Joko Susilo", letter) == "CONTRADICTS"


def test_a_person_whom_the_letter_assigns_is_not_its_signatory(
    outcome: Outcome, make_letter: Make
) -> None:
    letter = make_letter(text=LETTER, signatory="Drs. H. Ahmad Fauzi, M.Si.")
    assert outcome("match_signatory", "Siti Aminah", letter) == "CONTRADICTS"
    assert outcome("match_signatory", "Siti Aminah", make_letter(text=LETTER)) == "UNSETTLED"


def test_the_place_of_signing_stands_in_for_a_missing_signatory(
    outcome: Outcome, make_letter: Make
) -> None:
    assert outcome("match_signatory", "Ahmad Fauzi", make_letter(text=LETTER)) == "AGREES"


def test_a_name_that_is_signed_keeps_a_wrong_field_from_rejecting(
    outcome: Outcome, make_letter: Make
) -> None:
    letter = make_letter(text=LETTER, signatory="Siti Aminah")
    assert outcome("match_signatory", "Ahmad Fauzi", letter) == "UNSETTLED"


def test_each_of_two_signatories_agrees(outcome: Outcome, make_letter: Make) -> None:
    letter = make_letter(signatory="Siti Aminah")
    letter[0]["facts"]["signatories"] = ["Drs. H. Ahmad Fauzi, M.Si.", "Siti Aminah"]
    assert outcome("match_signatory", "Ahmad Fauzi", letter) == "AGREES"
    assert outcome("match_signatory", "Joko Susilo", letter) == "CONTRADICTS"


def test_a_doubtful_signatory_does_not_contradict(outcome: Outcome, make_letter: Make) -> None:
    letter = make_letter(signatory="Siti Aminah", confidence=0.6)
    assert outcome("match_signatory", "Ahmad Fauzi", letter) == "UNSETTLED"


def test_no_letter_leaves_the_signatory_open(outcome: Outcome, make_card: Make) -> None:
    assert outcome("match_signatory", "Ahmad Fauzi", make_card(name="AHMAD FAUZI")) == "UNSETTLED"
