"""What is sent is verified and named before anything is decoded."""

from __future__ import annotations

import pytest
from support import make_picture

from absah_server.core import errors, submission
from absah_server.core.submission import Attachment, SizeLimits, Submission
from absah_server.decode import media_types


def attach(role: str = "photo", content: bytes = b"x") -> Attachment:
    return Attachment(role=role, content=content)


def fields_refused(request: Submission) -> list[str]:
    with pytest.raises(errors.RequestInvalid) as refused:
        submission.verify(request, SizeLimits())
    return [field for field, _ in refused.value.violations]


def test_every_mistake_of_form_is_named_at_once() -> None:
    request = Submission(
        request_id="no spaces please",
        attachments=[attach(role="Photo"), attach(content=b"")],
    )
    assert set(fields_refused(request)) == {
        "request_id",
        "policy",
        "documents[0].role",
        "documents[1]",
    }


def test_policy_and_checkers_together_are_refused() -> None:
    request = Submission(policy="a", checkers=("b",), attachments=[attach()])
    assert fields_refused(request) == ["policy"]


def test_a_request_without_documents_is_refused() -> None:
    assert fields_refused(Submission(policy="a")) == ["documents"]


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (SizeLimits(max_documents=1), "limits.max_documents"),
        (SizeLimits(max_document_bytes=9), "limits.max_document_bytes"),
        (SizeLimits(max_total_bytes=19), "limits.max_total_bytes"),
        (SizeLimits(max_text_bytes=3), "limits.max_text_bytes"),
        (SizeLimits(max_claims_bytes=10), "limits.max_claims_bytes"),
    ],
)
def test_each_limit_is_named_when_passed(limits: SizeLimits, name: str) -> None:
    request = Submission(
        policy="a",
        attachments=[attach(content=b"0123456789"), Attachment(role="report", text="0123456789")],
        claims={"name": "a long enough name"},
    )
    submission.verify(request, SizeLimits())
    with pytest.raises(errors.LimitExceeded) as refused:
        submission.verify(request, limits)
    assert refused.value.limit == name


def test_documents_of_a_role_are_numbered_only_where_there_are_several() -> None:
    picture = make_picture()
    made = submission.documents(
        [attach(content=picture), attach(content=picture), Attachment(role="report", text="halo")],
        identify=media_types.sniff,
        read_text=bytes.decode,
    )
    assert [d.name for d in made] == ["photo-1", "photo-2", "report"]
    assert [d.media_type for d in made] == ["image/png", "image/png", "text/plain"]
    assert made[0].digest == made[1].digest
    assert made[2].text == "halo"


def test_canonical_json_does_not_depend_on_the_order_of_keys() -> None:
    assert submission.canonical_json({"b": 1, "a": "é"}) == submission.canonical_json(
        {"a": "é", "b": 1}
    )
