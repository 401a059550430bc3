"""Addresses are compared by words, numbers, RT and RW."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., list[dict[str, Any]]]
Outcome = Callable[[str, Any, Any], str]

CARD = {
    "address": "JL. MELATI NO. 12",
    "rt_rw": "003/005",
    "village": "SUKAMAJU",
    "district": "CIBINONG",
    "regency": "KABUPATEN BOGOR",
    "province": "JAWA BARAT",
}

CASES = [
    ("Jl. Melati No. 12 RT 003/RW 005, Sukamaju, Cibinong", "AGREES"),
    ("Jalan Melati 12 RT.03 RW.05 Desa Sukamaju Kec. Cibinong Kab. Bogor, Jabar 16911", "AGREES"),
    ("JL MELATl NO 12", "AGREES"),
    ("Jl. Melati No 12 RT/RW 003/005", "AGREES"),
    ("Jl. Melati 12, 003/005, Sukamaju", "AGREES"),
    ("Jl Melati", "AGREES"),
    ("Sukamaju, Cibinong, Bogor", "AGREES"),
    ("Jl. Mawar No. 3, Kel. Menteng, Jakarta Pusat", "CONTRADICTS"),
    ("Perumahan Griya Asri Blok C4, Kota Bekasi", "CONTRADICTS"),
    ("Jl. Melati No. 14", "UNSETTLED"),
    ("Jl. Melati No. 12 RT 004/005", "UNSETTLED"),
    ("Jl. Mawar No. 12 RT 003/005 Sukamaju Cibinong", "UNSETTLED"),
    ("Jl. Melati, Jakarta", "UNSETTLED"),
    ("RT", "UNSETTLED"),
]


@pytest.mark.parametrize(("claim", "expected"), CASES)
def test_a_card_settles_the_address(
    claim: str, expected: str, outcome: Outcome, make_card: Make
) -> None:
    assert outcome("match_address", claim, make_card(**CARD)) == expected


def test_words_that_were_run_together_are_parted(outcome: Outcome, make_card: Make) -> None:
    card = make_card(address="JL. KARTININO.166 BLOKA2", village="SUKAMAJU")
    assert outcome("match_address", "Jl. Kartini No. 166 Blok A2, Sukamaju", card) == "AGREES"


def test_a_word_for_the_kind_of_place_does_not_hide_the_name_glued_to_it(
    outcome: Outcome, make_card: Make
) -> None:
    card = make_card(address="DUSUNKRAJAN", village="TANJUNG ALAI")
    assert outcome("match_address", "Dusun Krajan", card) == "AGREES"
    assert outcome("match_address", "Dusun Wonosari", card) == "CONTRADICTS"


def test_values_of_other_fields_are_no_part_of_an_address(
    outcome: Outcome, make_card: Make
) -> None:
    card = make_card(address="KP. BABAKAN WNI SEUMUR HIDUP", rt_rw="014/009")
    assert outcome("match_address", "Kp. Babakan RT 014/009", card) == "AGREES"
    assert outcome("match_address", "Kp. Babakan, Tamarundung, Wara Barat", card) == "UNSETTLED"


def test_a_village_that_no_field_has_may_stand_in_the_text(
    outcome: Outcome, make_card: Make
) -> None:
    card = make_card(address="KP. BABAKAN", text="KP. BABAKAN\nTAMARUNDUNG\nWARA BARAT")
    assert outcome("match_address", "Kp. Babakan, Tamarundung, Wara Barat", card) == "AGREES"


def test_a_doubtful_address_does_not_contradict(outcome: Outcome, make_card: Make) -> None:
    card = make_card(confidence=0.6, **CARD)
    assert outcome("match_address", "Jl. Mawar No. 3, Menteng", card) == "UNSETTLED"


def test_the_text_of_a_card_stands_in_for_a_missing_address(
    outcome: Outcome, make_card: Make
) -> None:
    card = make_card(text="Alamat JL. MELATI NO. 12\nRT/RW 003/005\nKel/Desa SUKAMAJU")
    assert outcome("match_address", "Jl. Melati No. 12, Sukamaju", card) == "AGREES"
    assert outcome("match_address", "Jl. Mawar No. 12, Sukamaju", card) == "UNSETTLED"
