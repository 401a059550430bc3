"""Rules take values from a message, shape them, and name the place of what they cannot shape."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from absah.v1 import validation_pb2
from absah_bridge import config, tree, workbench
from absah_bridge.answers import AnswerMapping
from absah_bridge.config import System
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.requests import Arrived, Request, RequestMapping
from absah_bridge.rules import Step
from absah_bridge.tree import Branch, Leaf, Series

NIK = "3201011508950001"


def make_system(**changes: Any) -> System:
    given = {
        "consume": {"queue": "q"},
        "codec": {"kind": "json"},
        "request": {"policy": "p"},
        "answer": {"fields": {"status": "verdict.decision"}},
        **changes,
    }
    return System.model_validate(given)


def make_message(value: Any, parts: dict[str, bytes] | None = None) -> Arrived:
    node = tree.from_plain(value)
    assert isinstance(node, Branch)
    return Arrived(tree=node, parts=parts or {}, message_id="M-1", body_sha256="0" * 64)


def requests(message: Any, parts: dict[str, bytes] | None = None, **request: Any) -> list[Request]:
    tables = {"sex": {"1": "L", "2": "P"}}
    mapping = RequestMapping(make_system(request={"policy": "p", **request}, tables=tables))
    arrived = make_message(message, parts)
    return list(mapping.map(arrived, mapping.scope(arrived)))


def claim(rule: Any, message: Any) -> Any:
    """What a rule makes of a message."""
    return requests(message, claims={"c": rule})[0].claims.get("c")


def refusal(rule: Any, message: Any) -> MessageInvalid:
    with pytest.raises(MessageInvalid) as caught:
        claim(rule, message)
    return caught.value


@pytest.mark.parametrize(
    ("rule", "message", "expected"),
    [
        ("a.b", {"a": {"b": " x "}}, "x"),
        ("a.b", {"a": [{"b": "x"}]}, "x"),
        ("a[1].b", {"a": [{"b": "x"}, {"b": "y"}]}, "y"),
        ("a", {}, None),
        ("a", {"a": "   "}, None),
        ({"from": "a", "default": "-"}, {"a": ""}, "-"),
        ({"value": "same"}, {}, "same"),
        ({"from": "a", "table": "sex"}, {"a": "2"}, "P"),
        ({"from": "a", "table": {"7": 1}}, {"a": 7}, 1),
        ({"from": "a", "date": "%d%m%Y"}, {"a": "01022026"}, "2026-02-01"),
        ({"from": "a", "date": "%d/%m/%y"}, {"a": "1/2/26"}, "2026-02-01"),
        ({"from": "a", "type": "integer"}, {"a": "0042"}, 42),
        ({"from": "a", "type": "integer"}, {"a": 3.0}, 3),
        ({"from": "a", "type": "decimal"}, {"a": "1,5"}, 1.5),
        ("a", {"a": 9101011508950}, 9101011508950),
        ({"from": "a", "type": "integer"}, {"a": str(2**53)}, 2**53),
        ({"from": "a", "type": "text"}, {"a": 9101011508950001}, "9101011508950001"),
        ({"from": "a", "table": {"true": "Y"}}, {"a": True}, "Y"),
        ({"from": "a", "cut": 3}, {"a": "abcdef"}, "abc"),
        ({"cel": "message.a + '-' + string(message.b)"}, {"a": "x", "b": 2}, "x-2"),
        ({"cel": "message.a.map(x, x.b).join(', ')"}, {"a": [{"b": "x"}, {"b": "y"}]}, "x, y"),
        ({"cel": "message.a", "default": "-"}, {}, "-"),
        ({"cel": 'message.a.replace("\\\\", "/")'}, {"a": "b\\c.jpg"}, "b/c.jpg"),
        ({"cel": "message.a.b"}, {"a": {}}, None),
    ],
)
def test_a_value_is_taken_and_shaped(rule: Any, message: Any, expected: Any) -> None:
    assert claim(rule, message) == expected


@pytest.mark.parametrize(
    ("rule", "value", "cause"),
    [
        ({"from": "a", "required": True}, " ", Cause.MISSING_FIELD),
        ({"from": "a", "table": "sex"}, NIK, Cause.UNKNOWN_CODE),
        ({"from": "a", "date": "%d%m%Y"}, "30022026", Cause.BAD_VALUE),
        ({"from": "a", "date": "%d%m%Y"}, "1012026", Cause.BAD_VALUE),
        ({"from": "a", "date": "%d%m%Y"}, NIK, Cause.BAD_VALUE),
        ({"from": "a", "type": "integer"}, "1e999999", Cause.BAD_VALUE),
        ({"from": "a", "type": "integer"}, "1.250", Cause.BAD_VALUE),
        ({"from": "a", "type": "integer"}, "9" * 40, Cause.BAD_VALUE),
        ({"from": "a", "type": "integer"}, True, Cause.BAD_VALUE),
        ({"from": "a", "type": "integer"}, 9471012345678901, Cause.BAD_VALUE),
        ({"from": "a", "type": "integer"}, "9471012345678901", Cause.BAD_VALUE),
        ({"from": "a", "type": "integer"}, "-9471012345678901,00", Cause.BAD_VALUE),
        ({"from": "a", "type": "decimal"}, "NaN", Cause.BAD_VALUE),
        ({"from": "a", "type": "decimal"}, "1.250,50", Cause.BAD_VALUE),
        ("a", 9101011508950001, Cause.BAD_VALUE),
        ({"cel": "base64.decode(message.a)"}, "MTIz", Cause.BAD_VALUE),
        ("a", ["x", "y"], Cause.BAD_VALUE),
        ("a", {"b": "x"}, Cause.BAD_VALUE),
        ("a", f"{NIK}\0", Cause.BAD_VALUE),
        ("a", f"{NIK}\ud800", Cause.BAD_VALUE),
        ({"cel": "int(message.a)"}, f"{NIK}x", Cause.BAD_VALUE),
        ({"cel": "message.a + 1"}, NIK, Cause.BAD_VALUE),
        ({"cel": "[message.a]"}, NIK, Cause.BAD_VALUE),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_not_repeated(
    rule: Any, value: Any, cause: Cause
) -> None:
    error = refusal(rule, {"a": value})
    assert error.cause is cause
    assert NIK not in str(error)
    assert error.field in ("a", "claims.c")


def test_an_expression_over_a_long_series_takes_time_that_grows_with_its_length() -> None:
    message = {"unit": "u", "rows": [{"b": "x"}] * 20_000}
    assert claim({"cel": "message.rows.exists(x, x.b == item.unit)"}, message) is False
    assert claim({"cel": "message.rows[0].b + item.unit"}, message) == "xu"
    for form in ("message.rows.map(x, x.b)", "item.rows.filter(x, true)"):
        assert refusal({"cel": f"string({form}.size())"}, message).cause is Cause.BAD_VALUE
    short = {"rows": [{"b": "x"}] * 1000}
    assert claim({"cel": "message.rows.map(x, x.b).join('')"}, short) == "x" * 1000


def test_a_missing_value_is_placed_where_it_should_stand() -> None:
    inner = Branch(fields={"a": Leaf(value="x", position="line 2")}, position="line 1")
    mapping = RequestMapping(
        make_system(request={"policy": "p", "claims": {"c": {"from": "i.b", "required": True}}})
    )
    arrived = Arrived(tree=Branch(fields={"i": inner}), parts={}, message_id="", body_sha256="0")
    with pytest.raises(MessageInvalid) as caught:
        mapping.map(arrived, mapping.scope(arrived))
    assert (caught.value.field, caught.value.position) == ("i.b", "line 1")


def test_records_of_a_batch_are_requests_of_their_own() -> None:
    made = requests(
        {"unit": "U", "rows": [{"n": "1"}, {"n": "2"}]},
        each="rows",
        claims={"n": "n", "unit": "/unit", "both": {"cel": "message.unit + item.n"}},
    )
    assert [(each.id, dict(each.claims)) for each in made] == [
        ("M-1:1", {"n": "1", "unit": "U", "both": "U1"}),
        ("M-1:2", {"n": "2", "unit": "U", "both": "U2"}),
    ]


def test_nothing_of_a_message_stays_once_it_is_mapped() -> None:
    class Text(str):
        """A text that can be watched."""

    seen = []
    for _ in range(3):
        text = Text("x")
        seen.append(weakref.ref(text))
        node = Branch(fields={"rows": Series(items=[Branch(fields={"n": Leaf(value=text)})])})
        arrived = Arrived(tree=node, parts={}, message_id="M-1", body_sha256="0" * 64)
        rule = {"cel": "item.n + string(size(message.rows))"}
        mapping = RequestMapping(
            make_system(request={"policy": "p", "each": "rows", "claims": {"c": rule}})
        )
        (request,) = mapping.map(arrived, mapping.scope(arrived))
        assert request.claims == {"c": "x1"}
        del text, node, arrived, request
    gc.collect()
    assert [reference() for reference in seen] == [None, None, None]


def test_a_batch_that_is_too_large_or_empty_is_refused() -> None:
    with pytest.raises(MessageInvalid, match="3 records"):
        requests({"rows": ["1", "2", "3"]}, each="rows", max_records=2)
    with pytest.raises(MessageInvalid, match="0 records"):
        requests({}, each="rows")


def test_an_id_that_the_core_does_not_take_is_told_by_its_digest() -> None:
    (request,) = requests({"id": "SURAT/2026/001 A"}, id="id")
    assert request.id.startswith("id:")
    assert requests({"id": "SURAT/2026/001 A"}, id="id")[0].id == request.id
    assert requests({}, id="id")[0].id == "body:" + "0" * 64


def test_documents_come_as_text_base64_parts_and_references() -> None:
    (request,) = requests(
        {
            "isi": "teks",
            "foto": [{"b": "eA=\n="}, {"b": "eQ=="}],
            "lampiran": "cid-1",
            "ref": "a/b",
        },
        {"cid-1": b"part"},
        documents=[
            {"role": "report", "text": "isi"},
            {"role": "photo", "each": "foto", "base64": "b"},
            {"role": "letter", "part": "lampiran"},
            {"role": "identity", "reference": "ref", "store": "s"},
            {"role": "other", "text": "none"},
        ],
    )
    told = [(each.role, each.text, each.content, each.reference) for each in request.attachments]
    assert [each.field for each in request.attachments[1:3]] == ["foto.b", "foto.b"]
    assert told == [
        ("report", "teks", None, ""),
        ("photo", None, b"x", ""),
        ("photo", None, b"y", ""),
        ("letter", None, b"part", ""),
        ("identity", None, None, "a/b"),
    ]


@pytest.mark.parametrize(
    ("document", "cause"),
    [
        ({"role": "photo", "each": "foto", "base64": "b", "required": True}, "MISSING_ATTACHMENT"),
        ({"role": "photo", "base64": "bad"}, "BAD_VALUE"),
        ({"role": "photo", "part": "bad"}, "MISSING_ATTACHMENT"),
        ({"role": "photo", "each": "many", "text": "."}, "MESSAGE_TOO_LARGE"),
    ],
)
def test_documents_that_are_missing_broken_or_too_many_are_refused(
    document: Any, cause: str
) -> None:
    message = {"bad": "???", "many": ["x"] * 65}
    with pytest.raises(MessageInvalid) as caught:
        requests(message, documents=[document])
    assert caught.value.cause == cause


def test_all_mistakes_of_a_message_are_found_at_once() -> None:
    system = make_system(
        request={
            "policy": "p",
            "claims": {
                "a": {"from": "a", "required": True},
                "b": {"from": "b", "type": "integer"},
                "c": "c",
            },
            "documents": [{"role": "photo", "base64": "foto"}],
        }
    )
    mapping = RequestMapping(system)
    arrived = make_message({"b": "x", "c": "y", "foto": "???"})
    steps: list[Step] = []
    mapping.map(arrived, mapping.scope(arrived, lenient=True, steps=steps))
    assert [(step.target, step.problem) for step in steps if step.problem] == [
        ("claims.a", "is missing"),
        ("claims.b", "is no whole number"),
        ("documents.photo.base64", "is not base64"),
    ]


def answer(fields: Any, message: Any, **request: Any) -> Any:
    """What is answered where all records are accepted."""
    system = make_system(request={"policy": "p", **request}, answer={"fields": fields})
    asked = RequestMapping(system)
    arrived = make_message(message)
    made = asked.map(arrived, asked.scope(arrived))
    mapping = AnswerMapping(system)
    return mapping.map(mapping.scope(arrived, made, [workbench.example(each) for each in made]))


def test_a_verdict_is_told_in_the_systems_words() -> None:
    told = answer(
        {
            "nomor": "message.n",
            "status": {"from": "verdict.decision", "table": {"ACCEPT": "00"}},
            "waktu": {"from": "update_time", "date": "%d-%m-%Y %H:%M", "zone": "Asia/Jakarta"},
            "utc": {"from": "update_time", "date": "%H:%M"},
            "rincian": {"fields": {"aturan": "verdict.reasons[0].rule"}},
            "alasan": {"each": "verdict.reasons", "fields": {"id": "message.id", "n": "/name"}},
            "ringkas": {"cel": "verdict.decision + ' ' + message.n"},
        },
        {"n": "7"},
    )
    assert told == {
        "nomor": "7",
        "status": "00",
        "waktu": "31-01-2026 08:02",
        "utc": "01:02",
        "rincian": {"aturan": "accepted"},
        "alasan": [
            {"id": "Semua klaim sesuai dengan bukti.", "n": "validations/" + "0" * 32},
        ],
        "ringkas": "ACCEPT 7",
    }


def test_a_batch_is_told_with_its_counts_and_a_line_for_each_record() -> None:
    told = answer(
        {
            "jumlah": "count",
            "diterima": "decisions.ACCEPT",
            "unit": {"cel": "message.unit + string(size(records))"},
            "baris": {"each": "records", "fields": {"n": "message.n", "d": "verdict.decision"}},
        },
        {"unit": "U", "rows": [{"n": "1"}, {"n": "2"}]},
        each="rows",
    )
    assert told == {
        "jumlah": 2,
        "diterima": 2,
        "unit": "U2",
        "baris": [{"n": "1", "d": "ACCEPT"}, {"n": "2", "d": "ACCEPT"}],
    }


def test_a_verdict_without_a_word_for_it_is_a_fault_of_the_answer() -> None:
    with pytest.raises(MessageInvalid) as caught:
        answer({"s": {"from": "verdict.decision", "table": {"REJECT": "20"}}}, {})
    assert caught.value.cause is Cause.ANSWER_FAILED


def test_every_field_of_a_validation_is_known_to_answers() -> None:
    fields = validation_pb2.Validation.DESCRIPTOR.fields_by_name
    AnswerMapping(make_system(answer={"fields": {n: {"cel": n} for n in fields}}))


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"cel": "message."}, "Syntax error"),
        ({"cel": "pesan.a"}, "pesan is not known here; known are item, message"),
        ({"cel": "verdict.decision"}, "verdict is not known here"),
        ({"cel": "ambil(message.a)"}, "there is no function ambil"),
        ({"cel": "'" + "x" * 3000 + "'"}, "2,000 characters"),
        ({"from": "a..b"}, "is no path"),
        ({"from": "a[x]"}, "is no path"),
        ({"from": "a", "table": "agama"}, "there is no table 'agama'; there are sex"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_when_it_is_loaded(rule: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=r"request\.claims\.c\.") as caught:
        requests({}, claims={"c": rule})
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"from": "a", "cel": "b"},
        {"from": "a", "date": "%d", "type": "integer"},
        {"from": "a", "zone": "Asia/Jakarta"},
        {"from": "a", "date": "%d", "zone": "Asia/Atlantis"},
        {"from": "a", "tabel": {}},
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(rule: Any) -> None:
    with pytest.raises(ValueError, match="Rule"):
        config.Rule.model_validate(rule)
