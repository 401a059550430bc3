"""The command line answers people and machines, and its exit codes say what happened."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from absah_ops.specimens import cases
from absah_ops.specimens.cases import Case


@pytest.fixture(scope="module")
def case() -> Case:
    return cases.make_case(11)


def absah(*arguments: object, exits: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "absah_ops", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == exits, done.stderr
    assert "Traceback" not in done.stderr
    return done


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_check_prints_one_object_a_file_and_an_error_for_what_cannot_be_read(
    tmp_path: Path, case: Case
) -> None:
    report = tmp_path / "report.txt"
    report.write_text(case.report.text)
    empty = tmp_path / "empty.txt"
    empty.touch()
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0" + b"x" * 200)
    archive = tmp_path / "archive.zip"
    archive.write_bytes(b"PK\x03\x04" + b"\0" * 60)
    files = [report, empty, tmp_path / "missing.txt", broken, archive]
    found = lines(absah("check", "entities", *files, "--json"))
    assert [line["file"] for line in found] == [str(file) for file in files]
    assert [line["outcome"] for line in found] == ["PASS", "ERROR", "ERROR", "ERROR", "ERROR"]
    assert all(line["checker"] == "entities" for line in found)
    assert all(line["error"] for line in found[1:])
    text = found[0]["facts"]["text"]
    for finding in found[0]["findings"]:
        span = finding["span"]
        assert text[span["start"] : span["end"]] == finding["attributes"]["text"]
    assert {"PER", "LOC", "NIK", "DATE"} <= {f["code"] for f in found[0]["findings"]}


def test_check_writes_heatmaps_of_the_pictures_own_size(tmp_path: Path, case: Case) -> None:
    from PIL import Image

    photo = tmp_path / "photographer.jpg"
    photo.write_bytes(case.files["photo"][photo.name])
    absah("check", "authenticity", photo, "--json", "--artifacts", tmp_path / "out")
    with (
        Image.open(photo) as original,
        Image.open(tmp_path / "out/photographer.jpg.heatmap.png") as map_,
    ):
        assert map_.size == original.size
        assert map_.mode == "L"


def test_an_unknown_checker_is_told_with_what_to_do() -> None:
    done = absah("check", "nothing", "x.jpg", exits=1)
    assert "no checker 'nothing'" in done.stderr


def test_validate_exits_by_its_decision(tmp_path: Path, case: Case, server_address: str) -> None:
    written = case.write(tmp_path)
    card = written["identity"][0]
    common = ("validate", "--server", server_address, "--policy", "identity-card", "--json")
    accepted = absah(*common, f"identity={card}", "--claim", f"nik={case.person.nik}")
    assert lines(accepted)[0]["verdict"]["decision"] == "ACCEPT"
    absah(*common, f"identity={card}", "--claim", "nik=3201011508950001", exits=4)
    photo = written["photo"][0]
    absah(*common, f"identity={photo}", "--claim", "name=Siti Aminah", exits=3)


def test_validate_shows_people_reasons_in_both_languages(
    tmp_path: Path, case: Case, server_address: str
) -> None:
    card = case.write(tmp_path)["identity"][0]
    done = absah(
        *("validate", "--server", server_address, "--policy", "identity-card"),
        *(f"identity={card}", "--claim", "nik=3201011508950001"),
        exits=4,
    )
    assert "REJECT" in done.stdout
    assert "bukti bertentangan dengan klaim" in done.stdout
    assert "the evidence contradicts the claim" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "exits", "told"),
    [
        (("photo",), 2, "no ROLE=FILE"),
        (("photo=/no/such/file.jpg", "--policy", "field-report"), 1, "No such file"),
        (("report={report}", "--policy", "nothing"), 1, "no policy 'nothing'"),
        (("report={report}", "--policy", "field-report"), 1, "photo are expected"),
        (("report={report}",), 1, "either a policy or a list of checkers"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(
    tmp_path: Path, server_address: str, arguments: tuple[str, ...], exits: int, told: str
) -> None:
    report = tmp_path / "report.txt"
    report.write_text("Laporan")
    filled = [argument.format(report=report) for argument in arguments]
    done = absah("validate", "--server", server_address, *filled, exits=exits)
    assert told in done.stderr


def test_no_server_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    report = tmp_path / "report.txt"
    report.write_text("Laporan")
    done = absah(
        *("validate", "--server", "127.0.0.1:1", "--checker", "entities", f"report={report}"),
        exits=1,
    )
    assert "absah serve" in done.stderr


def test_lists_are_json_lines_for_machines() -> None:
    names = {line["name"] for line in lines(absah("checkers", "--json"))}
    assert {
        "checkers/ocr",
        "checkers/objects",
        "checkers/entities",
        "checkers/authenticity",
    } <= names
    policies = {line["name"] for line in lines(absah("policies", "--json"))}
    assert policies >= {
        "policies/field-report@1",
        "policies/identity-card@1",
        "policies/official-letter@1",
    }
    models = lines(absah("models", "--json"))
    assert all(not line["problem"] and len(line["sha256"]) == 64 for line in models)


def test_a_policy_is_shown_by_its_source() -> None:
    assert absah("policies", "field-report").stdout.startswith("# A report on work in the field")


def test_doctor_finds_nothing_missing() -> None:
    found = lines(absah("doctor", "--json"))
    assert all(line["ok"] or line["optional"] for line in found)
    assert {"python", "models", "policies", "sandbox"} <= {line["what"] for line in found}


def test_help_is_quick_to_import() -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-X", "importtime", "-m", "absah_ops", "--help"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "grpc" not in done.stderr
    assert "numpy" not in done.stderr
