"""People counted in photos against the claimed number of participants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., list[dict[str, Any]]]
Outcome = Callable[[str, Any, Any], str]

CASES: list[tuple[Any, list[dict[str, Any]], str]] = [
    (12.0, [{"people": 5, "possible": 9}, {"people": 8, "possible": 9}], "AGREES"),
    ("5 orang", [{"people": 6, "possible": 6}], "AGREES"),
    (0, [{"people": 0, "possible": 0}], "AGREES"),
    (12, [{"people": 5, "possible": 9}], "UNSETTLED"),
    (100, [{"people": 30, "possible": 60}], "UNSETTLED"),
    (3, [{"people": 1, "possible": 1}], "UNSETTLED"),
    (20, [{"people": 5, "possible": 8}], "UNSETTLED"),
    (20, [{"people": 5}], "UNSETTLED"),
    (20, [{"people": 1, "possible": 2, "outcome": "INCONCLUSIVE"}], "UNSETTLED"),
    (12, [{"people": 1, "possible": 2}], "CONTRADICTS"),
    (20, [{"people": 1, "possible": 2}, {"people": 2, "possible": 3}], "CONTRADICTS"),
    (20, [{"people": 1, "possible": 2}, {"people": 2}], "UNSETTLED"),
    ("banyak", [{"people": 5, "possible": 5}], "UNSETTLED"),
    (-3, [{"people": 5, "possible": 5}], "UNSETTLED"),
    (True, [{"people": 5, "possible": 5}], "UNSETTLED"),
    (5, [], "UNSETTLED"),
]


@pytest.mark.parametrize(("claim", "photos", "expected"), CASES)
def test_photos_settle_the_number_of_people(
    claim: Any, photos: list[dict[str, Any]], expected: str, outcome: Outcome, make_photo: Make
) -> None:
    evidence = [r for i, photo in enumerate(photos) for r in make_photo(f"photo-{i}", **photo)]
    assert outcome("match_participants", claim, evidence) == expected


def test_a_photo_sent_twice_counts_once(outcome: Outcome, make_photo: Make) -> None:
    evidence = make_photo("a", people=5, possible=5) + make_photo("b", people=5, possible=5)
    assert outcome("match_participants", 10, evidence) == "AGREES"
    same = [{"name": "a", "digest": "ff"}, {"name": "b", "digest": "ff"}]
    assert outcome("match_participants", 10, evidence + same) == "UNSETTLED"
    apart = [{"name": "a", "digest": "ff"}, {"name": "b", "digest": "00"}]
    assert outcome("match_participants", 10, evidence + apart) == "AGREES"


def test_people_on_an_identity_card_do_not_count(
    outcome: Outcome, make_photo: Make, make_card: Make
) -> None:
    card = make_card(name="BUDI SANTOSO") + make_photo("identity", people=1, possible=1)
    evidence = make_photo("a", people=1, possible=1) + card
    assert outcome("match_participants", 2, evidence) == "UNSETTLED"
