"""Codecs read what legacy systems write, and name the place of what they cannot read."""

from __future__ import annotations

from pathlib import Path

import pytest
from bridge_codecs import make_codec, read, refusal

from absah_bridge import tree
from absah_bridge.errors import Cause, MessageInvalid


def test_json_is_read_by_paths() -> None:
    node = read(make_codec(kind="json"), b'{"a": {"b": [{"c": 1}, {"c": 2}]}}')
    assert tree.plain(tree.find(node, "a.b[1].c")) == 2  # type: ignore[arg-type]
    assert tree.find(node, "a.x") is None


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"{", Cause.NOT_WELL_FORMED),
        (b"[1]", Cause.NOT_WELL_FORMED),
        (b'{"a": NaN}', Cause.NOT_WELL_FORMED),
        (b'{"a": 1, "a": 2}', Cause.NOT_WELL_FORMED),
        (b'{"a": "\xe9"}', Cause.WRONG_CHARSET),
        (b'{"a": ' + b"[" * 100_000, Cause.NOT_WELL_FORMED),
        (b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}", Cause.NOT_WELL_FORMED),
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes, cause: Cause) -> None:
    assert refusal(make_codec(kind="json"), body).cause is cause


NAMESPACES = {"l": "urn:simpeg:laporan"}
REPORT = """<?xml version="1.0" encoding="windows-1252"?>
<l:laporan xmlns:l="urn:simpeg:laporan" nomor="7">
  <l:nama>Siti Nurhalizá</l:nama>
  <l:foto nama="a.jpg">AAA=</l:foto>
  <l:foto nama="b.jpg">BBB=</l:foto>
</l:laporan>
"""


def test_xml_is_read_in_the_charset_that_it_declares() -> None:
    codec = make_codec(kind="xml", namespaces=NAMESPACES)
    node = read(codec, REPORT.encode("windows-1252"))
    assert tree.plain(node) == {
        "l:laporan": {
            "@nomor": "7",
            "l:nama": "Siti Nurhalizá",
            "l:foto": [
                {"@nama": "a.jpg", "#text": "AAA="},
                {"@nama": "b.jpg", "#text": "BBB="},
            ],
        }
    }
    name = tree.find(node, "l:laporan.l:nama")
    assert name is not None and name.position == "line 3, column 3"


def test_xml_in_utf_16_is_read() -> None:
    text = REPORT.replace("windows-1252", "utf-16")
    node = read(make_codec(kind="xml", namespaces=NAMESPACES), text.encode("utf-16"))
    assert tree.plain(tree.find(node, "l:laporan.l:nama")) == "Siti Nurhalizá"  # type: ignore[arg-type]


BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<laporan>&b;</laporan>"""
THIEF = """<?xml version="1.0"?>
<!DOCTYPE laporan [<!ENTITY f SYSTEM "file:///etc/passwd">]><laporan>&f;</laporan>"""


@pytest.mark.parametrize("body", [BOMB, THIEF])
def test_entities_in_xml_are_refused_and_never_expanded(body: str) -> None:
    error = refusal(make_codec(kind="xml"), body.encode())
    assert error.cause is Cause.FORBIDDEN_CONSTRUCT
    assert error.position.startswith("line 2")


def test_what_is_not_xml_is_refused_with_its_place() -> None:
    error = refusal(make_codec(kind="xml"), b"<a>\n  <b>\n</a>")
    assert (error.cause, error.position) == (Cause.NOT_WELL_FORMED, "line 3, column 3")


def test_xml_that_is_nested_without_end_is_refused() -> None:
    assert refusal(make_codec(kind="xml"), b"<a>" * 5000).cause is Cause.NOT_WELL_FORMED


SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:element name="laporan"><xs:complexType><xs:sequence>
  <xs:element name="nik"><xs:simpleType><xs:restriction base="xs:string">
    <xs:pattern value="[0-9]{16}"/></xs:restriction></xs:simpleType></xs:element>
</xs:sequence></xs:complexType></xs:element></xs:schema>"""


def test_a_schema_violation_names_field_and_line_and_not_the_value(tmp_path: Path) -> None:
    (tmp_path / "laporan.xsd").write_text(SCHEMA)
    codec = make_codec(tmp_path, kind="xml", xsd="laporan.xsd")
    assert read(codec, b"<laporan><nik>3201011508950001</nik></laporan>")
    error = refusal(codec, b"<laporan>\n<nik>32010115089500AB</nik></laporan>")
    assert error.cause is Cause.SCHEMA_VIOLATION
    assert (error.field, error.position) == ("laporan.nik", "line 2, column 1")
    assert "32010115089500AB" not in str(error)


def test_an_answer_in_xml_is_read_back_as_it_was_written() -> None:
    codec = make_codec(kind="xml", namespaces=NAMESPACES, root="l:jawaban")
    answer = {
        "@nomor": "7",
        "l:status": "TERIMA",
        "l:alasan": ["satu & dua", "tiga < empat"],
        "l:kosong": None,
    }
    body = codec.encode(answer).body
    expected = {key: value for key, value in answer.items() if value is not None}
    assert tree.plain(read(codec, body)) == {"l:jawaban": expected}


def test_text_with_markup_in_it_is_read_as_a_whole() -> None:
    node = read(make_codec(kind="xml"), b"<a><b>Rapat <i>desa</i> lancar.</b></a>")
    assert tree.plain(tree.find(node, "a.b.#text")) == "Rapat desa lancar."  # type: ignore[arg-type]


def test_an_element_without_the_namespace_is_another_one() -> None:
    codec = make_codec(kind="xml", namespaces={"": "urn:a"})
    assert tree.plain(read(codec, b'<p:a xmlns:p="urn:a"><b>1</b></p:a>')) == {"a": {"{}b": "1"}}


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "iso-8859-1", "us-ascii"])
def test_an_answer_in_xml_is_read_back_in_every_charset(charset: str) -> None:
    codec = make_codec(kind="xml", charset=charset)
    body = codec.encode({"nama": "Siti “Iti” Nurhalizá €"}).body
    assert tree.plain(read(codec, body)) == {"jawaban": {"nama": "Siti “Iti” Nurhalizá €"}}


def test_an_answer_in_csv_or_fixed_width_may_have_a_substitute() -> None:
    answer = {"detail": [{"kind": "D", "name": "a→b\nc", "amount": 1}]}
    codec = make_codec(kind="fixed", records=MAINFRAME, substitute="?")
    assert codec.encode(answer).body == b"Da?b c 0001\r\n"
    rows = {"rows": [{"a": "x→y"}]}
    codec = make_codec(kind="csv", charset="windows-1252", substitute="?")
    assert codec.encode(rows).body == b"a\r\nx?y\r\n"


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "windows-1252"])
@pytest.mark.parametrize("end", ["crlf", "lf"])
def test_an_answer_in_fixed_width_is_read_back_in_every_charset(charset: str, end: str) -> None:
    codec = make_codec(kind="fixed", records=MAINFRAME, charset=charset, separator=end)
    answer = {
        "header": {"kind": "H", "unit": "DINKES"},
        "detail": [
            {"kind": "D", "name": "José", "amount": "42"},
            {"kind": "D", "name": "Siti", "amount": "7"},
        ],
    }
    assert tree.plain(read(codec, codec.encode(answer).body)) == answer


MAINFRAME = [
    {
        "name": "header",
        "starts": "H",
        "count": "one",
        "fields": [{"name": "kind", "width": 1}, {"name": "unit", "width": 8}],
    },
    {
        "name": "detail",
        "starts": "D",
        "fields": [
            {"name": "kind", "width": 1},
            {"name": "name", "width": 6},
            {"name": "amount", "width": 4, "align": "right", "fill": "0"},
        ],
    },
]


def test_fixed_width_records_are_read_by_columns() -> None:
    codec = make_codec(kind="fixed", records=MAINFRAME)
    node = read(codec, "HDINKES  \r\nDJos\xe9  0042\r\nDSiti  0000\r\n".encode("windows-1252"))
    assert tree.plain(node) == {
        "header": {"kind": "H", "unit": "DINKES"},
        "detail": [
            {"kind": "D", "name": "José", "amount": "42"},
            {"kind": "D", "name": "Siti", "amount": "0"},
        ],
    }
    amount = tree.find(node, "detail[0].amount")
    assert amount is not None and amount.position == "record 2, columns 8-11"


def test_a_record_of_another_length_is_named() -> None:
    error = refusal(make_codec(kind="fixed", records=MAINFRAME), b"HDINKES  \r\nDJose  042\r\n")
    assert (error.cause, error.position) == (Cause.WRONG_LENGTH, "record 2")


def test_an_answer_that_is_too_long_for_its_columns_is_refused() -> None:
    codec = make_codec(kind="fixed", records=MAINFRAME)
    with pytest.raises(MessageInvalid) as caught:
        codec.encode({"detail": [{"kind": "D", "name": "Bambang", "amount": 1}]})
    assert (caught.value.cause, caught.value.field) == (Cause.ANSWER_FAILED, "detail.name")


def test_a_character_that_the_charset_has_not_is_refused() -> None:
    codec = make_codec(kind="fixed", records=MAINFRAME)
    with pytest.raises(MessageInvalid, match=r"U\+4E2D"):
        codec.encode({"detail": [{"kind": "D", "name": "中", "amount": 1}]})


def test_csv_rows_are_read_by_the_names_of_the_first_line() -> None:
    codec = make_codec(kind="csv", delimiter=";")
    node = read(codec, b'nik;nama\r\n1;"Siti; A"\r\n')
    assert tree.plain(node) == {"rows": [{"nik": "1", "nama": "Siti; A"}]}
    assert codec.encode({"rows": [{"nik": "1", "nama": 'a"b'}]}).body == (
        b'nik;nama\r\n1;"a""b"\r\n'
    )


def test_a_row_with_a_field_too_few_is_named() -> None:
    error = refusal(make_codec(kind="csv"), b"a,b\r\n1,2\r\n3\r\n")
    assert (error.cause, error.position) == (Cause.WRONG_LENGTH, "line 3")


EVENT = b'{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"a":1}}'


def test_cloud_events_are_read_in_both_modes() -> None:
    codec = make_codec(kind="cloudevents")
    structured = read(codec, EVENT, "application/cloudevents+json")
    headers = {
        f"cloudEvents:{k}": v
        for k, v in (
            ("specversion", "1.0"),
            ("id", "1"),
            ("source", "/s"),
            ("type", "t"),
        )
    }
    binary = read(codec, b'{"a":1}', "application/json", **headers)
    assert tree.plain(structured) == tree.plain(binary)


def test_an_event_without_a_source_is_refused() -> None:
    body = EVENT.replace(b'"source":"/s",', b"")
    error = refusal(make_codec(kind="cloudevents"), body, "application/cloudevents+json")
    assert (error.cause, error.field) == (Cause.MISSING_FIELD, "source")


def test_an_unknown_codec_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="there is no codec 'edifact'"):
        make_codec(kind="edifact")
