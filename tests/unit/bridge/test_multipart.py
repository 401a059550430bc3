"""Files that come beside a message, as parts of its body or as headers."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from absah_bridge import systems
from absah_bridge.codecs import Incoming
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.multipart import split

PICTURE = b"\xff\xd8\r\n\r\n--not-the-boundary\r\n\x00\n"


def make_body(*parts: tuple[str, bytes], boundary: str = "batas", end: str = "\r\n") -> Incoming:
    mark = f"--{boundary}"
    body = b"".join(
        f"{mark}{end}{head}{end * 2 if head else end}".encode() + content + end.encode()
        for head, content in parts
    )
    body += f"{mark}--{end}".encode()
    content_type = f'multipart/related; boundary="{boundary}"'
    return Incoming(body=body, content_type=content_type, headers={"tanda": b"bytes", "x": 1})


def test_parts_are_known_by_content_id_else_filename_else_number() -> None:
    message, files = split(
        make_body(
            ("Content-Type: application/xml", b"<a/>"),
            ("Content-ID: <foto-1>\r\nContent-Type: image/jpeg", PICTURE),
            ('Content-Disposition: attachment; filename="surat.pdf"', b"%PDF"),
            ("", b"bare"),
            (
                "Content-ID: <packed>\r\nContent-Transfer-Encoding: BASE64",
                base64.encodebytes(PICTURE),
            ),
        )
    )
    assert (message.body, message.content_type) == (b"<a/>", "application/xml")
    assert files == {
        "tanda": b"bytes",
        "foto-1": PICTURE,
        "surat.pdf": b"%PDF",
        "4": b"bare",
        "packed": PICTURE,
    }


def test_lines_may_end_as_on_unix() -> None:
    message, files = split(
        make_body(("Content-Type: text/xml", b"<a/>"), ("Content-ID: <b>", b"x"), end="\n")
    )
    assert (message.body, files["b"]) == (b"<a/>", b"x")


def test_a_body_that_is_not_multipart_is_the_message() -> None:
    incoming = Incoming(body=b"<a/>", content_type="text/xml", headers={"foto": b"x", "n": "y"})
    assert split(incoming) == (incoming, {"foto": b"x"})


@pytest.mark.parametrize(
    "incoming",
    [
        make_body(),
        make_body(*[("", b"x")] * 65),
        make_body(("", b"a"), ("Content-ID: <b>", b"1"), ("Content-ID: <b>", b"2")),
        make_body(("", b"a"), ("Content-Transfer-Encoding: base64", b"???")),
        make_body(("", b"a"), ("Content-Transfer-Encoding: x-uuencode", b"x")),
        make_body(("X: " + "y" * 10_000, b"a")),
        make_body(("Content-Disposition: " + "(a)" * 1000, b"a")),
        make_body(("", b"a"), ("Content-Disposition: attachment; a*", b"x")),
        make_body(("", b"a"), ("Content-Disposition: attachment; a=" + "(" * 1900, b"x")),
        make_body(("Content-Type: " + "(" * 1900, b"a")),
        Incoming(body=b"--b\r\n\r\nx", content_type="multipart/mixed; boundary=b", headers={}),
        Incoming(body=b"--b\r\n\r\nx\r\n--b--", content_type="multipart/mixed", headers={}),
    ],
)
def test_a_body_that_cannot_be_split_is_refused(incoming: Incoming) -> None:
    with pytest.raises(MessageInvalid):
        split(incoming)


CONFIG = """
systems:
  simpeg:
    consume: {queue: q}
    codec: {kind: xml, max_bytes: 400}
    request:
      policy: p
      documents:
        - {role: photo, each: a.foto, part: "@cid", filename: .}
    answer: {fields: {}}
"""


def test_a_message_names_the_parts_that_came_with_it(tmp_path: Path) -> None:
    (tmp_path / "bridge.yaml").write_text(CONFIG)
    system = systems.load(tmp_path / "bridge.yaml")[1]["simpeg"]
    body = b"<a><foto cid='x'>a.jpg</foto><foto cid='tanda'>b.jpg</foto></a>"
    incoming = make_body(("Content-Type: text/xml", body), ("Content-ID: <x>", PICTURE))
    (request,) = system.ask(system.read(incoming, message_id="1"))
    assert [(each.filename, each.content) for each in request.attachments] == [
        ("a.jpg", PICTURE),
        ("b.jpg", b"bytes"),
    ]
    absent = make_body(("Content-Type: text/xml", body.replace(b"'x'", b"'y'")))
    with pytest.raises(MessageInvalid) as caught:
        system.ask(system.read(absent, message_id="1"))
    assert (caught.value.cause, caught.value.position) == (
        Cause.MISSING_ATTACHMENT,
        "line 1, column 4",
    )


def test_a_message_that_is_too_large_is_not_even_split(tmp_path: Path) -> None:
    (tmp_path / "bridge.yaml").write_text(CONFIG)
    system = systems.load(tmp_path / "bridge.yaml")[1]["simpeg"]
    with pytest.raises(MessageInvalid) as caught:
        system.read(make_body(("", b"x" * 400)), message_id="1")
    assert caught.value.cause is Cause.MESSAGE_TOO_LARGE
