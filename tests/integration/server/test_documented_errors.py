"""Each error that the contract documents comes with its code, its reason and its detail."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
from durable import durable_settings
from google.rpc import error_details_pb2 as details
from google.rpc import status_pb2
from policies import SHORT_TEXT
from support import Length, Slow, make_settings, running_server

import absah
from absah.admin.v1 import admin_service_pb2, admin_service_pb2_grpc
from absah.v1 import (
    document_service_pb2,
    document_service_pb2_grpc,
    review_service_pb2,
    review_service_pb2_grpc,
    validation_pb2,
    validation_service_pb2,
    validation_service_pb2_grpc,
)

UNKNOWN = 32 * "0"
UNKNOWN_DOCUMENT = "documents/" + 64 * "0"
CONTENT = b"halo, ini sebuah laporan"
LONG = "teks yang terlalu panjang"
METADATA = (("absah-tenant", "default"), ("absah-client", "siti"))
BAD, RESOURCE = details.BadRequest, details.ResourceInfo
QUOTA, RETRY = details.QuotaFailure, details.RetryInfo
Code = grpc.StatusCode
Call = Callable[[], Awaitable[Any]]
Case = tuple[Call, grpc.StatusCode, str, type[Any]]


class Asking:
    """Calls of all services over one channel, by one client."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        services = (
            validation_service_pb2_grpc.ValidationServiceStub,
            document_service_pb2_grpc.DocumentServiceStub,
            review_service_pb2_grpc.ReviewServiceStub,
            admin_service_pb2_grpc.AdminServiceStub,
        )
        self._stubs = [service(channel) for service in services]

    async def __call__(self, method: str, given: Any, *, client: str = "siti") -> Any:
        """The answer, or the last one of a stream."""
        stub = next(stub for stub in self._stubs if hasattr(stub, method))
        metadata = (METADATA[0], ("absah-client", client))
        call = getattr(stub, method)(given, timeout=20, metadata=metadata)
        if isinstance(call, grpc.aio.UnaryStreamCall):
            return [response async for response in call][-1]
        return await call

    def later(self, method: str, given: Any, *, client: str = "siti") -> Call:
        return lambda: self(method, given, client=client)

    async def refused(self, call: Call) -> tuple[grpc.StatusCode, str, list[type[Any]]]:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call()
        trailers: dict[str, Any] = dict(raised.value.trailing_metadata() or ())
        status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
        info = details.ErrorInfo()
        status.details[0].Unpack(info)
        assert info.domain == "absah"
        rest = [
            kind
            for packed in status.details[1:]
            for kind in (BAD, RESOURCE, QUOTA, RETRY)
            if packed.Is(kind.DESCRIPTOR)
        ]
        return raised.value.code(), info.reason, rest

    async def verify(self, cases: dict[str, Case]) -> None:
        """Provoke each case and compare all of them with what the contract says."""
        found = {name: await self.refused(case[0]) for name, case in cases.items()}
        wanted = {name: (case[1], case[2], [case[3]]) for name, case in cases.items()}
        assert found == wanted


def request(text: str = "halo", policy: str = "short-text", **changes: Any) -> Any:
    return absah.request(policy, {"report": absah.Text(text)}, **changes)


def creation(asked: Any) -> Any:
    return validation_service_pb2.CreateValidationRequest(request=asked)


def named(name: str) -> Any:
    made = absah.request("", {}, checkers=["slow"], request_id=f"of-{name[-4:]}")
    made.documents.add(role="report", name=name)
    return made


def upload(
    content: bytes = CONTENT,
    *,
    digest: str | None = None,
    size: int | None = None,
    offset: int = 0,
    chunks: int = 1,
) -> Iterator[document_service_pb2.UploadDocumentRequest]:
    header = document_service_pb2.UploadDocumentHeader(
        sha256=digest or hashlib.sha256(content).hexdigest(),
        size_bytes=len(content) if size is None else size,
        offset_bytes=offset,
    )
    yield document_service_pb2.UploadDocumentRequest(header=header)
    for _ in range(chunks):
        yield document_service_pb2.UploadDocumentRequest(chunk=content)


@pytest.fixture
async def asking(tmp_path: Path, database_url: str) -> AsyncIterator[Asking]:
    settings = durable_settings(
        tmp_path,
        database_url,
        jobs={"workers": 1},
        limits={"max_text_bytes": 100, "max_document_bytes": 2**20},
        blobs={"max_uploads": 1, "idle_seconds": 0.5},
        drain_seconds=0.1,
        max_running=1,
        max_waiting=0,
    )
    (settings.policies / "short-text.yaml").write_text(SHORT_TEXT)
    async with (
        running_server(settings, [Length, Slow]) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        yield Asking(channel)


async def accepted(asking: Asking, asked: Any, *states: int) -> Any:
    """A validation that was accepted, once it is in one of these states."""
    made = (await asking("CreateValidation", creation(asked))).validation
    async with asyncio.timeout(20):
        while made.state not in states:
            await asyncio.sleep(0.05)
            again = validation_service_pb2.GetValidationRequest(name=made.name)
            made = (await asking("GetValidation", again)).validation
    return made


async def test_of_requests_to_validate(asking: Asking) -> None:
    await asking("Validate", request(request_id="used"))
    unclaimed = absah.request("short-text", {"report": absah.Text("a")}, claims={"nik": "1"})
    cases: dict[str, Case] = {}
    for method, wrap in (("Validate", lambda asked: asked), ("CreateValidation", creation)):

        def case(asked: Any, method: str = method, wrap: Any = wrap) -> Call:
            return asking.later(method, wrap(asked))

        invalid, missing, many = Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.RESOURCE_EXHAUSTED
        cases |= {
            f"{method}: nothing": (case(absah.request("", {})), invalid, "INVALID_REQUEST", BAD),
            f"{method}: request id": (
                case(request(request_id="a b")), invalid, "INVALID_REQUEST", BAD
            ),
            f"{method}: documents": (
                case(absah.request("short-text", {"photo": absah.Text("a")})),
                invalid, "UNEXPECTED_DOCUMENTS", BAD,
            ),
            f"{method}: claims": (case(unclaimed), invalid, "UNEXPECTED_CLAIMS", BAD),
            f"{method}: policy": (
                case(request(policy="none")), missing, "POLICY_NOT_FOUND", RESOURCE
            ),
            f"{method}: checker": (
                case(request(policy="", checkers=["none"])),
                missing, "CHECKER_NOT_FOUND", RESOURCE,
            ),
            f"{method}: document": (
                case(named(UNKNOWN_DOCUMENT)), missing, "DOCUMENT_NOT_FOUND", RESOURCE
            ),
            f"{method}: used id": (
                case(request("lain", request_id="used")),
                Code.ALREADY_EXISTS, "REQUEST_ID_REUSED", RESOURCE,
            ),
            f"{method}: large": (case(request(101 * "a")), many, "LIMIT_EXCEEDED", QUOTA),
            f"{method}: client": (
                asking.later(method, wrap(request()), client="a b"),
                invalid, "INVALID_REQUEST", BAD,
            ),
        }  # fmt: skip
    await asking.verify(cases)


async def test_of_a_busy_server(asking: Asking) -> None:
    running = asyncio.create_task(asking("Validate", request("5", "", checkers=["slow"])))
    await asyncio.sleep(0.5)
    case = asking.later("Validate", request())
    await asking.verify({"busy": (case, Code.RESOURCE_EXHAUSTED, "OVERLOADED", RETRY)})
    running.cancel()


async def test_of_validations_that_are_kept(asking: Asking) -> None:
    pb = validation_service_pb2
    ended = await asking("Validate", request())
    succeeded = ended.validation.name
    running = await accepted(
        asking, request("60", "", checkers=["slow"]), validation_pb2.STATE_RUNNING
    )
    name = f"validations/{UNKNOWN}"
    missing = (Code.NOT_FOUND, "VALIDATION_NOT_FOUND", RESOURCE)
    wrong = (Code.FAILED_PRECONDITION, "WRONG_STATE", RESOURCE)
    invalid = (Code.INVALID_ARGUMENT, "INVALID_REQUEST", BAD)
    first = await asking("ListValidations", pb.ListValidationsRequest(page_size=1))
    other = pb.ListValidationsRequest(
        page_token=first.next_page_token, filter=pb.ValidationFilter(policy="short-text")
    )
    await asking.verify(
        {
            "get": (asking.later("GetValidation", pb.GetValidationRequest(name=name)), *missing),
            "get, no name": (
                asking.later("GetValidation", pb.GetValidationRequest(name="x")), *missing
            ),
            "cancel": (
                asking.later("CancelValidation", pb.CancelValidationRequest(name=name)), *missing
            ),
            "cancel, ended": (
                asking.later("CancelValidation", pb.CancelValidationRequest(name=succeeded)),
                *wrong,
            ),
            "watch": (
                asking.later("WatchValidation", pb.WatchValidationRequest(name=name)), *missing
            ),
            "replay": (
                asking.later("ReplayValidation", pb.ReplayValidationRequest(name=name)), *missing
            ),
            "replay, running": (
                asking.later("ReplayValidation", pb.ReplayValidationRequest(name=running.name)),
                *wrong,
            ),
            "list, size": (
                asking.later("ListValidations", pb.ListValidationsRequest(page_size=-1)), *invalid
            ),
            "list, token": (
                asking.later("ListValidations", pb.ListValidationsRequest(page_token="x")),
                *invalid,
            ),
            "list, token of another": (asking.later("ListValidations", other), *invalid),
        }
    )  # fmt: skip
    document = f"documents/{ended.validation.record.documents[0].sha256}"
    await asking("DeleteDocument", document_service_pb2.DeleteDocumentRequest(name=document))
    deleted = asking.later("ReplayValidation", pb.ReplayValidationRequest(name=succeeded))
    await asking.verify({"replay, deleted": (deleted, *wrong)})


async def test_of_documents(asking: Asking, tmp_path: Path) -> None:
    pb = document_service_pb2
    kept = (await asking("UploadDocument", upload())).document.name
    spoiled = (await asking("UploadDocument", upload(b"rusak"))).document.name
    digest = spoiled.removeprefix("documents/")
    (tmp_path / "data" / "blobs" / digest[:2] / digest[2:]).write_bytes(b"RUSAK")
    needed = (await asking("UploadDocument", upload(b"60"))).document.name
    await asking("CreateValidation", creation(named(needed)))
    invalid = (Code.INVALID_ARGUMENT, "INVALID_REQUEST", BAD)
    mismatch = (Code.INVALID_ARGUMENT, "CONTENT_MISMATCH", BAD)
    gap = (Code.INVALID_ARGUMENT, "UPLOAD_GAP", BAD)
    missing = (Code.NOT_FOUND, "DOCUMENT_NOT_FOUND", RESOURCE)

    def get(name: str) -> Call:
        return asking.later("GetDocument", pb.GetDocumentRequest(name=name))

    def download(name: str, offset: int = 0) -> Call:
        asked = pb.DownloadDocumentRequest(name=name, offset_bytes=offset)
        return asking.later("DownloadDocument", asked)

    def delete(name: str) -> Call:
        return asking.later("DeleteDocument", pb.DeleteDocumentRequest(name=name))

    def send(*given: Any, **changes: Any) -> Call:
        return asking.later("UploadDocument", upload(*given, **changes))

    await asking.verify(
        {
            "upload, chunk": (send(bytes(262_145)), *invalid),
            "upload, begin": (send(b"lain", offset=1), *gap),
            "upload, end": (send(b"lain", size=9), *gap),
            "upload, digest": (send(b"lain", digest=64 * "1"), *mismatch),
            "upload, size": (send(b"lain", size=3), *mismatch),
            "upload, large": (
                send(b"lain", size=2**21), Code.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED", QUOTA
            ),
            "get, name": (get("documents/x"), *invalid),
            "get": (get(UNKNOWN_DOCUMENT), *missing),
            "download, name": (download("x"), *invalid),
            "download, offset": (download(kept, -1), *invalid),
            "download": (download(UNKNOWN_DOCUMENT), *missing),
            "download, beyond": (
                download(kept, 1000), Code.OUT_OF_RANGE, "INVALID_REQUEST", BAD
            ),
            "download, damaged": (
                download(spoiled), Code.DATA_LOSS, "CONTENT_DAMAGED", RESOURCE
            ),
            "delete, name": (delete("x"), *invalid),
            "delete": (delete(UNKNOWN_DOCUMENT), *missing),
            "delete, needed": (
                delete(needed), Code.FAILED_PRECONDITION, "DOCUMENT_IN_USE", RESOURCE
            ),
        }
    )  # fmt: skip


async def test_of_uploads_that_stop_and_that_are_too_many(asking: Asking) -> None:
    async def silent() -> AsyncIterator[document_service_pb2.UploadDocumentRequest]:
        yield next(upload())
        await asyncio.sleep(20)

    waiting = asyncio.create_task(asking.refused(asking.later("UploadDocument", silent())))
    await asyncio.sleep(0.2)
    busy = asking.later("UploadDocument", upload())
    await asking.verify({"too many": (busy, Code.RESOURCE_EXHAUSTED, "OVERLOADED", RETRY)})
    assert await waiting == (Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", [])


async def test_of_reviews(asking: Asking) -> None:
    pb = review_service_pb2
    made = [(await asking("Validate", request(LONG))).validation.name for _ in range(3)]
    free, claimed, decided = (name.replace("validations", "reviews") for name in made)
    ruling = {"decision": validation_pb2.DECISION_ACCEPT, "reason": "jelas"}
    await asking("ClaimReview", pb.ClaimReviewRequest(name=claimed))
    await asking("ClaimReview", pb.ClaimReviewRequest(name=decided))
    await asking("DecideReview", pb.DecideReviewRequest(name=decided, **ruling))
    first = await asking("ListReviews", pb.ListReviewsRequest(page_size=1))
    unknown = f"reviews/{UNKNOWN}"
    invalid = (Code.INVALID_ARGUMENT, "INVALID_REQUEST", BAD)
    missing = (Code.NOT_FOUND, "REVIEW_NOT_FOUND", RESOURCE)
    taken = (Code.FAILED_PRECONDITION, "REVIEW_CLAIMED", RESOURCE)
    wrong = (Code.FAILED_PRECONDITION, "WRONG_STATE", RESOURCE)

    def claim(name: str, client: str = "siti") -> Call:
        return asking.later("ClaimReview", pb.ClaimReviewRequest(name=name), client=client)

    def release(name: str) -> Call:
        return asking.later("ReleaseReview", pb.ReleaseReviewRequest(name=name))

    def decide(name: str, **changes: Any) -> Call:
        asked = pb.DecideReviewRequest(name=name, **{**ruling, **changes})
        return asking.later("DecideReview", asked)

    def listed(**given: Any) -> Call:
        return asking.later("ListReviews", pb.ListReviewsRequest(**given))

    token = first.next_page_token
    await asking.verify(
        {
            "list, size": (listed(page_size=-1), *invalid),
            "list, token": (listed(page_token=token, policy="other"), *invalid),
            "get": (asking.later("GetReview", pb.GetReviewRequest(name=unknown)), *missing),
            "claim": (claim(unknown), *missing),
            "claim, taken": (claim(claimed, "budi"), *taken),
            "claim, decided": (claim(decided), *wrong),
            "release": (release(unknown), *missing),
            "release, not claimed": (release(free), *wrong),
            "decide": (decide(unknown), *missing),
            "decide, not claimed": (decide(free), *wrong),
            "decide, no decision": (
                decide(claimed, decision=validation_pb2.DECISION_REVIEW), *invalid
            ),
            "decide, no reason": (decide(claimed, reason=" "), *invalid),
            "decide, otherwise": (
                decide(decided, decision=validation_pb2.DECISION_REJECT), *wrong
            ),
        }
    )  # fmt: skip


async def test_of_jobs(asking: Asking) -> None:
    pb = admin_service_pb2
    await accepted(asking, request(), validation_pb2.STATE_SUCCEEDED)
    (job,) = (await asking("ListJobs", pb.ListJobsRequest())).jobs
    await asking("CreateValidation", creation(request("60", "", checkers=["slow"])))
    token = (await asking("ListJobs", pb.ListJobsRequest(page_size=1))).next_page_token
    invalid = (Code.INVALID_ARGUMENT, "INVALID_REQUEST", BAD)
    missing = (Code.NOT_FOUND, "JOB_NOT_FOUND", RESOURCE)
    negative = pb.PurgeJobsRequest()
    negative.older_than.FromTimedelta(datetime.timedelta(seconds=-1))

    def listed(**given: Any) -> Call:
        return asking.later("ListJobs", pb.ListJobsRequest(**given))

    await asking.verify(
        {
            "list, size": (listed(page_size=-1), *invalid),
            "list, token": (
                listed(page_token=token, filter=pb.JobFilter(policy="other")), *invalid
            ),
            "list, validation": (listed(filter=pb.JobFilter(validation="x")), *invalid),
            "get": (asking.later("GetJob", pb.GetJobRequest(name="jobs/999")), *missing),
            "get, no name": (asking.later("GetJob", pb.GetJobRequest(name="x")), *missing),
            "retry": (asking.later("RetryJob", pb.RetryJobRequest(name="jobs/999")), *missing),
            "retry, succeeded": (
                asking.later("RetryJob", pb.RetryJobRequest(name=job.name)),
                Code.FAILED_PRECONDITION, "WRONG_STATE", RESOURCE,
            ),
            "cancel": (asking.later("CancelJob", pb.CancelJobRequest(name="jobs/999")), *missing),
            "cancel, succeeded": (
                asking.later("CancelJob", pb.CancelJobRequest(name=job.name)),
                Code.FAILED_PRECONDITION, "WRONG_STATE", RESOURCE,
            ),
            "purge, state": (
                asking.later("PurgeJobs", pb.PurgeJobsRequest(states=[pb.JOB_STATE_RUNNING])),
                *invalid,
            ),
            "purge, time": (asking.later("PurgeJobs", negative), *invalid),
        }
    )  # fmt: skip


def of_what_is_kept() -> dict[str, Any]:
    """A request to each method that needs a store."""
    pb, jobs = validation_service_pb2, admin_service_pb2
    name = f"validations/{UNKNOWN}"
    return {
        "CreateValidation": creation(request()),
        "GetValidation": pb.GetValidationRequest(name=name),
        "ListValidations": pb.ListValidationsRequest(),
        "CancelValidation": pb.CancelValidationRequest(name=name),
        "WatchValidation": pb.WatchValidationRequest(name=name),
        "ReplayValidation": pb.ReplayValidationRequest(name=name),
        "ListJobs": jobs.ListJobsRequest(),
        "GetJob": jobs.GetJobRequest(name="jobs/1"),
        "RetryJob": jobs.RetryJobRequest(name="jobs/1"),
        "CancelJob": jobs.CancelJobRequest(name="jobs/1"),
        "PurgeJobs": jobs.PurgeJobsRequest(),
    }


async def test_of_a_server_that_keeps_nothing(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    (settings.policies / "short-text.yaml").write_text(SHORT_TEXT)
    async with (
        running_server(settings, [Length]) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        asking = Asking(channel)
        for method, given in of_what_is_kept().items():
            code, reason, _ = await asking.refused(asking.later(method, given))
            assert (code, reason) == (Code.FAILED_PRECONDITION, "NOTHING_KEPT"), method


async def test_of_a_store_that_cannot_be_reached(
    asking: Asking, database_url: str, postgres: str
) -> None:
    database = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    with psycopg.connect(postgres, autocommit=True) as elsewhere:
        elsewhere.execute(f"alter database {database} allow_connections false".encode())
        elsewhere.execute(
            b"select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
            [database],
        )
    reviews, documents = review_service_pb2, document_service_pb2
    given = of_what_is_kept() | {
        "Validate": request(),
        "UploadDocument": upload(),
        "GetDocument": documents.GetDocumentRequest(name=UNKNOWN_DOCUMENT),
        "DeleteDocument": documents.DeleteDocumentRequest(name=UNKNOWN_DOCUMENT),
        "ListReviews": reviews.ListReviewsRequest(),
        "GetReview": reviews.GetReviewRequest(name=f"reviews/{UNKNOWN}"),
    }
    gone = (Code.UNAVAILABLE, "STORE_UNAVAILABLE", RETRY)
    await asking.verify({m: (asking.later(m, asked), *gone) for m, asked in given.items()})
