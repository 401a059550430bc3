"""Each example system sends what it always sent, and reads answers in its own form and words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from example_systems import EXAMPLES, Legacy, message

from absah_ops.main import main

COLUMNS = {
    "no_urut": (1, 7),
    "nomor": (7, 37),
    "kode": (37, 39),
    "tgl": (39, 53),
    "alasan": (53, 173),
}
"""Where ARSIP's program looks in a record of an answer."""


def read_xml(body: bytes) -> Mapping[str, Any]:
    """What SILAP's program takes from an answer."""
    root = ElementTree.fromstring(body)
    space = "{urn:silap:jawaban:2}"
    assert root.tag == f"{space}JAWABAN"
    texts = {child.tag.removeprefix(space): child.text for child in root}
    return {"NOMOR": root.attrib["NOMOR"], **texts}


@pytest.mark.parametrize(
    ("case", "number", "code", "word"),
    [
        ("diterima", "LK/2026/04/00117", "00", "DITERIMA"),
        ("ditolak", "LK/2026/04/00118", "20", "DITOLAK"),
    ],
)
def test_an_xml_report_is_answered_in_xml(
    legacy: Legacy, case: str, number: str, code: str, word: str
) -> None:
    sent = legacy.send("silap.laporan", message("silap", case), correlation_id="K-1")
    properties, body = legacy.receive("silap.jawaban")
    answer = read_xml(body)
    assert (answer["NOMOR"], answer["KODE_STATUS"], answer["STATUS"]) == (number, code, word)
    assert body.startswith(b'<?xml version="1.0" encoding="windows-1252"?>')
    assert properties.correlation_id == "K-1"
    assert answer["NO_REFERENSI"].startswith("validations/")
    assert sent


def test_a_fixed_width_batch_is_answered_by_a_batch_with_a_code_for_each_letter(
    legacy: Legacy,
) -> None:
    legacy.send("arsip.batch", message("arsip", "tiga-surat"))
    _, body = legacy.receive("arsip.hasil")
    header, *details, trailer, end = body.decode("windows-1252").split("\r\n")
    assert end == ""
    assert header == "H630214000041"
    told = [
        {name: line[start:stop].strip() for name, (start, stop) in COLUMNS.items()}
        for line in details
    ]
    assert [(line["no_urut"], line["kode"]) for line in told] == [
        ("000001", "00"),
        ("000002", "20"),
        ("000003", "00"),
    ]
    assert "Perihal" in told[1]["alasan"]
    assert trailer == "T000002000000000001000003"


@pytest.mark.parametrize(("case", "word"), [("sesuai", "SESUAI"), ("berbeda", "TIDAK_SESUAI")])
def test_an_event_is_answered_by_an_event(legacy: Legacy, case: str, word: str) -> None:
    sent = message("sikartu", case)
    legacy.send("sikartu.permohonan", sent, content_type="application/cloudevents+json")
    properties, body = legacy.receive("sikartu.hasil")
    event = json.loads(body)
    assert properties.content_type == "application/cloudevents+json"
    assert (event["specversion"], event["type"]) == ("1.0", "id.absah.kartu.diperiksa")
    assert event["data"]["HASIL"] == word
    assert event["data"]["NO_PERMOHONAN"] == json.loads(sent)["data"]["NO_PERMOHONAN"]
    agreements = {line["ISIAN"]: line["KESESUAIAN"] for line in event["data"]["RINCIAN"]}
    assert agreements["nik"] == "SAMA"
    assert agreements["birth_date"] == ("SAMA" if word == "SESUAI" else "BERBEDA")


QUEUES = {"silap": "silap.laporan", "arsip": "arsip.batch", "sikartu": "sikartu.permohonan"}
REFUSED = [
    (file.parts[-4], file.parts[-2]) for file in sorted(EXAMPLES.glob("*/cases/*/refusal.json"))
]


def test_bad_messages_are_parked_with_cause_field_and_position_and_the_next_goes_on(
    legacy: Legacy,
) -> None:
    sent = {
        (system, case): legacy.send(QUEUES[system], message(system, case))
        for system, case in REFUSED
    }
    legacy.send("arsip.batch", message("arsip", "satu-surat"))
    _, body = legacy.receive("arsip.hasil")
    assert body.endswith(b"\r\nT000001000000000000000001\r\n")
    parked: dict[str, tuple[Any, bytes]] = {}
    for system, _ in REFUSED:
        properties, body = legacy.parked(QUEUES[system])
        parked[properties.message_id] = properties, body
    for (system, case), message_id in sent.items():
        properties, body = parked[message_id]
        expected = json.loads((EXAMPLES / system / "cases" / case / "refusal.json").read_text())
        assert told(properties.headers) == expected
        assert body == message(system, case)


def try_(legacy: Legacy, file: Path) -> Result:
    arguments = ["bridge", "try", "sikartu", str(file), "--config", str(legacy.config)]
    return CliRunner().invoke(main, arguments)


def test_people_try_a_message_and_take_no_place_of_one_to_come(
    legacy: Legacy, tmp_path: Path
) -> None:
    body = message("sikartu", "sesuai").replace(b"sikartu-00000211", b"sikartu-00000300")
    tried = tmp_path / "message.json"
    tried.write_bytes(body.replace(b"04/08/1997", b"05/08/1997"))
    result = try_(legacy, tried)
    assert result.exit_code == 0, result.output
    assert '"HASIL":"TIDAK_SESUAI"' in result.stdout
    assert "data.TGL_LHR" in result.stdout
    legacy.send("sikartu.permohonan", body)
    assert json.loads(legacy.receive("sikartu.hasil")[1])["data"]["HASIL"] == "SESUAI"


def test_people_who_try_a_message_are_told_of_a_file_that_is_not_there(
    legacy: Legacy, tmp_path: Path
) -> None:
    file = tmp_path / "message.json"
    file.write_bytes(message("sikartu", "sesuai").replace(b"ktp-45.jpg", b"ktp-99.jpg"))
    result = try_(legacy, file)
    assert result.exit_code == 1
    assert "data.BERKAS_KTP, line 15, column 19" in result.stderr
    assert "MISSING_ATTACHMENT" in result.stderr


def told(headers: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: headers[f"x-absah-{name}"] for name in ("cause", "field", "position")}


@pytest.mark.parametrize(
    ("system", "case", "old", "new", "expected"),
    [
        (
            "silap",
            "diterima",
            b"surat-tugas-00117.jpg",
            b"tidak-ada.jpg",
            ("MISSING_ATTACHMENT", "LAPORAN.LAMPIRAN.SURAT_TUGAS", "line 209, column 5"),
        ),
        (
            "silap",
            "diterima",
            b"silap/ktp-00117.jpg",
            b"silap/besar.jpg",
            ("ATTACHMENT_TOO_LARGE", "LAPORAN.LAMPIRAN.KTP", "line 210, column 5"),
        ),
        (
            "silap",
            "diterima",
            b"silap/ktp-00117.jpg",
            b"../bridge.yaml",
            ("ATTACHMENT_REFUSED", "LAPORAN.LAMPIRAN.KTP", "line 210, column 5"),
        ),
        (
            "arsip",
            "tiga-surat",
            b"arsip/000024.jpg",
            b"arsip/000025.jpg",
            ("MISSING_ATTACHMENT", "BERKAS", "record 3, columns 175-204"),
        ),
        (
            "sikartu",
            "sesuai",
            b"ktp-45.jpg",
            b"ktp-99.jpg",
            ("MISSING_ATTACHMENT", "data.BERKAS_KTP", "line 15, column 19"),
        ),
        (
            "sikartu",
            "sesuai",
            b"ktp-45.jpg",
            b"//127.0.0.1:1/ktp.jpg",
            ("ATTACHMENT_REFUSED", "data.BERKAS_KTP", "line 15, column 19"),
        ),
    ],
)
def test_a_reference_that_leads_to_no_file_is_parked_with_its_place(
    legacy: Legacy, system: str, case: str, old: bytes, new: bytes, expected: tuple[str, ...]
) -> None:
    body = message(system, case)
    assert old in body
    legacy.send(QUEUES[system], body.replace(old, new))
    properties, _ = legacy.parked(QUEUES[system])
    assert tuple(told(properties.headers).values()) == expected
