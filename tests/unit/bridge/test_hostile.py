"""What is sent to do harm is refused before it costs much, and is never repeated."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from bridge_codecs import make_codec, read, refusal
from google.protobuf import any_pb2, descriptor_pb2

from absah_bridge import tree
from absah_bridge.codecs import Codec
from absah_bridge.errors import Cause

NIK = "3201011508950001"
MIB = 2**20

FIXED = {
    "kind": "fixed",
    "records": [
        {
            "name": "H",
            "starts": "H",
            "count": "one",
            "at": "first",
            "fields": [{"name": "A", "width": 3}],
        },
        {
            "name": "D",
            "starts": "D",
            "fields": [{"name": "A", "width": 1}, {"name": "NIK", "width": 16}],
        },
    ],
}


def numbered(form: bytes, count: int = 250_000) -> bytes:
    return b" ".join(form % number for number in range(count))


@pytest.mark.parametrize(
    ("config", "body", "cause"),
    [
        ({"kind": "json"}, b'{"a":' + b"9" * 5000 + b"}", Cause.BAD_VALUE),
        ({"kind": "json"}, b'{"a":1e999}', Cause.BAD_VALUE),
        ({"kind": "json"}, b'{"a":[' + b"1," * MIB + b"1]}", Cause.MESSAGE_TOO_LARGE),
        ({"kind": "json"}, b'{"a":' + b'{"a":' * 900 + b"1" + b"}" * 901, Cause.NOT_WELL_FORMED),
        ({"kind": "xml"}, b"<a>" + b"<b/>" * MIB + b"</a>", Cause.MESSAGE_TOO_LARGE),
        ({"kind": "xml"}, b"<a " + b'b="" ' * (MIB // 4) + b"/>", Cause.MESSAGE_TOO_LARGE),
        ({"kind": "xml"}, b"<a " + b"b='' " * (MIB // 4) + b"/>", Cause.MESSAGE_TOO_LARGE),
        ({"kind": "xml"}, b"<a " + numbered(b"b%d=" + b" " * 9 + b"''"), Cause.MESSAGE_TOO_LARGE),
        ({"kind": "xml"}, b"<a>" + b'="' * MIB + b"</a>", Cause.MESSAGE_TOO_LARGE),
        ({"kind": "xml"}, b"<a " + numbered(b"b%d=''", 300) + b"/>", Cause.NOT_WELL_FORMED),
        (
            {"kind": "xml"},
            b"<a>" * 60 + b"x" * MIB + b"</a>y" * 59 + b"</a>",
            Cause.NOT_WELL_FORMED,
        ),
        ({"kind": "csv"}, b"a,b\r\n" + b"," * MIB, Cause.MESSAGE_TOO_LARGE),
        ({"kind": "csv"}, b",".join(b"c%d" % n for n in range(5000)), Cause.NOT_WELL_FORMED),
        ({"kind": "csv"}, b'a,b\r\n"' + b"x" * MIB, Cause.NOT_WELL_FORMED),
        (FIXED, b"Haa\r\n" + b"\r\n" * MIB, Cause.MESSAGE_TOO_LARGE),
        (FIXED, b"", Cause.NOT_WELL_FORMED),
    ],
)
def test_a_flood_of_small_things_is_refused_before_it_is_built(
    config: dict[str, object], body: bytes, cause: Cause
) -> None:
    codec = make_codec(**config)
    tracemalloc.start()
    error = refusal(codec, body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert error.cause is cause
    assert peak < 20 * len(body) + 4 * MIB


MANY = b"[" + b"," * 250_000


@pytest.mark.parametrize(
    ("config", "body"),
    [
        ({"kind": "json"}, MANY + b'"' + b'\\"' * MIB),
        ({"kind": "json"}, MANY + b'"' + b'\\"' * MIB + b"\\"),
        ({"kind": "xml"}, b'<a xmlns="' + b"u" * 2 * MIB + b'">' + b"<b/>" * 90_000 + b"</a>"),
        ({"kind": "xml"}, b"<a xmlns:p='" + b"u" * MIB + numbered(b"' p:b%d='", 190_000) + b"'/>"),
        ({"kind": "xml"}, b"<a " + b" xmlns" * MIB + b"/>"),
        ({"kind": "xml"}, b"<a " + b" xmlns=" * MIB + b"/>"),
    ],
)
def test_what_would_take_hours_is_refused_in_time_that_grows_with_its_length(
    config: dict[str, object], body: bytes
) -> None:
    """By the square of the length each of these would go through terabytes."""
    assert refusal(make_codec(**config), body)


def test_the_attributes_of_one_element_are_bounded_where_a_schema_would_tell_of_each(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.xsd").write_text(SCHEMA)
    codec = make_codec(tmp_path, kind="xml", xsd="a.xsd", namespaces={"v": "urn:a"})
    body = b"<a xmlns='urn:a' " + numbered(b"c%d=''", 190_000) + b"/>"
    error = refusal(codec, body)
    assert (error.cause, error.position) == (Cause.NOT_WELL_FORMED, "line 1, column 1")


def test_bounds_leave_room_for_what_is_meant() -> None:
    uri = "u" * 256
    xml = make_codec(kind="xml", namespaces={"": uri})
    body = b"<a xmlns='" + uri.encode() + b"' " + numbered(b"b%d='1'", 256) + b"/>"
    assert tree.plain(read(xml, body)) == {"a": {f"@b{number}": "1" for number in range(256)}}
    body = b'{"a": "' + b'\\"' + b",[{" * 100_000 + b'"}'
    assert tree.plain(read(make_codec(kind="json"), body)) == {"a": '"' + ",[{" * 100_000}


@pytest.mark.parametrize(
    "codec",
    [
        make_codec(kind="json"),
        make_codec(kind="xml"),
        make_codec(kind="csv", columns=["a"]),
        make_codec(**FIXED),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        *(b"\0", b"a\0b", b"\xff\xfe\xff", b"\xef\xbb\xbf", b"\x1f\x8b\x08\x00", b"%PDF-1.7"),
        *('{"a": 1}'.encode("utf-16-le"), b"<a>\0</a>", b"H\0a\r\n"),
    ],
)
def test_bytes_of_another_kind_are_refused_and_break_nothing(codec: Codec, body: bytes) -> None:
    error = refusal(codec, body)
    assert error.cause in (
        Cause.WRONG_CHARSET,
        Cause.NOT_WELL_FORMED,
        Cause.WRONG_LENGTH,
        Cause.SCHEMA_VIOLATION,
    )


def test_utf_16_is_read_with_and_without_its_mark() -> None:
    codec = make_codec(kind="json", charset="utf-16")
    text = '{"nama": "Siti Nurhaliza — “Iti”"}'
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        node = read(codec, text.encode(encoding))
        assert tree.plain(node) == {"nama": "Siti Nurhaliza — “Iti”"}


def test_xml_that_declares_another_charset_than_it_has_is_refused_with_its_place() -> None:
    body = '<?xml version="1.0" encoding="utf-8"?>\n<a>José</a>'.encode("windows-1252")
    error = refusal(make_codec(kind="xml"), body)
    assert (error.cause, error.position) == (Cause.WRONG_CHARSET, "line 2, byte 7")
    assert "Jos" not in str(error)


def test_xml_in_a_charset_that_nobody_knows_is_refused() -> None:
    error = refusal(make_codec(kind="xml"), b'<?xml version="1.0" encoding="utf-7"?><a/>')
    assert error.cause is Cause.WRONG_CHARSET


@pytest.mark.parametrize(
    "head",
    [
        "<!DOCTYPE a>",
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd">',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
        '<!DOCTYPE a [<!ATTLIST a b CDATA "c">]>',
    ],
)
def test_document_types_of_all_kinds_are_refused(head: str) -> None:
    assert (
        refusal(make_codec(kind="xml"), f"{head}<a/>".encode()).cause is Cause.FORBIDDEN_CONSTRUCT
    )


def test_a_hint_at_another_schema_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:a">'
        '<xs:element name="a" type="xs:string"/></xs:schema>'
    )
    codec = make_codec(tmp_path, kind="xml", xsd="a.xsd", namespaces={"": "urn:a"})
    hint = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    body = f'<a xmlns="urn:a" {hint} xsi:schemaLocation="urn:b /etc/passwd">x</a>'
    assert read(codec, body.encode())


SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:a"
 elementFormDefault="qualified" xmlns="urn:a">
<xs:element name="a"><xs:complexType><xs:sequence>
  <xs:element name="nik" minOccurs="0" maxOccurs="3"><xs:simpleType>
    <xs:restriction base="xs:string"><xs:maxLength value="4"/></xs:restriction>
  </xs:simpleType></xs:element>
  <xs:element name="kode" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string">
    <xs:enumeration value="x"/></xs:restriction></xs:simpleType></xs:element>
  <xs:element name="n" type="xs:int" minOccurs="0"/>
</xs:sequence><xs:attribute name="b" type="xs:int"/></xs:complexType>
</xs:element></xs:schema>"""


@pytest.mark.parametrize(
    ("inner", "field"),
    [
        (f"<p:nik>{NIK}</p:nik>", "v:a.v:nik"),
        (f"<p:nik>1</p:nik><p:nik>{NIK}</p:nik>", "v:a.v:nik[1]"),
        (f"<p:kode>{NIK}</p:kode>", "v:a.v:kode"),
        (f"<p:n>{NIK}</p:n>", "v:a.v:n"),
        (f"<p:n>{NIK}x</p:n>", "v:a.v:n"),
        (f"<p:n{NIK}/>", "v:a"),
        (f"<n{NIK} xmlns='urn:{NIK}'/>", "v:a"),
        (f"{NIK}", "v:a"),
    ],
)
def test_a_schema_never_repeats_what_a_message_holds(
    tmp_path: Path, inner: str, field: str
) -> None:
    (tmp_path / "a.xsd").write_text(SCHEMA)
    codec = make_codec(tmp_path, kind="xml", xsd="a.xsd", namespaces={"v": "urn:a"})
    error = refusal(codec, f'<p:a xmlns:p="urn:a">\n{inner}</p:a>'.encode())
    assert (error.cause, error.field) == (Cause.SCHEMA_VIOLATION, field)
    assert error.position.startswith("line ")
    assert NIK not in str(error)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("date", "99999999999999999999-01-01"),
        ("duration", "P99999999999999999999Y"),
        ("decimal", "9" * 5000 + "x"),
        ("dateTime", "2026-01-01T00:00:00+99:99"),
        ("QName", "a:b:c"),
    ],
)
def test_a_value_beyond_all_bounds_breaks_no_schema(tmp_path: Path, kind: str, value: str) -> None:
    (tmp_path / "a.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        f'<xs:element name="a" type="xs:{kind}"/></xs:schema>'
    )
    error = refusal(make_codec(tmp_path, kind="xml", xsd="a.xsd"), f"<a>{value}</a>".encode())
    assert (error.cause, error.field) == (Cause.SCHEMA_VIOLATION, "a")


def test_an_attribute_that_does_not_fit_is_told_without_its_value(tmp_path: Path) -> None:
    (tmp_path / "a.xsd").write_text(SCHEMA)
    codec = make_codec(tmp_path, kind="xml", xsd="a.xsd", namespaces={"v": "urn:a"})
    for attribute in (f'b="{NIK}x"', f'c="{NIK}"', f'c{NIK}=""'):
        assert NIK not in str(refusal(codec, f'<a xmlns="urn:a" {attribute}/>'.encode()))


@pytest.mark.parametrize(
    ("config", "body"),
    [
        ({"kind": "json"}, f'{{"a": {NIK}, "a" {NIK}}}'),
        ({"kind": "json"}, f'{{"{NIK}": 1, "{NIK}": 2}}'),
        ({"kind": "json"}, f'{{"a": "{NIK}\n"}}'),
        ({"kind": "xml"}, f"<a>{NIK}</b>"),
        ({"kind": "xml"}, f"<a>&{NIK};</a>"),
        ({"kind": "csv"}, f"a,b\r\n{NIK}\r\n"),
        ({"kind": "csv"}, f'a,b\r\n"{NIK}"x,1\r\n'),
        ({"kind": "csv"}, f"{NIK},{NIK}\r\n1,2\r\n"),
        (FIXED, f"Haa\r\nX{NIK}\r\n"),
        (FIXED, f"Haa\r\nD{NIK}7\r\n"),
        (FIXED, f"Haa\nD{NIK}\n"),
    ],
)
def test_no_problem_repeats_what_a_message_holds(config: dict[str, object], body: str) -> None:
    assert NIK not in str(refusal(make_codec(**config), body.encode()))


@pytest.fixture
def person(tmp_path: Path) -> Codec:
    """A codec for `message Person { string nik = 1; repeated Person child = 2; double d = 3;
    google.protobuf.Any other = 4; }`."""
    imported = descriptor_pb2.FileDescriptorProto()
    any_pb2.DESCRIPTOR.CopyToProto(imported)
    file = descriptor_pb2.FileDescriptorProto(
        name="person.proto", package="t", syntax="proto3", dependency=[imported.name]
    )
    message = file.message_type.add(name="Person")
    message.field.add(name="nik", number=1, type="TYPE_STRING", label="LABEL_OPTIONAL")
    message.field.add(
        name="child", number=2, type="TYPE_MESSAGE", type_name=".t.Person", label="LABEL_REPEATED"
    )
    message.field.add(name="d", number=3, type="TYPE_DOUBLE", label="LABEL_OPTIONAL")
    message.field.add(
        name="other",
        number=4,
        type="TYPE_MESSAGE",
        type_name=".google.protobuf.Any",
        label="LABEL_OPTIONAL",
    )
    files = descriptor_pb2.FileDescriptorSet(file=[imported, file])
    (tmp_path / "person.binpb").write_bytes(files.SerializeToString())
    return make_codec(tmp_path, kind="protobuf", descriptors="person.binpb", message="t.Person")


def test_protobuf_goes_both_ways(person: Codec) -> None:
    body = person.encode({"nik": NIK, "child": [{"nik": "1"}], "d": None}).body
    assert tree.plain(read(person, body)) == {"nik": NIK, "child": [{"nik": "1"}]}


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"\x0a\x02\xff\xfe", Cause.NOT_WELL_FORMED),
        (b"\x0a\x50abc", Cause.NOT_WELL_FORMED),
        (b"\x28\x01", Cause.NOT_WELL_FORMED),
        (b'{"nik": "1"}', Cause.NOT_WELL_FORMED),
        (b"\x12\x00" * 300_000, Cause.MESSAGE_TOO_LARGE),
    ],
)
def test_what_is_no_message_of_the_type_is_refused(
    person: Codec, body: bytes, cause: Cause
) -> None:
    assert refusal(person, body).cause is cause


def packed(codec: Codec, value: dict[str, object], depth: int) -> bytes:
    """A person in an Any of a person in an Any of a person …"""
    for _ in range(depth):
        value = {"other": {"@type": "type.googleapis.com/t.Person", **value}}
    return codec.encode(value).body


def test_what_an_any_of_protobuf_holds_is_counted_too(person: Codec) -> None:
    inner = {"nik": NIK}
    assert tree.plain(tree.find(read(person, packed(person, inner, 8)), "other.other.other"))
    assert refusal(person, packed(person, inner, 9)).cause is Cause.NOT_WELL_FORMED
    many = {"child": [{}] * 201_000}
    assert refusal(person, packed(person, many, 1)).cause is Cause.MESSAGE_TOO_LARGE


def test_protobuf_nested_without_end_is_refused(person: Codec) -> None:
    body = b""
    for _ in range(200):
        head, length = bytearray(b"\x12"), len(body)
        while length > 127:
            head.append(length & 127 | 128)
            length >>= 7
        body = bytes(head) + bytes([length]) + body
    assert refusal(person, body).cause is Cause.NOT_WELL_FORMED


def test_an_answer_that_protobuf_cannot_hold_names_the_field_and_not_the_value(
    person: Codec,
) -> None:
    with pytest.raises(Exception, match="does not fit") as caught:
        person.encode({"d": NIK + "x"})
    assert NIK not in str(caught.value)
