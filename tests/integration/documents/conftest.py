"""A server that keeps documents, and what its tests ask of it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from support import Length, Slow, make_settings, running_server

import absah
from absah.errors import from_rpc_error
from absah.v1 import document_service_pb2 as pb2
from absah.v1 import document_service_pb2_grpc
from absah_server.store import pairing

CHUNK = 256 * 1024


def files(data_folder: Path) -> list[Path]:
    """What lies in the store besides uploads, and the mark by which its database knows it."""
    found = (path for path in (data_folder / "blobs").glob("??/*") if path.is_file())
    return [path for path in found if path.stat().st_size != pairing.MARK_BYTES]


def digest_of(content: bytes) -> str:
    """Its SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def name_of(content: bytes) -> str:
    """What it is called once it is uploaded."""
    return f"documents/{digest_of(content)}"


def messages(
    content: bytes,
    *,
    offset: int = 0,
    digest: str | None = None,
    size: int | None = None,
    until: int | None = None,
) -> Iterator[pb2.UploadDocumentRequest]:
    """The messages of an upload, of all of it or of bytes `offset` to `until`."""
    yield pb2.UploadDocumentRequest(
        header=pb2.UploadDocumentHeader(
            sha256=digest_of(content) if digest is None else digest,
            size_bytes=len(content) if size is None else size,
            offset_bytes=offset,
        )
    )
    end = len(content) if until is None else until
    for begin in range(offset, end, CHUNK):
        yield pb2.UploadDocumentRequest(chunk=content[begin : min(begin + CHUNK, end)])


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """How a call failed: code, reason, and the fields of a BadRequest."""

    code: grpc.StatusCode
    reason: str
    fields: tuple[tuple[str, str], ...]
    subject: str


class Asking:
    """Calls of DocumentService by hand."""

    def __init__(self, address: str, *, tenant: str = "default") -> None:
        self.address = address
        self.channel = grpc.aio.insecure_channel(address)
        self.stub = document_service_pb2_grpc.DocumentServiceStub(self.channel)
        self.metadata = (("absah-tenant", tenant), ("absah-client", "tests"))

    async def upload(self, parts: Sequence[pb2.UploadDocumentRequest] | Iterator[Any]) -> Any:
        answer = await self.stub.UploadDocument(iter(parts), metadata=self.metadata)
        return answer.document

    async def get(self, name: str) -> Any:
        request = pb2.GetDocumentRequest(name=name)
        return (await self.stub.GetDocument(request, metadata=self.metadata)).document

    async def download(self, name: str, *, offset: int = 0) -> bytes:
        request = pb2.DownloadDocumentRequest(name=name, offset_bytes=offset)
        answers = self.stub.DownloadDocument(request, metadata=self.metadata)
        return b"".join([answer.chunk async for answer in answers])

    async def delete(self, name: str) -> Any:
        request = pb2.DeleteDocumentRequest(name=name)
        return (await self.stub.DeleteDocument(request, metadata=self.metadata)).document


async def refusal(call: Any) -> Refusal:
    """Await a call that must fail."""
    with pytest.raises(grpc.RpcError) as raised:
        await call
    failed = from_rpc_error(raised.value)
    packed = dict(raised.value.trailing_metadata() or ()).get("grpc-status-details-bin")
    subject = ""
    for detail in status_pb2.Status.FromString(packed).details if packed else ():
        for kind in (error_details_pb2.ResourceInfo, error_details_pb2.QuotaFailure):
            told = kind()
            if detail.Unpack(told):
                subject = getattr(told, "resource_name", "") or told.violations[0].subject
    return Refusal(code=failed.code, reason=failed.reason, fields=failed.fields, subject=subject)


@pytest.fixture
def settings(tmp_path: Path, database_url: str, data_folder: Path) -> Any:
    """Settings of a server that keeps what it is sent."""
    return make_settings(
        tmp_path, store={"kind": "postgres"}, database_url=database_url, data=data_folder
    )


@pytest.fixture
async def address(settings: Any) -> AsyncIterator[str]:
    """A server with small checkers."""
    async with running_server(settings, (Length, Slow)) as address:
        yield address


@pytest.fixture
async def asking(address: str) -> AsyncIterator[Asking]:
    """Calls as tenant "default"."""
    asking = Asking(address)
    yield asking
    await asking.channel.close()


@pytest.fixture
async def client(address: str) -> AsyncIterator[absah.AsyncClient]:
    """The client that comes with Absah."""
    async with absah.AsyncClient(address) as client:
        yield client
