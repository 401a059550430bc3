"""Identifiers are found where they stand, and only those that hold up."""

from __future__ import annotations

import itertools

import pytest

from absah_entities import identifiers


def found(text: str) -> list[tuple[str, str]]:
    return [(i.code, text[i.start : i.end]) for i in identifiers.find(text)]


@pytest.mark.parametrize(
    ("text", "code", "value"),
    [
        ("NIK 3201011508950001.", "NIK", "3201011508950001"),
        ("NIK: 3201 0115 0895 0001", "NIK", "3201011508950001"),
        ("NIP. 19850817 201001 1 002", "NIP", "198508172010011002"),
        ("NIP 198508172010011002", "NIP", "198508172010011002"),
        ("NPWP 01.234.567.8-901.000", "NPWP", "0012345678901000"),
        ("HP 0812-3456-7890", "PHONE", "+6281234567890"),
        ("HP +62 812 3456 7890", "PHONE", "+6281234567890"),
        ("Telp. (0251) 8321234", "PHONE", "+622518321234"),
        ("email Budi.S@pemkot-bogor.go.id.", "EMAIL", "budi.s@pemkot-bogor.go.id"),
        ("biaya Rp 1.500.000,- lunas", "AMOUNT", 1500000.0),
        ("biaya Rp1,5 juta", "AMOUNT", 1500000.0),
        ("sebesar lima juta rupiah", "AMOUNT", 5000000.0),
        ("sebesar 250.000 rupiah", "AMOUNT", 250000.0),
        ("pada 12 Maret 2026", "DATE", "2026-03-12"),
        ("tanggal 12-03-2026", "DATE", "2026-03-12"),
        ("tanggal 17 Agustus", "DATE", "--08-17"),
        ("dua belas Maret dua ribu dua puluh enam", "DATE", "2026-03-12"),
    ],
)
def test_a_well_formed_one_is_found_and_normalised(text: str, code: str, value: object) -> None:
    (only,) = identifiers.find(text)
    assert only.code == code
    assert only.attributes["value"] == value


@pytest.mark.parametrize(
    "text",
    [
        "3171234567890123",  # a NIK of day 67
        "198513172010011002",  # a NIP of month 13
        "198508172010013002",  # a NIP of sex 3
        "Nomor 005/123/2026",
        "kode pos 16111",
        "1.250 orang hadir",
        "pukul 08.30",
        "tanggal 31-02-2026x",
        "harga 15",
        "user@localhost",
        "0812",
    ],
)
def test_what_only_looks_like_one_is_not(text: str) -> None:
    assert found(text) == []


def test_a_range_of_days_tells_its_end() -> None:
    (only,) = identifiers.find("berlangsung 12 s.d. 14 Maret 2026")
    assert (only.attributes["value"], only.attributes["until"]) == ("2026-03-12", "2026-03-14")


def test_spans_count_code_points_not_bytes() -> None:
    text = "😀 — é: NIK 3201011508950001"
    (only,) = identifiers.find(text)
    assert text[only.start : only.end] == "3201011508950001"


def test_a_long_run_of_digits_holds_no_shorter_identifier() -> None:
    assert found("9" * 40) == []


def test_several_kinds_in_one_text_do_not_overlap() -> None:
    text = (
        "NIK 3201011508950001, NIP 19850817 201001 1 002, HP 0812-3456-7890, Rp 2.000.000, "
        "12 Maret 2026, a@b.go.id"
    )
    spans = [(i.start, i.end) for i in identifiers.find(text)]
    assert len(spans) == 6
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))
