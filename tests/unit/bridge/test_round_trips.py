"""What a codec writes it reads back, whatever it is; and what it is sent breaks nothing."""

from __future__ import annotations

import json
from typing import Any

from bridge_codecs import make_codec, read
from hypothesis import given, settings
from hypothesis import strategies as st

from absah_bridge import tree
from absah_bridge.codecs import Incoming
from absah_bridge.codecs.json_places import Places
from absah_bridge.errors import MessageInvalid
from absah_bridge.multipart import split

NAMES = st.from_regex(r"\A[a-zA-Z_][a-zA-Z0-9_]{0,12}\Z")
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
XML_TEXTS = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc"],
        exclude_characters="\ufffe\uffff",
        include_characters="\t\n",
    ),
    max_size=40,
)
NUMBERS = st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
QUICK = settings(max_examples=60, deadline=None)


@QUICK
@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_json_is_read_back_as_it_was_written(answer: dict[str, Any]) -> None:
    codec = make_codec(kind="json")
    assert tree.plain(read(codec, codec.encode(answer).body)) == answer


@QUICK
@given(st.dictionaries(TEXTS, VALUES, max_size=4), st.sampled_from([None, 1, "\t"]))
def test_every_value_in_json_has_the_place_where_it_stands(
    answer: dict[str, Any], indent: int | str | None
) -> None:
    text = json.dumps(answer, indent=indent, ensure_ascii=False)
    lines = text.split("\n")
    decoder = json.JSONDecoder()
    for path, value in paths((), answer):
        line, column = (int(word.rpartition(" ")[2]) for word in Places(text).of(path).split(", "))
        rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        assert decoder.raw_decode(rest)[0] == value


def paths(path: tuple[Any, ...], value: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """Every value with its path."""
    found = [(path, value)]
    children = value.items() if isinstance(value, dict) else ()
    for step, child in enumerate(value) if isinstance(value, list) else children:
        found += paths((*path, step), child)
    return found


@QUICK
@given(st.dictionaries(NAMES, XML_TEXTS.filter(str.strip), max_size=4), XML_TEXTS)
def test_xml_is_read_back_as_it_was_written(fields: dict[str, str], attribute: str) -> None:
    codec = make_codec(kind="xml", charset="windows-1252", root="jawaban")
    answer = {"@a": attribute, **{name: {"#text": text} for name, text in fields.items()}}
    node = read(codec, codec.encode(answer).body)
    assert tree.plain(tree.find(node, "jawaban.@a")) == attribute  # type: ignore[arg-type]
    for name, text in fields.items():
        found = tree.find(node, f"jawaban.{name}")
        assert found is not None and tree.plain(found) == text


@QUICK
@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5), st.sampled_from(",;|\t"))
def test_csv_is_read_back_as_it_was_written(rows: list[tuple[str, str]], delimiter: str) -> None:
    codec = make_codec(kind="csv", delimiter=delimiter, columns=["a", "b"])
    answer = {"rows": [{"a": a, "b": b} for a, b in rows]}
    assert tree.plain(read(codec, codec.encode(answer).body)) == answer


CELLS = st.text(st.characters(codec="cp1252", exclude_categories=["Cc"]), max_size=8)


@QUICK
@given(st.lists(st.tuples(CELLS, st.integers(0, 9999)), min_size=1, max_size=5))
def test_fixed_width_records_are_read_back_as_they_were_written(
    rows: list[tuple[str, int]],
) -> None:
    fields = [
        {"name": "kind", "width": 1},
        {"name": "text", "width": 8},
        {"name": "number", "width": 4, "align": "right", "fill": "0"},
    ]
    codec = make_codec(kind="fixed", records=[{"name": "D", "starts": "D", "fields": fields}])
    answer = {"D": [{"kind": "D", "text": text, "number": number} for text, number in rows]}
    found = tree.plain(read(codec, codec.encode(answer).body))["D"]
    assert [(row["text"], int(row["number"])) for row in found] == [
        (text.rstrip(" "), number) for text, number in rows
    ]


ALL = [
    make_codec(kind="json"),
    make_codec(kind="xml"),
    make_codec(kind="csv"),
    make_codec(kind="cloudevents"),
    make_codec(kind="fixed", records=[{"name": "D", "fields": [{"name": "a", "width": 3}]}]),
]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(ALL))
def test_bytes_at_random_are_read_or_refused(body: bytes, codec: Any) -> None:
    try:
        read(codec, body)
    except MessageInvalid as exc:
        assert str(exc).isprintable()


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=100),
    st.text(max_size=40) | st.just("x; boundary=b") | st.just('x; boundary="b c"'),
    st.binary(max_size=20),
)
def test_a_multipart_body_at_random_is_split_or_refused(
    body: bytes, parameters: str, head: bytes
) -> None:
    whole = b"--b\r\n" + head + b"\r\n\r\n" + body + b"\r\n--b--"
    content_type = f"multipart/{parameters}"
    try:
        split(Incoming(body=whole, content_type=content_type, headers={}))
    except MessageInvalid as exc:
        assert str(exc).isprintable()
