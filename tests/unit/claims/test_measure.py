"""The comparisons reach what their README states, on fewer draws."""

from __future__ import annotations

import pytest

from absah_claims import measure

FLOORS = {
    "match_name, on a card": 0.87,
    "match_name, in a report": 0.98,
    "match_nik": 0.75,
    "match_birth_date": 0.90,
    "match_letter_number": 0.75,
    "match_letter_date": 0.85,
    "match_signatory": 0.85,
    "match_event_date": 0.98,
    "match_place": 0.98,
}


@pytest.mark.parametrize("kind", sorted(measure.KINDS))
def test_true_claims_mostly_agree_and_false_ones_do_not(kind: str) -> None:
    table = measure.tally(kind, measure.KINDS[kind], draws=150, seed=7)
    assert table["true"]["AGREES"] >= FLOORS[kind] * 150
    assert table["true"]["CONTRADICTS"] <= 2
    assert table["false"]["AGREES"] == 0
    assert table["close"]["AGREES"] <= 0.06 * 150
