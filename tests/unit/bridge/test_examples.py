"""The example systems do what their golden files say, and speak of the evidence that is drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from absah_bridge import golden, systems
from absah_ops.specimens import attached, cases, letters, people

EXAMPLES = Path(__file__).parents[3] / "clients" / "bridge" / "examples"
SYSTEMS = ("silap", "arsip", "sikartu")


@pytest.mark.parametrize("name", SYSTEMS)
def test_golden_files_hold(name: str) -> None:
    _, legacy = systems.load(EXAMPLES / "bridge.yaml")
    found = list(golden.cases(legacy[name], EXAMPLES / name / "cases", update=False))
    assert len(found) > 5
    assert {case.name: case.differences for case in found if case.differences} == {}


def requests(system: str, case: str) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = json.loads(
        (EXAMPLES / system / "cases" / case / "requests.json").read_text()
    )
    return made


def test_the_accepted_report_claims_what_its_evidence_shows() -> None:
    (request,) = requests("silap", "diterima")
    expected = cases.make_case(attached.REPORT_CASE).claims
    claims = dict(request["claims"])
    assert claims.pop("name").upper() == expected.pop("name")
    assert claims == expected


def test_the_rejected_report_comes_from_somebody_else() -> None:
    (request,) = requests("silap", "ditolak")
    assert request["claims"]["nik"] != cases.make_case(attached.REPORT_CASE).claims["nik"]


def test_the_batch_claims_what_its_letters_say_but_for_one_subject() -> None:
    wrong = []
    for request in requests("arsip", "tiga-surat"):
        (document,) = request["documents"]
        letter = letters.make_letter(attached.LETTERS[Path(document["reference"]).stem]).fields()
        for claim, value in request["claims"].items():
            if value.upper() != letter[claim].upper():
                wrong.append((request["request_id"], claim))
    assert wrong == [("630214-22042026-41:2", "subject")]


def test_the_events_claim_what_the_cards_show_but_for_one() -> None:
    wrong = []
    for case in ("sesuai", "berbeda"):
        (request,) = requests("sikartu", case)
        (document,) = request["documents"]
        seed = attached.CARDS[Path(document["reference"]).stem.removeprefix("ktp-")]
        card = people.make_person(seed).fields()
        wrong += [(case, c) for c, value in request["claims"].items() if value != card[c]]
    assert wrong == [("berbeda", "name"), ("berbeda", "birth_date")]


def test_every_file_that_the_examples_refer_to_is_drawn(tmp_path: Path) -> None:
    drawn = {str(path.relative_to(tmp_path)) for path in attached.draw(tmp_path)}
    referred = set()
    for file in EXAMPLES.glob("*/cases/*/requests.json"):
        for request in json.loads(file.read_text()):
            for document in request["documents"]:
                if "reference" in document:
                    folder = "kartu/" if document["store"] == "layanan-berkas" else ""
                    referred.add(f"{folder}{document['reference']}")
    assert referred == drawn
