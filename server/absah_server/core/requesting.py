"""What was asked of a validation, kept without contents so that it can be run and known again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from absah_server.core import names, submission
from absah_server.core.submission import Attachment, Priority, Submission


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestedDocument:
    """A document that was sent, by its digest; `is_text` where it came as text, not as bytes."""

    role: str
    filename: str
    digest: str
    is_text: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What was asked, without contents. `policy` is the version that it was accepted under."""

    policy: str
    checkers: Sequence[str]
    documents: Sequence[RequestedDocument]
    claims: Mapping[str, Any]
    priority: Priority

    def submission(self, request_id: str, contents: Mapping[str, bytes]) -> Submission:
        """The submission as it was sent, given the contents by digest."""
        return Submission(
            request_id=request_id,
            policy=self.policy,
            checkers=self.checkers,
            attachments=[_attachment(d, contents[d.digest]) for d in self.documents],
            claims=self.claims,
            priority=self.priority,
        )


def _attachment(document: RequestedDocument, content: bytes) -> Attachment:
    return Attachment(
        role=document.role,
        filename=document.filename,
        content=b"" if document.is_text else content,
        text=content.decode() if document.is_text else None,
    )


def digest(request: Submission, digests: Sequence[str]) -> bytes:
    """SHA-256 over what was asked, by which a request that comes again is known.

    `digests` are those of the documents. How urgent it is does not belong to what was asked.
    """
    asked = {
        "policy": request.policy,
        "checkers": list(request.checkers),
        "claims": dict(request.claims),
        "documents": [
            [attachment.role, attachment.filename, sha256, attachment.text is not None]
            for attachment, sha256 in zip(request.attachments, digests, strict=True)
        ],
    }
    return hashlib.sha256(submission.canonical_json(asked)).digest()


def digests(request: Submission) -> list[str]:
    """SHA-256 of each document, in hexadecimal, of those too that are named alone."""
    return [names.parse_digest(a.stored) or _content_digest(a) for a in request.attachments]


def _content_digest(attachment: Attachment) -> str:
    content = attachment.content if attachment.text is None else attachment.text.encode()
    return hashlib.sha256(content).hexdigest()
