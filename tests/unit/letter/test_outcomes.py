"""A letter passes when it is complete; only what reading cannot explain fails it."""

from __future__ import annotations

import pytest

from absah_sdk import Outcome, Severity
from absah_sdk.testing.conformance import verify_result

NIP = "19750315 200003 1 002"


def codes(result, severity=None):
    return {f.code for f in result.findings if severity in (None, f.severity)} - {"field"}


def test_a_complete_letter_passes(check_text, usual_letter):
    result = check_text(usual_letter)
    assert result.outcome is Outcome.PASS
    assert result.facts["is_letter"]
    assert result.facts["text"] == usual_letter
    assert codes(result) == set()


def test_spans_stand_where_the_raw_text_is(check_text, usual_letter):
    result = check_text(usual_letter)
    verify_result(result)
    found = {f.attributes["field"]: f.span for f in result.findings if f.code == "field"}
    assert usual_letter[found["number"].start : found["number"].end] == ": 440/123/DINKES/2026"
    assert usual_letter[found["signatory"].start : found["signatory"].end] == (
        "Drs. H. ASEP SURAPATI, M.Si."
    )


def test_spans_count_tabs_as_one_character(check_text):
    text = "PEMERINTAH KOTA BOGOR\nNomor\t: 1/2/2026\nHal\t: Undangan\n\tBogor, 12 Maret 2026\n"
    result = check_text(text)
    found = {f.attributes["field"]: f.span for f in result.findings if f.code == "field"}
    assert text[found["number"].start : found["number"].end] == ": 1/2/2026"
    assert text[found["date"].start : found["date"].end] == "Bogor, 12 Maret 2026"


def test_a_scan_has_regions_and_spans(check_facts, facts_of, usual_letter):
    facts = facts_of(usual_letter)
    result = check_facts(facts)
    verify_result(result)
    found = {f.attributes["field"]: f for f in result.findings if f.code == "field"}
    span = found["signatory"].span
    assert facts["text"][span.start : span.end] == "Drs. H. ASEP SURAPATI, M.Si."
    assert found["institution"].region.box.top < found["signatory"].region.box.top


def test_a_nip_that_cannot_be_one_fails(check_text, usual_letter):
    result = check_text(usual_letter.replace(NIP, "19754499 200003 1 002"))
    assert result.outcome is Outcome.FAIL
    assert codes(result, Severity.CRITICAL) == {"nip_malformed"}
    assert not any("197544992000031002" in finding.message for finding in result.findings)


def test_a_nip_that_one_misread_digit_spoils_is_inconclusive(check_text, usual_letter):
    result = check_text(usual_letter.replace(NIP, "19751315 200003 1 002"))
    assert result.outcome is Outcome.FAIL
    result = check_text(usual_letter.replace(NIP, "19750315 200003 7 002"))
    assert result.outcome is Outcome.INCONCLUSIVE
    assert codes(result, Severity.WARNING) == {"nip_malformed"}


def test_doubtful_reading_is_not_held_against_the_letter(check_facts, facts_of, usual_letter):
    letter = usual_letter.replace(NIP, "19754499 200003 1 002")
    result = check_facts(facts_of(letter, confidence=0.6))
    assert result.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("line", [f"NIP. {NIP}", "Pembina Utama Muda"])
def test_a_signatory_needs_neither_rank_nor_number(check_text, usual_letter, line):
    result = check_text(usual_letter.replace(line, ""))
    assert result.outcome is Outcome.PASS
    assert result.facts["fields"]["signatory"]["value"] == "Drs. H. ASEP SURAPATI, M.Si."


def test_a_letter_without_number_is_inconclusive(check_text, usual_letter):
    result = check_text(usual_letter.replace("Nomor    : 440/123/DINKES/2026", ""))
    assert result.outcome is Outcome.INCONCLUSIVE
    unread = [f.attributes["field"] for f in result.findings if f.code == "field_unread"]
    assert unread == ["number"]


def test_a_number_whose_month_differs_from_the_date_is_less_sure(check_text, usual_letter):
    numbers = {"440/12/III/2026": 1.0, "440/12/II/2026": 0.7, "440/12/VV/2026": 0.7}
    for number, confidence in numbers.items():
        result = check_text(usual_letter.replace("440/123/DINKES/2026", number))
        read = result.facts["fields"]["number"]
        assert (read["value"], read["confidence"]) == (number, confidence)


def test_a_number_of_another_year_is_told_and_passes(check_text, usual_letter):
    result = check_text(usual_letter.replace("DINKES/2026", "DINKES/2024"))
    assert result.outcome is Outcome.PASS
    assert codes(result) == {"number_year_differs"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "halo",
        "Kegiatan berjalan lancar.\nTerima kasih.\n",
        "\t\n" * 5000,
        "a b " * 50_000,
        "Nomor : " * 999,
    ],
)
def test_what_is_no_letter_is_inconclusive(check_text, text):
    result = check_text(text)
    assert result.outcome is Outcome.INCONCLUSIVE
    assert codes(result) == {"not_letter"}


def test_a_long_text_is_bounded(check_text, usual_letter):
    result = check_text(usual_letter + "Nomor : 1 Kepala Dinas, Bogor, 1 Mei 2020\n" * 20_000)
    assert result.facts["fields"]["number"]["value"] == "440/123/DINKES/2026"
