"""Lines come out in the order in which a person reads them."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from unit.ocr.drawing import line, quads

from absah_ocr import geometry, layout
from absah_ocr.geometry import Quads

Placed = tuple[str, Quads]
LONG = "a line of running text of"


def order(placed: Sequence[Placed], *, seed: int = 0) -> list[str]:
    """Texts row by row; the detector's own order is shuffled, for it means nothing."""
    shuffled = list(placed)
    random.Random(seed).shuffle(shuffled)
    texts = [text for text, _ in shuffled]
    rows = layout.rows(quads([quad for _, quad in shuffled]), texts)
    return [" ".join(texts[index] for index in row) for row in rows]


def column(name: str, left: float, top: float, count: int, *, degrees: float = 0) -> list[Placed]:
    return [
        (
            f"{name}{index} {LONG}",
            line(left, top + 30 * index, 380 + index % 3 * 10, degrees=degrees),
        )
        for index in range(count)
    ]


def names(rows: Sequence[str]) -> list[str]:
    return [row.split()[0] for row in rows]


def test_nothing_is_in_no_order() -> None:
    assert layout.rows(geometry.no_quads(), []) == []


@pytest.mark.parametrize("degrees", [0, -8, 5, 15])
def test_labels_and_values_stay_on_their_rows_on_a_slanting_page(degrees: float) -> None:
    card = [
        ("NIK", line(40, 100, 40, degrees=degrees)),
        (": 3201011508950001", line(240, 101, 300, degrees=degrees)),
        ("Nama", line(40, 130, 60, degrees=degrees)),
        (": BUDI", line(240, 129, 100, degrees=degrees)),
        ("Alamat", line(40, 160, 80, degrees=degrees)),
        (": JL. MERDEKA", line(240, 160, 160, degrees=degrees)),
    ]
    assert order(card) == ["NIK : 3201011508950001", "Nama : BUDI", "Alamat : JL. MERDEKA"]


@pytest.mark.parametrize("offset", [0, 11, 17])
@pytest.mark.parametrize("degrees", [0, -5])
def test_columns_are_read_one_after_the_other(offset: float, degrees: float) -> None:
    heading = ("heading", line(250, 20, 400, 40, degrees=degrees))
    left = column("l", 40, 100, 6, degrees=degrees)
    right = column("r", 480, 100 + offset, 6, degrees=degrees)
    footing = ("footing", line(40, 400, 800, degrees=degrees))
    expected = ["heading", *(f"l{i}" for i in range(6)), *(f"r{i}" for i in range(6)), "footing"]
    assert names(order([heading, *left, *right, footing])) == expected


def test_three_columns_are_read_one_after_the_other() -> None:
    placed = [*column("a", 0, 0, 5), *column("b", 430, 0, 5), *column("c", 860, 0, 5)]
    assert names(order(placed)) == [f"{name}{i}" for name in "abc" for i in range(5)]


def test_a_price_list_is_read_across() -> None:
    placed = []
    for index, (item, price) in enumerate((("Nasi", "12.000"), ("Teh", "3.000"), ("Es", "2.000"))):
        placed += [(item, line(20, 30 * index, 60)), (price, line(180, 30 * index, 60))]
    assert order(placed) == ["Nasi 12.000", "Teh 3.000", "Es 2.000"]


def test_signatures_side_by_side_are_not_run_together() -> None:
    placed = [
        ("Sekretaris", line(50, 0, 120)),
        ("Kepala", line(500, 0, 80)),
        ("Ahmad", line(50, 90, 70)),
        ("Siti", line(500, 90, 50)),
    ]
    assert order(placed) == ["Sekretaris", "Kepala", "Ahmad", "Siti"]


def test_a_value_far_from_its_label_is_joined_by_its_colon() -> None:
    placed = [("NIK", line(0, 0, 40)), (": 3201", line(400, 0, 90))]
    assert order(placed) == ["NIK : 3201"]


def test_close_rows_are_not_run_together_where_boxes_overlap() -> None:
    placed = [(f"row{i}", line(10, 15 * i, 300, 20)) for i in range(6)]
    assert order(placed) == [f"row{i}" for i in range(6)]


def test_a_tall_mark_beside_lines_does_not_mix_them() -> None:
    lines = [(f"row{i}", line(100, 30 * i, 300)) for i in range(4)]
    assert [row for row in order([("SEAL", line(0, 10, 70, 90)), *lines]) if row != "SEAL"] == [
        "row0",
        "row1",
        "row2",
        "row3",
    ]


def test_the_order_does_not_depend_on_the_detectors() -> None:
    placed = [*column("l", 40, 100, 6), *column("r", 480, 110, 6), ("end", line(40, 400, 800))]
    assert len({tuple(order(placed, seed=seed)) for seed in range(8)}) == 1


def test_the_slant_is_that_of_long_lines() -> None:
    placed = [line(0, 40 * i, 400, degrees=6) for i in range(5)] + [line(0, 300, 20, degrees=-30)]
    assert layout.slant(quads(placed)) == pytest.approx(0.1047, abs=1e-3)
