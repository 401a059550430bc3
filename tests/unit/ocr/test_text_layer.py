"""A PDF's text layer corrects what it agrees with and is otherwise not believed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from absah_ocr import agreement, text_layer
from absah_ocr.reading import Line, Part
from absah_sdk import TextRun

READ = (
    "PEMERINTAH KABUPATEN BOGOR",
    "Nomor : 005/123/Dinkes/2024",
    "Anggaran sebesar Rp 12.500.000,00",
    "sosialisasi kepada masyarakat desa",
)


def read_lines(texts: Sequence[str] = READ, *, confidence: float = 0.97) -> list[Line]:
    return [
        Line(text=text, confidence=confidence, box=(50, 40.0 * i, 450, 40.0 * i + 30))
        for i, text in enumerate(texts)
    ]


def layer_runs(texts: Sequence[str] = READ) -> list[TextRun]:
    return [
        TextRun(text=text, left=55, top=40.0 * i + 6, right=445, bottom=40.0 * i + 24)
        for i, text in enumerate(texts)
    ]


def test_a_layer_that_agrees_corrects_spelling() -> None:
    read = [READ[0].replace("BOGOR", "B0GOR"), *READ[1:]]
    reconciled = text_layer.reconcile(read_lines(read), layer_runs())
    assert not reconciled.disagrees
    assert [line.text for line in reconciled.lines] == list(READ)


def test_a_value_set_apart_from_its_label_is_compared_with_both() -> None:
    runs = [
        TextRun(text=": 3201", left=150, top=6, right=220, bottom=24),
        TextRun(text="NIK", left=55, top=6, right=90, bottom=24),
    ]
    (line,) = text_layer.reconcile(read_lines(["NIK:3201"]), runs).lines
    assert line.text == "NIK : 3201"


def card_row() -> Line:
    """A label and its value, a gap apart, of which one letter and one digit were misread."""
    return Line(
        text="N1K : 3201 O",
        confidence=0.6,
        box=(50, 0, 300, 30),
        parts=[
            Part(text="N1K", confidence=0.5, box=(50, 0, 95, 30)),
            Part(text=": 3201 O", confidence=0.7, box=(145, 0, 300, 30)),
        ],
    )


def test_the_parts_of_a_line_are_corrected_with_it() -> None:
    runs = [
        TextRun(text="NIK", left=55, top=6, right=90, bottom=24),
        TextRun(text=": 3201 O", left=150, top=6, right=290, bottom=24),
    ]
    (line,) = text_layer.reconcile([card_row()], runs).lines
    assert line.text == "NIK : 3201 O"
    assert [part.text for part in line.parts] == ["NIK", ": 3201 O"]
    assert all(part.confidence > 0.8 for part in line.parts)


def test_a_line_that_the_layer_has_in_one_run_is_one_piece() -> None:
    runs = [TextRun(text="NIK : 3201 O", left=55, top=6, right=290, bottom=24)]
    (line,) = text_layer.reconcile([card_row()], runs).lines
    assert line.text == "NIK : 3201 O"
    assert line.parts == ()


def test_a_digit_that_the_page_shows_otherwise_discredits_the_layer() -> None:
    false = [READ[0], READ[1], READ[2].replace("12.500", "72.500"), READ[3]]
    reconciled = text_layer.reconcile(read_lines(), layer_runs(false))
    assert reconciled.disagrees
    assert [line.text for line in reconciled.lines] == list(READ)
    assert len(reconciled.contradicted) == 1


def test_a_digit_read_with_little_confidence_does_not() -> None:
    false = [READ[0], READ[1], READ[2].replace("12.500", "72.500"), READ[3]]
    reconciled = text_layer.reconcile(read_lines(confidence=0.8), layer_runs(false))
    assert not reconciled.disagrees
    assert reconciled.lines[2].text == READ[2]


def test_a_layer_from_another_document_is_not_used() -> None:
    other = ["Surat keterangan kerja", "Yang bertanda tangan", "menerangkan bahwa", "pegawai itu"]
    reconciled = text_layer.reconcile(read_lines(), layer_runs(other))
    assert reconciled.disagrees
    assert reconciled.agreeing_share == 0
    assert [line.text for line in reconciled.lines] == list(READ)


def test_text_where_nothing_is_seen_is_told_and_not_added() -> None:
    hidden = TextRun(text="tulisan yang tidak terlihat", left=50, top=600, right=400, bottom=620)
    reconciled = text_layer.reconcile(read_lines(), [*layer_runs(), hidden])
    assert reconciled.disagrees
    assert reconciled.hidden_characters == len(hidden.text)
    assert [line.text for line in reconciled.lines] == list(READ)


def test_a_stray_character_in_the_layer_is_forgiven() -> None:
    stray = TextRun(text="7", left=50, top=600, right=56, bottom=612)
    assert not text_layer.reconcile(read_lines(), [*layer_runs(), stray]).disagrees


def test_a_line_without_layer_text_stays_as_it_was_read() -> None:
    reconciled = text_layer.reconcile(read_lines(), layer_runs(READ[:3]))
    assert not reconciled.disagrees
    assert [line.text for line in reconciled.lines] == list(READ)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [("Nama : BUDI", "nama:budi", True), ("", "", True), ("abc", "xyz", False)],
)
def test_case_spaces_and_punctuation_do_not_count(one: str, other: str, alike: bool) -> None:
    assert (agreement.similarity(one, other) == 1.0) is alike


def test_a_line_is_not_compared_with_a_book() -> None:
    assert agreement.similarity("halo", "halo " * 1_000_000) == 0.0
