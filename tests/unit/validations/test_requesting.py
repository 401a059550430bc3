"""A request is known again by what it asks, and can be run again from what is kept of it."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from absah_server.core import names, requesting, submission
from absah_server.core.errors import DocumentNotFound, RequestInvalid
from absah_server.core.requesting import Request, RequestedDocument
from absah_server.core.submission import Attachment, Priority, SizeLimits, Submission

SHA256 = hashlib.sha256(b"halo").hexdigest()


def asked(**changes: Any) -> Submission:
    given: dict[str, Any] = {
        "policy": "field-report",
        "attachments": [Attachment(role="report", filename="a.txt", content=b"halo")],
        "claims": {"nik": "1", "count": 2.0},
        **changes,
    }
    return Submission(**given)


def digest(request: Submission) -> bytes:
    return requesting.digest(request, requesting.digests(request))


@pytest.mark.parametrize(
    "same",
    [
        {"request_id": "other"},
        {"priority": Priority.HIGH},
        {"claims": {"count": 2.0, "nik": "1"}},
        {
            "attachments": [
                Attachment(role="report", filename="a.txt", stored=f"documents/{SHA256}")
            ]
        },
    ],
    ids=["request id", "priority", "order of claims", "name of the same content"],
)
def test_what_asks_for_the_same_has_the_same_digest(same: dict[str, Any]) -> None:
    assert digest(asked(**same)) == digest(asked())


@pytest.mark.parametrize(
    "other",
    [
        {"policy": "field-report@1"},
        {"policy": "", "checkers": ["ocr"]},
        {"claims": {}},
        {"claims": {"nik": "2", "count": 2.0}},
        {"attachments": [Attachment(role="letter", filename="a.txt", content=b"halo")]},
        {"attachments": [Attachment(role="report", filename="b.txt", content=b"halo")]},
        {"attachments": [Attachment(role="report", filename="a.txt", content=b"Halo")]},
        {"attachments": [Attachment(role="report", filename="a.txt", text="halo")]},
        {"attachments": 2 * [Attachment(role="report", filename="a.txt", content=b"halo")]},
    ],
    ids=str,
)
def test_what_asks_for_something_else_has_another_digest(other: dict[str, Any]) -> None:
    assert digest(asked(**other)) != digest(asked())


def test_a_request_becomes_the_submission_that_it_was() -> None:
    documents = [
        RequestedDocument(role="report", filename="a", digest=SHA256, is_text=True),
        RequestedDocument(role="photo", filename="b", digest=SHA256, is_text=False),
    ]
    request = Request(
        policy="p@1", checkers=(), documents=documents, claims={"a": 1}, priority=Priority.LOW
    )
    assert request.submission("r-1", {SHA256: b"halo"}) == Submission(
        request_id="r-1",
        policy="p@1",
        attachments=[
            Attachment(role="report", filename="a", text="halo"),
            Attachment(role="photo", filename="b", content=b"halo"),
        ],
        claims={"a": 1},
        priority=Priority.LOW,
    )


def test_a_document_that_is_named_must_be_fetched_before_it_is_used() -> None:
    named = Attachment(role="report", stored=f"documents/{SHA256}")
    submission.verify(asked(attachments=[named]), SizeLimits())
    with pytest.raises(DocumentNotFound, match=SHA256):
        submission.documents([named], identify=lambda content: "", read_text=lambda content: "")
    with pytest.raises(RequestInvalid, match=r"documents\[0\].name"):
        submission.verify(
            asked(attachments=[Attachment(role="report", stored="documents/AB")]), SizeLimits()
        )


def test_the_time_in_an_id_is_that_of_its_making_to_the_millisecond() -> None:
    made = [names.new_id() for _ in range(100)]
    times = [names.time_of(each) for each in made]
    assert times == sorted(times)
    assert [round(time.timestamp() * 1000) for time in times] == [each.int >> 80 for each in made]
