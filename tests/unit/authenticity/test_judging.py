"""Signals are weighed by the rules that the README states."""

from __future__ import annotations

import re
from pathlib import Path

from absah_authenticity import judging
from absah_sdk import Finding, Outcome


def judge(*codes: str, localisation: float = 0.0) -> tuple[float, Outcome]:
    findings = [Finding(code=code) for code in codes]
    score = judging.score(findings, localisation)
    return score, judging.outcome(findings, score, review_score=0.3)


def test_a_picture_without_signals_passes_with_no_evidence() -> None:
    assert judge() == (0.0, Outcome.PASS)


def test_a_broken_binding_fails_near_certainty() -> None:
    score, outcome = judge("c2pa_broken_binding")
    assert score >= 0.95
    assert outcome is Outcome.FAIL


def test_localisation_alone_never_passes_one_half_and_never_fails() -> None:
    assert judge(localisation=0.99) == (0.5, Outcome.INCONCLUSIVE)


def test_all_hints_together_do_not_fail_without_proof() -> None:
    hints = set(judging.WEIGHTS) - judging.REJECTING
    score, outcome = judge(*hints, localisation=0.5)
    assert score > 0.9
    assert outcome is Outcome.INCONCLUSIVE


def test_a_code_found_twice_counts_once() -> None:
    assert judge("copy_move_possible", "copy_move_possible") == judge("copy_move_possible")


def test_what_messengers_do_to_pictures_still_passes() -> None:
    codes = ("jpeg_double_compressed", "jpeg_bare", "exif_size_resized", "exif_processed")
    assert judge(*codes)[1] is Outcome.PASS


def test_a_name_of_an_editor_is_worth_a_look() -> None:
    assert judge("exif_editor")[1] is Outcome.INCONCLUSIVE


def test_a_picture_that_cannot_be_judged_is_inconclusive_unless_a_trusted_signer_vouches() -> None:
    assert judge("too_flat")[1] is Outcome.INCONCLUSIVE
    assert judge("too_flat", "c2pa_trusted")[1] is Outcome.PASS


def test_the_readme_states_every_weight() -> None:
    readme = Path(judging.__file__).parents[1] / "README.md"
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| \w+ \| ([\d.]+) \|", readme.read_text(), re.M)
    stated = {code: float(weight) for codes, weight in rows for code in re.findall(r"\w+", codes)}
    assert {code: weight for code, weight in stated.items() if weight} == judging.WEIGHTS
    assert set(stated) >= judging.BLINDING
