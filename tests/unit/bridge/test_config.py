"""A bridge.yaml that cannot work is refused at start, with file, line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from absah_bridge import config, systems
from absah_bridge.codecs import Incoming
from absah_bridge.errors import ConfigInvalid, MessageInvalid

GOOD = """\
core: {address: "127.0.0.1:1"}
stores:
  berkas: {kind: folder, folder: berkas}
systems:
  simpeg:
    consume:
      queue: q
    codec:
      kind: json
    tables:
      status: {ACCEPT: "00"}
    request:
      policy: field-report
      claims:
        name: nama
        date:
          from: tgl
          date: "%d%m%Y"
      documents:
        - role: photo
          each: foto
          reference: path
          store: berkas
    answer:
      fields:
        nomor: message.nomor
        status:
          from: verdict.decision
          table: status
"""


def load(folder: Path, text: str) -> None:
    (folder / "bridge.yaml").write_text(text)
    systems.load(folder / "bridge.yaml")


def test_a_good_file_is_read_with_paths_from_its_own_folder(tmp_path: Path) -> None:
    load(tmp_path, GOOD)
    read = config.read(tmp_path / "bridge.yaml")
    assert read.stores["berkas"].folder == tmp_path / "berkas"


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "problem"),
    [
        (
            "kind: json",
            "kind: edifact",
            9,
            "systems.simpeg.codec.kind",
            "there is no codec 'edifact'",
        ),
        ("kind: json", "{kind: json", 10, "", "expected"),
        ("queue: q", "antrian: q", 7, "systems.simpeg.consume.antrian", "not permitted"),
        ("      queue: q", "      queue: q\n      prefetch: 0", 8, "prefetch", "greater than 0"),
        ("name: nama", "name: na..ma", 15, "systems.simpeg", "is no path"),
        ("name: nama", 'name: {cel: "message.("}', 15, "request.claims.name.cel", "Syntax error"),
        ("name: nama", 'name: {cel: "mesage.nama"}', 15, "systems.simpeg", "mesage is not known"),
        ('date: "%d%m%Y"', "tanggal: x", 18, "claims.date.tanggal", "not permitted"),
        ("store: berkas", "store: arsip", 23, "documents.0.store", "there is no store 'arsip'"),
        ("each: foto", 'each: "foto["', 21, "systems.simpeg", "is no path"),
        ("reference: path", "reference: pa th", 22, "", ""),
        ("table: status", "table: keputusan", 29, "systems.simpeg", "no table 'keputusan'"),
        ("table: status", "cel: x", 27, "answer.fields.status", "one of from, cel and value"),
        ("  simpeg:", "  Simpeg:", 5, "systems.Simpeg", "pattern"),
        ("folder: berkas", "url: 'sftp://x/'", 3, "stores.berkas", "needs folder"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, field: str, problem: str
) -> None:
    assert old in GOOD
    if not problem:
        load(tmp_path, GOOD.replace(old, new))
        return
    with pytest.raises(ConfigInvalid) as caught:
        load(tmp_path, GOOD.replace(old, new))
    assert problem in caught.value.problem
    assert field in caught.value.field
    assert caught.value.line == line
    assert "bridge.yaml" in str(caught.value)


def test_codes_stay_as_people_wrote_them(tmp_path: Path) -> None:
    codes = '{A: 00, B: NO, C: 1.10, D: 12:30, E: 2026-01-02, F: 7, G: true, H: 0x1F, "1": 1.5}'
    load(tmp_path, GOOD.replace('{ACCEPT: "00"}', codes))
    read = config.read(tmp_path / "bridge.yaml").systems["simpeg"].tables["status"]
    assert list(read.values()) == ["00", "NO", "1.10", "12:30", "2026-01-02", 7, True, "0x1F", 1.5]


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="'name' stands here twice") as caught:
        load(tmp_path, GOOD.replace("name: nama", "name: nama\n        name: nama_lengkap"))
    assert caught.value.line == 16


def test_an_expression_that_fails_logs_no_value(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load(tmp_path, GOOD.replace("name: nama", "name: {cel: bool(message.nama)}"))
    system = systems.load(tmp_path / "bridge.yaml")[1]["simpeg"]
    arrived = system.read(Incoming(body=b'{"nama": "3201011508950001"}', headers={}), message_id="")
    with pytest.raises(MessageInvalid) as caught:
        system.ask(arrived)
    assert "3201011508950001" not in str(caught.value)
    assert "3201011508950001" not in caplog.text


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bridge.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigInvalid):
        config.read(tmp_path / "bridge.yaml")


@pytest.mark.parametrize("text", ["", "[]", "systems: {}", "&a [*a]", "systems: *x"])
def test_a_file_without_systems_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigInvalid):
        load(tmp_path, text)


def test_a_password_is_not_shown() -> None:
    read = config.Bridge.model_validate(
        {
            "brokers": [{"url": "amqp://bridge:rahasia@127.0.0.1/"}],
            "systems": {
                "a": {
                    "consume": {"queue": "q"},
                    "codec": {"kind": "json"},
                    "request": {"policy": "p"},
                    "answer": {"fields": {}},
                }
            },
        }
    )
    assert "rahasia" not in repr(read)
