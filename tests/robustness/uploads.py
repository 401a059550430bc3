"""Uploads that lie, and downloads of what is not there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from calling import Call
from google.protobuf.message import Message
from methods import Method
from possessions import OWNER, SECRET, Possessions

from absah.v1 import document_service_pb2 as pb2

KIB = 1024
CHUNK = 256 * KIB
LARGEST = 32 * 2**20
INVALID = "INVALID_ARGUMENT INVALID_REQUEST"
GAP = "INVALID_ARGUMENT UPLOAD_GAP"
MISMATCH = "INVALID_ARGUMENT CONTENT_MISMATCH"
TOO_LARGE = "RESOURCE_EXHAUSTED LIMIT_EXCEEDED"
METADATA = (("absah-tenant", OWNER), ("absah-client", "robustness"))
CONTENT = b"sebuah dokumen " * 40_000
"""More than two chunks."""


def header(content: bytes, **given: object) -> pb2.UploadDocumentRequest:
    """The header of an upload, but for what is given besides."""
    of: dict[str, object] = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
    }
    made = pb2.UploadDocumentHeader(**of | given)  # type: ignore[arg-type]
    return pb2.UploadDocumentRequest(header=made)


def chunks(content: bytes, size: int = CHUNK) -> list[pb2.UploadDocumentRequest]:
    """The content as messages."""
    return [
        pb2.UploadDocumentRequest(chunk=content[begin : begin + size])
        for begin in range(0, len(content), size)
    ]


def calls(methods: Sequence[Method], held: Possessions) -> Iterator[Call]:
    """All of DocumentService; what is uploaded first is used by what comes later."""
    named = {method.name: method for method in methods}
    for case, messages, expected in _uploads():
        yield _call(named["UploadDocument"], case, messages, expected)
    for case, offset_bytes, expected in _offsets():
        asked = pb2.DownloadDocumentRequest(name=held.document, offset_bytes=offset_bytes)
        yield _call(named["DownloadDocument"], case, [asked], expected)
    for name in ("GetDocument", "DownloadDocument", "DeleteDocument"):
        for case, document in _names(held.document):
            message = named[name].request(name=document)
            yield _call(named[name], f"name {case}", [message], INVALID)
    yield _call(
        named["DownloadDocument"],
        "an upload that broke off",
        [pb2.DownloadDocumentRequest(name=_name(CONTENT + b"begun"))],
        "NOT_FOUND DOCUMENT_NOT_FOUND",
    )


def _call(method: Method, case: str, messages: Sequence[Message | bytes], expected: str) -> Call:
    return Call(
        case=case,
        method=method,
        messages=messages,
        metadata=METADATA,
        expected=frozenset({expected}),
    )


Upload = tuple[str, Sequence[Message | bytes], str]


def _uploads() -> Iterator[Upload]:
    yield from _headers()
    yield from _bodies()


def _headers() -> Iterator[Upload]:
    for size in (0, -1, -(2**63)):
        yield f"{size} bytes", [header(CONTENT, size_bytes=size), *chunks(CONTENT)], INVALID
    for size in (LARGEST + 1, 2**40, 2**63 - 1):
        yield f"{size} bytes", [header(CONTENT, size_bytes=size), *chunks(CONTENT)], TOO_LARGE
    for name, digest in (
        ("none", ""),
        ("in capitals", hashlib.sha256(CONTENT).hexdigest().upper()),
        ("too short", "0" * 63),
        ("with a line end", "0" * 64 + "\n"),
        ("with a path", "../" * 21 + "a"),
        ("with a zero", "0" * 63 + "\0"),
        ("of other digits", "٠" * 64),
        ("of 1 MiB", "a" * 2**20),
    ):
        yield f"digest {name}", [header(CONTENT, sha256=digest), *chunks(CONTENT)], INVALID
    for offset in (-1, -(2**63), len(CONTENT) + 1, 2**63 - 1):
        yield f"begun at byte {offset}", [header(CONTENT, offset_bytes=offset)], INVALID
    for offset in (1, len(CONTENT)):
        name = f"begun at byte {offset} of what has not come"
        yield name, [header(CONTENT, offset_bytes=offset), *chunks(CONTENT[offset:])], GAP


def _bodies() -> Iterator[Upload]:
    head, body = header(CONTENT), chunks(CONTENT)
    yield "no message", [], INVALID
    yield "no header", body, INVALID
    yield "no part", [pb2.UploadDocumentRequest()], INVALID
    yield "header without a field", [pb2.UploadDocumentRequest(header={})], INVALID
    yield "header twice", [head, head, *body], INVALID
    yield "header in the midst", [head, body[0], head, *body[1:]], INVALID
    yield "no chunk", [head], GAP
    yield "empty chunk", [head, pb2.UploadDocumentRequest(chunk=b""), *body], INVALID
    yield "chunk of a byte too many", [head, *chunks(CONTENT, CHUNK + 1)], INVALID
    yield "chunk of 60 MiB", [head, pb2.UploadDocumentRequest(chunk=bytes(60 * 2**20))], INVALID
    yield "bytes that are no message", [head, b"\xff" * 99], INVALID
    yield "a chunk after the end", [header(CONTENT), *body, *chunks(b"x")], MISMATCH
    yield "fewer bytes than said", [header(CONTENT, size_bytes=len(CONTENT) + 1), *body], GAP
    yield "more bytes than said", [header(CONTENT, size_bytes=9), *body], MISMATCH
    wrong = header(CONTENT, sha256="0" * 64)
    yield "another digest", [wrong, *body], MISMATCH
    yield "another digest once more", [wrong, *body], MISMATCH
    begun = CONTENT + b"begun"
    yield "half of it", [header(begun), *chunks(begun)[:1]], GAP
    yield "the second half elsewhere", [header(begun, offset_bytes=7), *chunks(begun[7:])], GAP
    other = bytes(len(begun) - CHUNK)
    yield (
        "the second half of another",
        [header(begun, offset_bytes=CHUNK), *chunks(other)],
        MISMATCH,
    )
    yield "half of it again", [header(begun), *chunks(begun)[:1]], GAP
    small = b"byte by byte, and what comes is right"
    yield "byte by byte", [header(small), *chunks(small, 1)], "OK"
    yield "what is there already", [header(SECRET.encode()), *chunks(b"something else")], "OK"


def _offsets() -> Iterator[tuple[str, int, str]]:
    size = len(SECRET.encode())
    for offset in (-1, -(2**63)):
        yield f"from byte {offset}", offset, INVALID
    for offset in (size + 1, 2**63 - 1):
        yield f"from byte {offset}", offset, "OUT_OF_RANGE INVALID_REQUEST"
    yield "from its end", size, "OK"


def _names(good: str) -> Iterator[tuple[str, str]]:
    collection, _, digest = good.partition("/")
    yield "that is empty", ""
    yield "without a digest", f"{collection}/"
    yield "without a collection", digest
    yield "of another collection", f"validations/{digest}"
    yield "in capitals", f"{collection}/{digest.upper()}"
    yield "with a zero", f"{good}\0"
    yield "with a line end", f"{good}\n"
    yield "with a path", f"{collection}/../../../etc/passwd"
    yield "with a path of 64 letters", f"{collection}/" + ("../" * 22)[:64]
    yield "of an upload's file", f"{collection}/uploads/{OWNER}@{digest}"
    yield "of letters beyond ASCII", f"{collection}/" + "é" * 64
    yield "of 1 MiB", f"{collection}/" + "a" * 2**20


def _name(content: bytes) -> str:
    return f"documents/{hashlib.sha256(content).hexdigest()}"
