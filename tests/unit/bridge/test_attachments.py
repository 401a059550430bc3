"""References lead to files within their store, and to nothing else."""

from __future__ import annotations

import asyncio
import http.server
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sftp_server import SftpServer

import absah
from absah_bridge import systems
from absah_bridge.attachments import Attachments, AttachmentsAway
from absah_bridge.codecs import Incoming
from absah_bridge.config import Store
from absah_bridge.delivery.core import Core
from absah_bridge.delivery.flow import Flow
from absah_bridge.delivery.handling import Handler
from absah_bridge.errors import Cause, MessageInvalid

MOST = 1000
PATIENCE_SECONDS = 30
"""For what would otherwise hang for ever."""


async def fetch(store: Store, reference: str) -> bytes:
    attachments = Attachments({"berkas": store})
    try:
        return await attachments.fetch("berkas", reference)
    finally:
        await attachments.close()


async def cause(store: Store, reference: str) -> Cause:
    with pytest.raises(MessageInvalid) as caught:
        await fetch(store, reference)
    return caught.value.cause


def fill(folder: Path) -> None:
    """Files as all kinds of stores are tried with."""
    (folder / "share" / "sub").mkdir(parents=True)
    (folder / "secret.txt").write_bytes(b"secret")
    (folder / "share" / "a.jpg").write_bytes(b"picture")
    (folder / "share" / "sub" / "b c.jpg").write_bytes(b"other")
    (folder / "share" / "large.jpg").write_bytes(bytes(MOST + 1))
    (folder / "share" / "largest.jpg").write_bytes(bytes(MOST))
    (folder / "share" / "inside").symlink_to("a.jpg")
    (folder / "share" / "outside").symlink_to("../secret.txt")
    (folder / "share" / "up").symlink_to("..")
    (folder / "share" / "circle").symlink_to("circle")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(tmp_path)
    return tmp_path


@pytest.fixture
def share(folder: Path) -> Store:
    return Store(kind="folder", folder=folder / "share", max_bytes=MOST)


async def test_a_file_of_a_share_is_fetched(share: Store) -> None:
    assert await fetch(share, "a.jpg") == b"picture"
    assert await fetch(share, "sub/b c.jpg") == b"other"
    assert await fetch(share, "sub/../a.jpg") == b"picture"
    assert await fetch(share, "inside") == b"picture"
    assert len(await fetch(share, "largest.jpg")) == MOST


@pytest.mark.parametrize(
    "reference",
    [
        *("../secret.txt", "sub/../../secret.txt", "/etc/passwd", "outside", "up/secret.txt"),
        *("circle", ".", "", "sub", "a.jpg\0.png", "x" * 5000, "pipe"),
    ],
)
async def test_what_lies_outside_a_share_or_is_no_file_is_refused(
    share: Store, folder: Path, reference: str
) -> None:
    os.mkfifo(folder / "share" / "pipe")
    with pytest.raises(MessageInvalid) as caught:
        await fetch(share, reference)
    assert caught.value.cause is Cause.ATTACHMENT_REFUSED
    # A reference may hold a person's name or number.
    assert len(reference) < 2 or reference not in str(caught.value)


async def test_files_that_are_missing_or_too_large_are_told_apart(share: Store) -> None:
    assert await cause(share, "c.jpg") is Cause.MISSING_ATTACHMENT
    assert await cause(share, "a.jpg/c.jpg") is Cause.MISSING_ATTACHMENT
    assert await cause(share, "large.jpg") is Cause.ATTACHMENT_TOO_LARGE


async def test_a_share_that_is_not_mounted_is_away_and_its_files_are_not_missing(
    folder: Path,
) -> None:
    with pytest.raises(AttachmentsAway):
        await fetch(Store(kind="folder", folder=folder / "nowhere"), "a.jpg")


class Service(http.server.BaseHTTPRequestHandler):
    """Answers by what the path asks for."""

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        getattr(self, f"send_{name.partition('.')[0]}", self.send_status)(name)

    def send_status(self, name: str) -> None:
        self.send_response(int(name) if name.isdecimal() else 404)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send_a(self, name: str) -> None:
        self.reply(b"picture", "Content-Length: 7")

    def send_large(self, name: str) -> None:
        self.reply(b"", f"Content-Length: {MOST + 1}")

    def send_endless(self, name: str) -> None:
        self.reply(b"", "Connection: close")
        try:
            for _ in range(10_000):
                self.wfile.write(bytes(1000))
        except OSError:
            return  # as it should be: nobody reads on

    def send_drip(self, name: str) -> None:
        self.reply(b"", "Content-Length: 900")
        try:
            for _ in range(900):
                self.wfile.write(b"x")
                time.sleep(0.01)
        except OSError:
            return

    def send_packed(self, name: str) -> None:
        self.reply(b"\x1f\x8b", "Content-Encoding: gzip")

    def reply(self, body: bytes, header: str) -> None:
        self.send_response(200)
        self.send_header(*header.split(": "))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Nothing to standard error."""


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/files"
    server.shutdown()
    thread.join()
    server.server_close()


def over_http(url: str, **changes: Any) -> Store:
    return Store(kind="http", url=url, max_bytes=MOST, **changes)


async def test_a_file_of_an_http_store_is_fetched(service: str) -> None:
    assert await fetch(over_http(service), "a.jpg") == b"picture"
    assert await fetch(over_http(service), f"{service}/a.jpg") == b"picture"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("404", Cause.MISSING_ATTACHMENT),
        ("410", Cause.MISSING_ATTACHMENT),
        ("302", Cause.ATTACHMENT_REFUSED),
        ("403", Cause.ATTACHMENT_REFUSED),
        ("packed", Cause.ATTACHMENT_REFUSED),
        ("large", Cause.ATTACHMENT_TOO_LARGE),
        ("endless", Cause.ATTACHMENT_TOO_LARGE),
    ],
)
async def test_what_an_http_store_answers_is_told_by_its_cause(
    service: str, reference: str, expected: Cause
) -> None:
    assert await cause(over_http(service), reference) is expected


@pytest.mark.parametrize("reference", ["500", "503", "429", "401", "407"])
async def test_an_http_store_that_fails_is_away(service: str, reference: str) -> None:
    with pytest.raises(AttachmentsAway):
        await fetch(over_http(service), reference)


async def test_an_http_store_that_drips_is_away(service: str) -> None:
    with pytest.raises(AttachmentsAway):
        await fetch(over_http(service, timeout_seconds=0.3), "drip")


async def test_an_http_store_that_is_not_there_is_away() -> None:
    with pytest.raises(AttachmentsAway):
        await fetch(over_http("http://127.0.0.1:1/files"), "a.jpg")


@pytest.mark.parametrize(
    "reference",
    [
        *("../a.jpg", "/a.jpg", "//127.0.0.1:1/files/a.jpg", "http://127.0.0.1:1/files/a.jpg"),
        *("http://127.0.0.1@elsewhere/a.jpg", "%2e%2e/a.jpg", "%252e%252e/a.jpg", "sub%2f..%2fa"),
        *("..\\a.jpg", "\\\\elsewhere\\a.jpg", "a.jpg\r\nX: y", "file:///etc/passwd", "a\tb", "./"),
        *("sub/../../a.jpg", "x" * 2000, "..;/a.jpg\0", "https:a.jpg", "//[x"),
    ],
)
async def test_a_reference_that_leads_out_of_an_http_store_is_refused_unasked(
    service: str, reference: str
) -> None:
    with pytest.raises(MessageInvalid) as caught:
        await fetch(over_http(service), reference)
    assert caught.value.cause is Cause.ATTACHMENT_REFUSED


@pytest.fixture
def sftp(folder: Path) -> Iterator[SftpServer]:
    with SftpServer(folder) as server:
        yield server


def over_sftp(server: SftpServer, folder: Path, **changes: Any) -> Store:
    (folder / "password").write_text("rahasia\n")
    given = {
        "username": "bridge",
        "password_file": folder / "password",
        "known_hosts_file": server.known_hosts(folder / "known_hosts"),
        **changes,
    }
    url = f"sftp://127.0.0.1:{server.port}/share"
    return Store(kind="sftp", url=url, **{"max_bytes": MOST, "timeout_seconds": 5, **given})


async def test_files_of_an_sftp_store_are_fetched_over_one_connection(
    sftp: SftpServer, folder: Path
) -> None:
    attachments = Attachments({"berkas": over_sftp(sftp, folder)})
    for reference, content in (("a.jpg", b"picture"), ("sub/b c.jpg", b"other")):
        assert await attachments.fetch("berkas", reference) == content
    await attachments.close()
    assert sftp.connections == 1


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("c.jpg", Cause.MISSING_ATTACHMENT),
        ("large.jpg", Cause.ATTACHMENT_TOO_LARGE),
        ("../secret.txt", Cause.ATTACHMENT_REFUSED),
        ("/secret.txt", Cause.ATTACHMENT_REFUSED),
        ("outside", Cause.ATTACHMENT_REFUSED),
        ("up/secret.txt", Cause.ATTACHMENT_REFUSED),
        ("sub", Cause.ATTACHMENT_REFUSED),
    ],
)
async def test_what_an_sftp_store_has_not_is_told_by_its_cause(
    sftp: SftpServer, folder: Path, reference: str, expected: Cause
) -> None:
    assert await cause(over_sftp(sftp, folder), reference) is expected


async def test_an_sftp_server_with_another_key_is_not_spoken_to(
    sftp: SftpServer, folder: Path
) -> None:
    (folder / "others").write_text("")
    with pytest.raises(AttachmentsAway):
        await fetch(over_sftp(sftp, folder, known_hosts_file=folder / "others"), "a.jpg")
    assert not sftp.logins


async def test_an_sftp_server_that_is_gone_is_away_and_comes_back(
    sftp: SftpServer, folder: Path
) -> None:
    attachments = Attachments({"berkas": over_sftp(sftp, folder)})
    assert await attachments.fetch("berkas", "a.jpg") == b"picture"
    sftp.cut()
    try:
        again = await attachments.fetch("berkas", "a.jpg")
    except AttachmentsAway:
        again = await attachments.fetch("berkas", "a.jpg")
    assert again == b"picture"
    await attachments.close()


@pytest.mark.parametrize("fault", ["no session", "drips"])
async def test_an_sftp_server_that_never_comes_to_an_end_is_away_and_holds_up_nobody(
    sftp: SftpServer, folder: Path, fault: str
) -> None:
    attachments = Attachments({"berkas": over_sftp(sftp, folder, timeout_seconds=1)})
    if fault == "drips":
        sftp.drips = True
    else:
        sftp.answers.clear()
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(AttachmentsAway):
            await attachments.fetch("berkas", "largest.jpg")
        sftp.drips = False
        sftp.answers.set()
        assert await attachments.fetch("berkas", "a.jpg") == b"picture"
        await attachments.close()


async def test_a_store_is_closed_under_what_hangs_in_it(sftp: SftpServer, folder: Path) -> None:
    attachments = Attachments({"berkas": over_sftp(sftp, folder, timeout_seconds=3600)})
    sftp.answers.clear()
    fetching = asyncio.create_task(attachments.fetch("berkas", "a.jpg"))
    while not sftp.logins:
        await asyncio.sleep(0.01)
    async with asyncio.timeout(PATIENCE_SECONDS):
        fetching.cancel()
        await asyncio.gather(fetching, return_exceptions=True)
        await attachments.close()


def test_a_thread_that_hangs_keeps_no_process_from_ending() -> None:
    code = (
        "import threading, absah_bridge.attachments as a;"
        "started = threading.Event();"
        "a.Threads(1, 'x').submit(lambda: started.set() or threading.Event().wait());"
        "started.wait()"
    )
    subprocess.run([sys.executable, "-c", code], timeout=PATIENCE_SECONDS, check=True)


@pytest.mark.parametrize("key", ["known_hosts_file", "key_file"])
async def test_a_file_that_the_bridge_needs_itself_is_no_message_s_fault(
    sftp: SftpServer, folder: Path, key: str
) -> None:
    for name, content in (("nowhere", None), ("a_folder", None), ("no_keys", b"\xff x\n")):
        file = folder / name
        if name == "a_folder":
            file.mkdir()
        elif content is not None:
            file.write_bytes(content)
        changes = {"password_file": None} if key == "key_file" else {}
        with pytest.raises(AttachmentsAway, match="no connection"):
            await fetch(over_sftp(sftp, folder, **{**changes, key: file}), "a.jpg")


async def test_an_sftp_store_whose_folder_is_not_there_is_away(
    sftp: SftpServer, folder: Path
) -> None:
    store = over_sftp(sftp, folder)
    (folder / "share").rename(folder / "moved")
    with pytest.raises(AttachmentsAway):
        await fetch(store, "a.jpg")


def test_a_store_keeps_no_password_in_its_url() -> None:
    with pytest.raises(ValueError, match="password_file"):
        Store(kind="http", url="http://bridge:rahasia@127.0.0.1/files")


async def test_the_documents_of_one_request_are_bounded_together(folder: Path) -> None:
    (folder / "bridge.yaml").write_text(
        """
stores: {berkas: {kind: folder, folder: share}}
systems:
  simpeg:
    consume: {queue: q}
    codec: {kind: json}
    request:
      policy: p
      max_document_bytes: 1006
      documents:
        - {role: photo, each: foto, reference: ., store: berkas}
    answer: {fields: {}}
"""
    )
    read, legacy = systems.load(folder / "bridge.yaml")
    system = legacy["simpeg"]
    body = b'{"foto": [\n"largest.jpg",\n"a.jpg"]}'
    arrived = system.read(Incoming(body=body, headers={}), message_id="1")
    attachments = Attachments(read.stores)
    # The server is never asked: nobody listens there.
    async with absah.AsyncClient("127.0.0.1:1") as client:
        handler = Handler(system=system, core=Core(client, Flow(most=1)), attachments=attachments)
        with pytest.raises(MessageInvalid) as caught:
            await handler.validate(system.ask(arrived))
    await attachments.close()
    assert caught.value.cause is Cause.ATTACHMENT_TOO_LARGE
    assert caught.value.position == "line 3, column 1"
