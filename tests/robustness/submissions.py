"""Requests that mean harm: wrong in form, beyond the limits, or bytes that are no request at all.

Imported by tests as well, so it needs nothing but the client.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf import struct_pb2

import absah
from absah.v1 import validation_service_pb2 as pb2

MIB = 2**20
REPORT = (
    "Rapat koordinasi dilaksanakan di Kecamatan Ubud, Kabupaten Gianyar, pada 17 Agustus 2024 "
    "oleh Made Wirawan bersama tiga orang peserta."
)
BINARY = b"\xc3\x28"
"""No UTF-8."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Good:
    """What is right about the requests: a checker that takes texts, and a picture's bytes."""

    checker: str
    picture: bytes

    def request(self, **given: Any) -> pb2.ValidateRequest:
        """A request for one check of one text, but for what is given besides."""
        made = self.of(report=absah.Text(REPORT))
        made.MergeFrom(pb2.ValidateRequest(**given))
        return made

    def of(self, **documents: absah.Source | list[absah.Source]) -> pb2.ValidateRequest:
        """A request for one check of these documents, by role."""
        return absah.request("", documents, checkers=[self.checker])


def make(good: Good) -> Iterator[tuple[str, bytes]]:
    """Names of requests and their bytes."""
    for group in (_forms(good), _documents(good), _claims(good)):
        for name, message in group:
            yield name, message.SerializeToString()
    yield from _no_requests(good.request(request_id="r-1").SerializeToString())


def _forms(good: Good) -> Iterator[tuple[str, pb2.ValidateRequest]]:
    yield "nothing at all", pb2.ValidateRequest()
    yield "policy and checkers", good.request(policy="field-report")
    yield "unknown policy", absah.request("no-such", {"report": absah.Text("x")})
    yield "policy with a path for a name", absah.request("../../x", {"report": absah.Text("x")})
    yield "policy of a version that is none", absah.request("field-report@-1", {"report": b"x"})
    yield (
        "policy with a line end",
        absah.request("x\r\ngrpc-status: 0", {"report": absah.Text("x")}),
    )
    yield "policy with a name of 1 MiB", absah.request("p" * MIB, {"report": absah.Text("x")})
    yield "unknown checker", good.request(checkers=["no-such"])
    yield "checker with an empty name", good.request(checkers=[""])
    yield (
        "the same checker a hundred thousand times",
        good.request(checkers=[good.checker] * 100_000),
    )
    yield (
        "a hundred thousand unknown checkers",
        good.request(checkers=[f"c{n}" for n in range(100_000)]),
    )
    yield "request id of 1 MiB", good.request(request_id="r" * MIB)
    yield "request id with a line end", good.request(request_id="r\nINFO all is well")
    yield "priority that is none", good.request(priority=99)  # type: ignore[arg-type]
    yield "negative priority", good.request(priority=-(2**31))  # type: ignore[arg-type]


def _documents(good: Good) -> Iterator[tuple[str, pb2.ValidateRequest]]:
    text = absah.Text(REPORT)
    yield "33 documents", good.of(report=[text] * 33)
    yield "32 documents", good.of(report=[text] * 32)
    yield "100000 documents", good.of(report=[absah.Text("x")] * 100_000)
    yield "2000 documents with wrong roles", good.of(**{f"Role {n}": text for n in range(2000)})
    for name, documents in (
        ("11 photos", {"photo": [good.picture] * 11, "report": text}),
        ("no photo", {"report": text}),
        ("roles that the policy has not", {"selfie": good.picture, "x": text}),
        ("text for a photo", {"photo": text, "report": text}),
        ("photo for a text", {"photo": good.picture, "report": good.picture}),
    ):
        yield name, absah.request("field-report", documents)
    for name, role in (
        ("empty", ""),
        ("of 1 MiB", "r" * MIB),
        ("with a path", "../../etc/passwd"),
        ("with a line end", "photo\n"),
        ("in capitals", "PHOTO"),
        ("of letters beyond ASCII", "fotó"),
    ):
        yield f"role {name}", good.of(**{role: text})
    yield "empty text", good.of(report=absah.Text(""))
    yield "empty file", good.of(report=b"")
    yield "text with zeros in it", good.of(report=absah.Text("a\0b" * 99))
    yield "text of one byte too many", good.of(report=absah.Text("x" * (2 * MIB + 1)))
    yield "file of one byte too many", good.of(report=bytes(32 * MIB + 1))
    yield "61 MiB in all", good.of(report=[bytes(31 * MIB)] * 2)
    yield "70 MiB in all", good.of(report=[bytes(35 * MIB)] * 2)
    odd_name = "../\0\n\u202e.txt"
    yield "document without source", good.request(documents=[pb2.Document(role="a")])
    for name, document in (
        ("file name of 1 MiB", pb2.Document(role="a", filename="x" * MIB, text="x")),
        ("file name with all that is odd", pb2.Document(role="a", filename=odd_name, text="x")),
    ):
        yield name, good.request(documents=[document])


def _claims(good: Good) -> Iterator[tuple[str, pb2.ValidateRequest]]:
    """Claims of a policy that has them all; a value that is no JSON is set by hand."""

    def claiming(**claims: object) -> pb2.ValidateRequest:
        return absah.request(
            "field-report", {"photo": good.picture, "report": absah.Text(REPORT)}, claims=claims
        )

    for number in (math.nan, math.inf, -math.inf, 1e308, -1.0, 0.5, 2.0**53 + 2, -0.0):
        yield f"participants: {number}", claiming(participants=number)
    long = "a" * 60_000
    for claim in ("name", "place", "activity", "nik", "date"):
        yield f"{claim} of 60000 letters", claiming(**{claim: long})
        yield f"{claim} of 15000 words", claiming(**{claim: "dr. " * 15_000})
        yield f"empty {claim}", claiming(**{claim: ""})
        yield f"{claim} of marks", claiming(**{claim: "a\u0301\u200d\u202e\0\n.*+?[(" * 20})
        yield f"{claim} that is a number", claiming(**{claim: 5})
        yield f"{claim} that is a list", claiming(**{claim: [1, [2, [3]]]})
    for date in ("0000-00-00", "9999-12-31", "2024-02-30", "-1-1-1", "١٤٤٥-٠١-٠١", "2024-1-1T00"):
        yield f"date {date}", claiming(date=date)
    for nik in ("0" * 16, "9" * 16, "1" * 5000, "3201011508950001" * 9, "١" * 16):
        yield f"nik of {len(nik)} digits, {nik[0]} first", claiming(nik=nik)
    yield "a claim that the policy has not", claiming(colour="red")
    yield "3000 claims that the policy has not", claiming(**{f"c{n}": n for n in range(3000)})
    yield "a claim with a name of 30 kB", claiming(**{"c" * 30_000: 1})
    yield "claims of 65 kB", claiming(name="x" * 66_000)
    yield "claims 20 deep", claiming(name=_nested(20))
    yield "claims of no kind", _with_claim(claiming(), struct_pb2.Value())


def _nested(depth: int) -> object:
    value: object = "x"
    for _ in range(depth):
        value = {"a": [value]}
    return value


def _with_claim(message: pb2.ValidateRequest, value: struct_pb2.Value) -> pb2.ValidateRequest:
    message.claims.fields["name"].CopyFrom(value)
    return message


def _no_requests(good: bytes) -> Iterator[tuple[str, bytes]]:
    """Bytes on the wire, field by field (protobuf.dev, Encoding)."""
    yield "request cut in half", good[: len(good) // 2]
    yield "request of zeros", bytes(10_000)
    yield "request of ones", b"\xff" * 10_000
    yield "field numbered 0", b"\x00\x01" + good
    yield "group that never ends", good + b"\x3b" * 50_000
    yield "unknown field of 60 MiB", good + _field(99, bytes(60 * MIB))
    yield "a million unknown fields", good + b"\x98\x06\x01" * 1_000_000
    yield "text where a document should be", good + _field(4, b"\xff" * 40)
    yield (
        "content and text both",
        good + _field(4, _field(1, b"b") + _field(3, b"x") + _field(4, b"y")),
    )
    for name, number in (("request id", 1), ("policy", 2), ("checker", 3)):
        yield f"{name} that is no UTF-8", good + _field(number, BINARY)
    for name, number in (("role", 1), ("file name", 2), ("text", 4)):
        yield f"{name} that is no UTF-8", good + _field(4, _field(1, b"a") + _field(number, BINARY))
    key = _field(1, _field(1, BINARY) + _field(2, _field(3, b"x")))
    yield "claim's name that is no UTF-8", good + _field(5, key)
    yield "claims 5000 deep", good + _field(5, _deep_claims(5000))
    yield "a list 5000 deep", good + _field(5, _entry(_deep_list(5000)))


def _field(number: int, body: bytes) -> bytes:
    """A field whose value has a length."""
    return _varint(number << 3 | 2) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def _entry(value: bytes) -> bytes:
    """A Struct with one field, `name`, of this encoded Value."""
    return _field(1, _field(1, b"name") + _field(2, value))


def _deep_claims(depth: int) -> bytes:
    struct = b""
    for _ in range(depth):
        struct = _entry(_field(5, struct))
    return struct


def _deep_list(depth: int) -> bytes:
    value = _field(3, b"x")
    for _ in range(depth):
        value = _field(6, _field(1, value))
    return value
