"""`absah bridge try` and `test` show what a mapping makes of a message, and where it is wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from absah_ops.main import main

EXAMPLES = Path(__file__).parents[3] / "clients" / "bridge" / "examples"
NIK = "6302144605819194"


def absah(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["bridge", *map(str, arguments)])


def try_(system: str, message: Path, *options: str) -> Result:
    config = ("--config", EXAMPLES / "bridge.yaml")
    return absah("try", system, message, *config, "--dry-run", *options)


def told(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def case(system: str, name: str) -> Path:
    (file,) = (EXAMPLES / system / "cases" / name).glob("message.*")
    return file


def changed(folder: Path, file: Path, *changes: tuple[bytes, bytes]) -> Path:
    body = file.read_bytes()
    for old, new in changes:
        assert old in body
        body = body.replace(old, new)
    (folder / file.name).write_bytes(body)
    return folder / file.name


def test_each_fields_way_is_shown_from_message_to_request_and_from_verdict_to_answer() -> None:
    result = try_("silap", case("silap", "diterima"), "--json")
    assert result.exit_code == 0
    lines = told(result)
    steps = {(line["way"], line["target"]): line for line in lines if "target" in line}
    date = steps["request", "claims.date"]
    assert (date["source"], date["position"]) == (
        "LAPORAN.KEGIATAN.TGL_KEGIATAN",
        "line 12, column 5",
    )
    assert (date["raw"], date["value"]) == ("21-04-2026", "2026-04-21")
    status = steps["answer", "KODE_STATUS"]
    assert (status["source"], status["raw"], status["value"]) == (
        "verdict.decision",
        "ACCEPT",
        "00",
    )
    assert "<KODE_STATUS>00</KODE_STATUS>" in lines[-1]["body"]


def test_documents_are_shown_by_size_and_digest_and_not_by_content() -> None:
    for options in ((), ("--json",)):
        result = try_("silap", case("silap", "diterima"), *options)
        assert "/9j/" not in result.stdout
        assert "musyawarah perencanaan pembangunan desa bertempat" not in result.stdout
        assert "sha256" in result.stdout


def test_every_mistake_is_shown_with_its_place(tmp_path: Path) -> None:
    file = changed(
        tmp_path, case("arsip", "tiga-surat"), (b"K024", b"K999"), (b"20072025", b"2007202X")
    )
    result = try_("arsip", file)
    assert result.exit_code == 1
    assert "BAD_VALUE" in result.stderr or "UNKNOWN_CODE" in result.stderr
    assert "record 2, columns 46-49, KODE_INSTANSI" in result.stderr
    assert "record 4, columns 38-45, TGL_SURAT" in result.stderr
    mistakes = [line for line in told(try_("arsip", file, "--json")) if "cause" in line]
    assert [line["field"] for line in mistakes] == ["KODE_INSTANSI", "TGL_SURAT"]


def test_all_violations_of_a_schema_are_shown(tmp_path: Path) -> None:
    file = changed(
        tmp_path, case("silap", "diterima"), (b"21-04-2026<", b"2026<"), (NIK.encode(), b"12345")
    )
    result = try_("silap", file)
    assert result.exit_code == 1
    assert "line 7, column 5, LAPORAN.peg:PEGAWAI.peg:NIK" in result.stderr
    assert "line 12, column 5, LAPORAN.KEGIATAN.TGL_KEGIATAN" in result.stderr
    assert "12345" not in result.output


def test_records_of_wrong_length_are_all_shown(tmp_path: Path) -> None:
    file = changed(tmp_path, case("arsip", "tiga-surat"), (b"D000001", b"D1"), (b"D000003", b"D3"))
    result = try_("arsip", file)
    assert "record 2, SURAT" in result.stderr
    assert "record 4, SURAT" in result.stderr


def test_an_answer_that_cannot_be_told_is_said_to(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    config = tmp_path / "examples" / "bridge.yaml"
    config.write_text(config.read_text().replace('REJECT: "20"', "").replace('ACCEPT: "00", ', ""))
    result = absah("try", "silap", case("silap", "diterima"), "--dry-run", "--config", config)
    assert result.exit_code == 1
    assert "KODE_STATUS: is no code of table status; it has REVIEW (ANSWER_FAILED)" in result.stderr


def test_a_bad_bridge_yaml_is_told_with_file_line_and_field(tmp_path: Path) -> None:
    config = tmp_path / "bridge.yaml"
    config.write_text(
        (EXAMPLES / "bridge.yaml").read_text().replace("table: kegiatan", "table: kegiatn")
    )
    shutil.copytree(EXAMPLES / "silap", tmp_path / "silap")
    result = absah("try", "silap", case("silap", "diterima"), "--config", config)
    assert result.exit_code == 1
    line = 1 + config.read_text().split("\n").index(
        "        activity: {from: LAPORAN.KEGIATAN.KODE_KEGIATAN, table: kegiatn}"
    )
    assert f"bridge.yaml, line {line}: systems.silap.request.claims.activity.table" in result.stderr
    assert "there is no table 'kegiatn'; there are kegiatan, keterangan, status" in result.stderr


def test_a_server_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    config = tmp_path / "examples" / "bridge.yaml"
    config.write_text(config.read_text().replace("127.0.0.1:50051", "127.0.0.1:1"))
    result = absah("try", "silap", case("silap", "diterima"), "--config", config)
    assert result.exit_code == 1
    assert "UNAVAILABLE" in result.stderr
    assert "Is a server running there?" in result.stderr


def test_an_unknown_system_is_told_with_those_that_there_are() -> None:
    result = absah("try", "simpeg", case("silap", "diterima"), "--config", EXAMPLES / "bridge.yaml")
    assert "arsip, sikartu, silap" in result.stderr


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLES / "sikartu" / "cases", tmp_path / "cases")
    return tmp_path / "cases"


def round_trip(cases: Path, *options: str) -> Result:
    return absah("test", "sikartu", cases, "--config", EXAMPLES / "bridge.yaml", *options)


def test_golden_files_that_hold_exit_with_0(cases: Path) -> None:
    result = round_trip(cases, "--json")
    assert result.exit_code == 0
    assert all(line["holds"] for line in told(result))


@pytest.mark.parametrize(
    ("file", "old", "new", "difference"),
    [
        ("sesuai/answer.json", "SESUAI", "COCOK", "answer.json differs from line 1, byte 208"),
        ("sesuai/requests.json", "1997", "1998", "requests.json differs from line"),
        ("sesuai/validations.json", "ACCEPT", "REJECT", "answer.json differs from line"),
        ("sesuai/message.json", '"1"', '"3"', "requests.json is there, but the message is refused"),
        ("tanpa-nik/refusal.json", "data.NIK", "data.NAMA", "refusal.json differs from line 3"),
        ("tanpa-nik/message.json", '"NAMA_L', '"NIK": "1", "NAMA_L', "the message is in order"),
    ],
)
def test_what_differs_is_told(cases: Path, file: str, old: str, new: str, difference: str) -> None:
    text = (cases / file).read_text()
    assert old in text
    (cases / file).write_text(text.replace(old, new))
    result = round_trip(cases)
    assert result.exit_code == 1
    assert difference in result.stdout


def test_update_writes_what_is_missing_and_removes_what_no_longer_belongs(cases: Path) -> None:
    for name in ("requests.json", "validations.json", "answer.json"):
        (cases / "sesuai" / name).unlink()
    message = cases / "berbeda" / "message.json"
    message.write_text(message.read_text().replace('"2"', '"9"'))
    assert round_trip(cases).exit_code == 1
    assert round_trip(cases, "--update").exit_code == 0
    assert round_trip(cases).exit_code == 0
    assert json.loads((cases / "berbeda" / "refusal.json").read_text())["cause"] == "UNKNOWN_CODE"
    assert not (cases / "berbeda" / "requests.json").exists()
    assert json.loads((cases / "sesuai" / "answer.json").read_text())["data"]["HASIL"] == "SESUAI"


def test_a_golden_file_that_people_broke_is_named(cases: Path) -> None:
    for broken in ("{", '[{"name": 1}]', '[{"stat": "x"}]'):
        (cases / "sesuai" / "validations.json").write_text(broken)
        result = round_trip(cases)
        assert result.exit_code == 1
        assert "sesuai/validations.json" in result.stderr


def test_properties_say_what_came_with_a_message(cases: Path) -> None:
    case = cases / "biner"
    case.mkdir()
    event = json.loads((cases / "sesuai" / "message.json").read_text())
    (case / "message.json").write_text(json.dumps(event.pop("data")))
    headers = {f"cloudEvents:{name}": value for name, value in event.items()}
    properties = {"content_type": "application/json", "headers": headers}
    (case / "properties.json").write_text(json.dumps(properties))
    assert round_trip(cases, "--update").exit_code == 0
    assert (case / "requests.json").read_text() == (cases / "sesuai/requests.json").read_text()


def test_a_folder_without_cases_is_no_success(tmp_path: Path) -> None:
    assert round_trip(tmp_path).exit_code == 1
