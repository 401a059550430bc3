"""Golden sets judge answers as a person would."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from absah_ops.models.golden import measures
from absah_ops.models.golden.entities import Entities
from absah_ops.models.golden.objects import Detection
from absah_ops.models.golden.reading import Reading
from absah_ops.models.golden.splices import Tampering
from absah_ops.models.golden.task import Case, GoldenSetInvalid
from absah_sdk import AbsahError, Box, Finding, Outcome, Region, Result, Span


def entity(code: str, start: int, end: int) -> Finding:
    return Finding(code=code, span=Span(start=start, end=end))


def passed(*findings: Finding) -> Result:
    return Result(outcome=Outcome.PASS, findings=findings)


def test_entities_that_are_all_found_are_perfect() -> None:
    task = Entities()
    case = Case(name="a", content="Budi di Padang", truth=[("PER", 0, 4), ("LOC", 8, 14)])
    judged = task.judge(case, passed(entity("PER", 0, 4), entity("LOC", 8, 14)), ())
    assert (judged.loss, task.figure([judged])) == (0, 1)


def test_an_entity_of_other_bounds_is_missed_and_wrong() -> None:
    task = Entities()
    case = Case(name="a", content="Budi Santoso", truth=[("PER", 0, 12)])
    judged = task.judge(case, passed(entity("PER", 0, 4)), ())
    assert task.figure([judged]) == 0
    assert judged.detail == "missed PER 'Budi Santoso'; wrong PER 'Budi'"


def test_codes_that_the_set_does_not_mark_are_not_counted() -> None:
    task = Entities()
    case = Case(name="a", content="Budi 12/5", truth=[("PER", 0, 4)])
    judged = task.judge(case, passed(entity("PER", 0, 4), entity("DATE", 5, 9)), ())
    assert task.figure([judged]) == 1


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.SKIPPED])
def test_a_check_that_came_to_nothing_is_all_wrong(outcome: Outcome) -> None:
    task = Entities()
    case = Case(name="a", content="Budi", truth=[("PER", 0, 4)])
    judged = task.judge(case, Result(outcome=outcome), ())
    assert (judged.loss, task.figure([judged])) == (1, 0)


def test_made_up_sentences_say_where_their_names_stand() -> None:
    for case in Entities().cases(None):
        for code, start, end in case.truth:
            assert case.content[start:end][0].isupper(), (code, case)


def test_a_folder_of_marked_sentences_is_read(tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text(
        "Budi\tB-PERSON\nSantoso\tI-PERSON\ndi\tO\nPadang\tI-PLACE\n\nHalo\tO\n"
    )
    (tmp_path / "codes.json").write_text(json.dumps({"PERSON": "PER", "PLACE": "LOC"}))
    first, second = Entities().cases(tmp_path)
    assert (first.content, first.truth) == (
        "Budi Santoso di Padang",
        [("PER", 0, 12), ("LOC", 16, 22)],
    )
    assert (second.content, second.truth) == ("Halo", [])


def test_a_line_that_is_not_marked_is_told(tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text("Budi\tO\nSantoso\n")
    with pytest.raises(GoldenSetInvalid, match=r"test\.txt, line 2"):
        Entities().cases(tmp_path)


@pytest.mark.parametrize(
    ("codes", "told"),
    [("{\n'PERSON'}", "line 2: is no JSON"), ("[]", "is no object"), ('{"A": 1}', "is no object")],
)
def test_codes_that_cannot_be_used_are_told_by_their_file(
    tmp_path: Path, codes: str, told: str
) -> None:
    (tmp_path / "codes.json").write_text(codes)
    with pytest.raises(GoldenSetInvalid, match=rf"codes\.json.*{told}"):
        Entities().cases(tmp_path)


def test_the_character_error_rate_weighs_pages_by_their_length() -> None:
    task = Reading()
    pages = (("abcd", "abcx"), ("ab", "ab"))
    judged = [
        task.judge(
            Case(name="page", content=b"", truth=truth),
            Result(outcome=Outcome.PASS, facts={"text": text}),
            (),
        )
        for truth, text in pages
    ]
    assert task.figure(judged) == pytest.approx(1 / 6)
    assert judged[0].loss == 0.25


def test_pages_with_their_texts_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"png")
    (tmp_path / "a.txt").write_text("halo")
    (tmp_path / "without.png").write_bytes(b"png")
    (case,) = Reading().cases(tmp_path)
    assert (case.name, case.content, case.truth) == ("a.png", b"png", "halo")


def test_texts_without_a_character_measure_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"png")
    (tmp_path / "a.txt").write_text(" \n")
    with pytest.raises(GoldenSetInvalid, match="no character"):
        Reading().cases(tmp_path)


def test_a_text_that_is_not_utf8_is_told_by_its_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"png")
    (tmp_path / "a.txt").write_bytes(b"halo\n\xff\n")
    with pytest.raises(GoldenSetInvalid, match=r"a\.txt, line 2: is not UTF-8"):
        Reading().cases(tmp_path)


def draw_photo(folder: Path, *, size: tuple[int, int] = (8, 8)) -> None:
    """A photo of 8 times 8 in a folder for both tasks, and the mask of a picture of `size`."""
    for name in ("images", "labels", "spliced", "masks"):
        (folder / name).mkdir()
    for name in ("images", "spliced"):
        cv2.imwrite(str(folder / name / "a.jpg"), np.zeros((8, 8, 3), np.uint8))
    mask = np.zeros(size, np.uint8)
    mask[0] = 255
    cv2.imwrite(str(folder / "masks" / "a.png"), mask)


def test_labels_in_yolos_form_are_read(tmp_path: Path) -> None:
    draw_photo(tmp_path)
    (tmp_path / "labels" / "a.txt").write_text("2 0.5 0.5 0.2 0.4\n\n")
    (case,) = Detection().cases(tmp_path)
    np.testing.assert_allclose(case.truth.corners, [[0.4, 0.3, 0.6, 0.7]])
    assert case.truth.classes.tolist() == [2]


@pytest.mark.parametrize("line", ["0 0.5 0.5 0.1", "dog 0.5 0.5 0.1 0.1", "0 0.5 0.5 0.1 nan"])
def test_a_label_that_is_no_box_is_told_by_its_file_and_line(tmp_path: Path, line: str) -> None:
    draw_photo(tmp_path)
    (tmp_path / "labels" / "a.txt").write_text(f"0 0.5 0.5 0.1 0.1\n{line}\n")
    with pytest.raises(GoldenSetInvalid, match=r"a\.txt, line 2"):
        Detection().cases(tmp_path)


def test_a_mask_of_another_size_than_its_picture_is_told(tmp_path: Path) -> None:
    draw_photo(tmp_path, size=(8, 9))
    with pytest.raises(GoldenSetInvalid, match=r"a\.png: is 9×8 pixels, and a\.jpg is 8×8"):
        Tampering().cases(tmp_path)


def test_a_mask_of_the_pictures_size_is_read(tmp_path: Path) -> None:
    draw_photo(tmp_path)
    (case,) = Tampering().cases(tmp_path)
    assert case.truth.sum() == 8


def seen(code: str, box: tuple[float, float, float, float], confidence: float) -> Finding:
    left, top, width, height = box
    region = Region(box=Box(left=left, top=top, width=width, height=height))
    return Finding(code=code, region=region, confidence=confidence)


def test_a_detector_that_agrees_with_the_current_one_is_perfect() -> None:
    task, labels = Detection(), ("person", "dog")
    answer = passed(seen("person", (0.1, 0.1, 0.5, 0.5), 0.9))
    case = Case(name="photo", content=b"", truth=task.truth(answer, labels))
    assert task.figure([task.judge(case, answer, labels)]) == pytest.approx(1)
    elsewhere = passed(seen("person", (0.6, 0.6, 0.3, 0.3), 0.9))
    assert task.figure([task.judge(case, elsewhere, labels)]) == 0


def test_what_is_only_possible_is_no_truth() -> None:
    unsure = Finding(
        code="person",
        region=Region(box=Box(left=0, top=0, width=1, height=1)),
        confidence=0.2,
        attributes={"counted": False},
    )
    assert len(Detection().truth(passed(unsure), ("person",)).scores) == 0


def test_a_label_that_the_model_does_not_have_is_told() -> None:
    case = Case(name="photo", content=b"", truth=Detection().truth(passed(), ("dog",)))
    with pytest.raises(AbsahError, match="person"):
        Detection().judge(case, passed(seen("person", (0, 0, 1, 1), 0.9)), ("dog",))


def test_a_heatmap_that_is_missing_is_a_coin_toss() -> None:
    mask = np.zeros((4, 4), bool)
    mask[0] = True
    case = Case(name="photo", content=b"", truth=mask)
    judged = Tampering().judge(case, Result(outcome=Outcome.INCONCLUSIVE), ())
    assert (judged.counted, judged.answered) == (0.5, False)


def test_the_area_under_the_curve_of_a_perfect_map_is_one() -> None:
    mask = np.array([[True, False], [False, False]])
    assert measures.area_under_curve(mask.astype(float), mask) == 1
    assert measures.area_under_curve(np.zeros((2, 2)), mask) == 0.5


def test_golden_sets_are_the_same_each_time() -> None:
    for task in (Tampering(), Entities(), Detection()):
        first, second = task.cases(None), task.cases(None)
        assert [case.content for case in first] == [case.content for case in second]
        assert first
