"""Golden sets judge answers as a person would."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from absah_ops.models.golden import measures
from absah_ops.models.golden.entities import Entities
from absah_ops.models.golden.objects import Detection
from absah_ops.models.golden.reading import Reading
from absah_ops.models.golden.splices import Tampering
from absah_ops.models.golden.task import Case
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
    with pytest.raises(AbsahError, match="line 2"):
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
    assert Tampering().judge(case, Result(outcome=Outcome.INCONCLUSIVE), ()).counted == 0.5


def test_the_area_under_the_curve_of_a_perfect_map_is_one() -> None:
    mask = np.array([[True, False], [False, False]])
    assert measures.area_under_curve(mask.astype(float), mask) == 1
    assert measures.area_under_curve(np.zeros((2, 2)), mask) == 0.5


def test_golden_sets_are_the_same_each_time() -> None:
    for task in (Tampering(), Entities(), Detection()):
        first, second = task.cases(None), task.cases(None)
        assert [case.content for case in first] == [case.content for case in second]
        assert first
