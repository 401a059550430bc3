"""A card fails when its number contradicts it beyond what misreading explains."""

from __future__ import annotations

import pytest

from absah_identity.checker import IdentitySettings
from absah_sdk import Outcome, Severity


def codes(result, severity=None):
    return {f.code for f in result.findings if severity in (None, f.severity)} - {"field"}


def test_a_consistent_card_passes(check, facts_of, usual_card):
    result = check(facts_of(usual_card))
    assert result.outcome is Outcome.PASS
    assert result.facts["is_identity_card"]
    assert result.score == pytest.approx(0.98)
    assert codes(result) == set()


def test_another_birth_date_than_the_number_says_fails(check, facts_of, usual_card):
    result = check(facts_of(usual_card.replace("15-08-1995", "27-11-1984")))
    assert result.outcome is Outcome.FAIL
    assert codes(result, Severity.CRITICAL) == {"nik_birth_date_differs"}


def test_a_single_look_alike_digit_is_no_contradiction(check, facts_of, usual_card):
    result = check(facts_of(usual_card.replace("15-08-1995", "15-06-1995")))
    assert result.outcome is Outcome.INCONCLUSIVE
    assert codes(result, Severity.WARNING) == {"nik_birth_date_differs"}
    assert result.facts["fields"]["birth_date"]["confidence"] < 0.7


def test_doubtful_reading_is_not_held_against_the_card(check, facts_of, usual_card):
    result = check(facts_of(usual_card.replace("15-08-1995", "27-11-1984"), confidence=0.6))
    assert result.outcome is Outcome.INCONCLUSIVE
    assert codes(result, Severity.CRITICAL) == set()


def test_what_counts_as_certain_is_a_setting(facts_of, usual_card, check, checker, monkeypatch):
    monkeypatch.setattr(checker, "settings", IdentitySettings(certain_confidence=0.5))
    result = check(facts_of(usual_card.replace("15-08-1995", "27-11-1984"), confidence=0.6))
    assert result.outcome is Outcome.FAIL


def test_another_sex_than_the_number_says_fails(check, facts_of, usual_card):
    result = check(facts_of(usual_card.replace("LAKI-LAKI", "PEREMPUAN")))
    assert result.outcome is Outcome.FAIL
    assert codes(result, Severity.CRITICAL) == {"nik_sex_differs"}


def test_a_number_that_cannot_be_one_fails(check, facts_of, usual_card):
    result = check(facts_of(usual_card.replace("3201011508950001", "3201019955950001")))
    assert result.outcome is Outcome.FAIL
    assert codes(result, Severity.CRITICAL) == {"nik_malformed"}


def test_a_number_that_one_misread_digit_spoils_is_inconclusive(check, facts_of, usual_card):
    result = check(facts_of(usual_card.replace("3201011508950001", "3201013508950001")))
    assert result.outcome is Outcome.INCONCLUSIVE
    assert codes(result, Severity.WARNING) == {"nik_malformed"}


def test_a_number_with_a_digit_lost_is_inconclusive(check, facts_of, usual_card):
    result = check(facts_of(usual_card.replace("3201011508950001", "320101150895001")))
    assert result.outcome is Outcome.INCONCLUSIVE
    assert codes(result, Severity.WARNING) == {"nik_malformed"}


def test_a_district_code_no_longer_in_use_warns_and_passes(check, facts_of, usual_card):
    result = check(facts_of(usual_card.replace("3201011508950001", "3201991508950001")))
    assert result.outcome is Outcome.PASS
    assert codes(result, Severity.WARNING) == {"nik_region_unknown"}


def test_a_province_that_never_was_fails(check, facts_of, usual_card):
    result = check(facts_of(usual_card.replace("3201011508950001", "4001011508950001")))
    assert result.outcome is Outcome.FAIL
    assert "nik_region_unknown" in codes(result, Severity.CRITICAL)


def test_a_province_that_a_misread_digit_explains_is_inconclusive(check, facts_of, usual_card):
    result = check(facts_of(usual_card.replace("3201011508950001", "4501011508950001")))
    assert result.outcome is Outcome.INCONCLUSIVE
    assert "nik_region_unknown" in codes(result, Severity.WARNING)


def test_someone_who_moved_from_another_province_passes(check, facts_of, usual_card):
    result = check(facts_of(usual_card.replace("3201011508950001", "3374011508950001")))
    assert result.outcome is Outcome.PASS
    assert codes(result) == {"nik_region_differs"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "LAPORAN KEGIATAN\nNama : BUDI SANTOSO\nAlamat : JL. MERDEKA\nTempat : BOGOR",
        "KARTU KELUARGA\nNIK : 3201011508950001\nNama : BUDI\nAlamat : BOGOR\nRT/RW : 001/002\n"
        "Kecamatan : CIBINONG\nAgama : ISLAM\nPekerjaan : GURU",
        "SURAT KETERANGAN DOMISILI\nNama : BUDI\nNIK : 3201011508950001\nJenis Kelamin : PRIA\n"
        "Tempat/Tgl Lahir : BOGOR, 15-08-1995\nAgama : ISLAM\nPekerjaan : GURU\nAlamat : BOGOR",
        "Yang bertanda tangan di bawah ini menerangkan dengan sesungguhnya bahwa\n"
        * 3
        + "Nama : BUDI\nNIK : 3201011508950001\nJenis Kelamin : LAKI-LAKI\nAgama : ISLAM\n"
        "Tempat/Tgl Lahir : BOGOR, 15-08-1995\nPekerjaan : GURU\nAlamat : BOGOR",
    ],
)
def test_what_is_no_identity_card_is_inconclusive(check, facts_of, text):
    result = check(facts_of(text) if text else {"lines": [], "text": ""})
    assert result.outcome is Outcome.INCONCLUSIVE
    assert not result.facts["is_identity_card"]
    assert "not_identity_card" in codes(result)


def test_an_unreadable_name_is_inconclusive(check, facts_of, usual_card):
    result = check(facts_of(usual_card.replace(": BUDI SANTOSO", "")))
    assert result.outcome is Outcome.INCONCLUSIVE
    unread = [f.attributes["field"] for f in result.findings if f.code == "field_unread"]
    assert unread == ["name"]


def test_two_numbers_in_view_are_inconclusive(check, facts_of, usual_card):
    result = check(facts_of(f"{usual_card}\n3374011708880002"))
    assert result.outcome is Outcome.INCONCLUSIVE
    assert "several_cards" in codes(result)


def test_a_specimen_says_so(check, facts_of, usual_card):
    result = check(facts_of(f"{usual_card}\n  SPECIMEN - BUKAN DOKUMEN RESMI"))
    assert result.outcome is Outcome.PASS
    assert codes(result) == {"specimen_mark"}


def test_no_message_holds_a_full_number(check, facts_of, usual_card):
    for number in ("3201011508950001", "3201019955950001", "3201991508950001"):
        result = check(facts_of(usual_card.replace("3201011508950001", number)))
        assert result.facts["fields"]["nik"]["value"] == number
        assert not any(number in finding.message for finding in result.findings)


def test_hundreds_of_lines_of_noise_are_bounded(check, facts_of):
    noise = "\n".join(f"Tempat Tgl Lahr Jens Kelamn {n}" for n in range(900))
    assert check(facts_of(noise)).outcome is Outcome.INCONCLUSIVE
