"""What a caller submits: documents, claims, and how they are to be judged."""

from __future__ import annotations

import enum
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from absah_sdk import Document, DocumentUnreadable
from absah_server.core import errors, names

REQUEST_ID = re.compile(r"[A-Za-z0-9._:\-]{0,128}")
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
ROLE = re.compile(r"[a-z][a-z0-9_-]{0,63}")


class Priority(enum.IntEnum):
    """How urgent a submission is among those that wait; lower goes first."""

    HIGH = 0
    NORMAL = 1
    LOW = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A document as it was sent: bytes, text, or the name of one that was uploaded before.

    `stored` is that name ("documents/<sha256>") and `stored_bytes` the size of what it names, which
    must be fetched into `content`, and the name taken out, before the submission is prepared.
    """

    role: str
    filename: str = ""
    content: bytes = b""
    text: str | None = None
    stored: str = ""
    stored_bytes: int = 0

    @property
    def size_bytes(self) -> int:
        if self.stored:
            return self.stored_bytes
        return len(self.content) if self.text is None else len(self.text.encode())


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """A request to validate. Either `policy` or `checkers` is given."""

    request_id: str = ""
    policy: str = ""
    checkers: Sequence[str] = ()
    attachments: Sequence[Attachment] = ()
    claims: Mapping[str, Any] = field(default_factory=dict)
    priority: Priority = Priority.NORMAL

    @property
    def size_bytes(self) -> int:
        """Of all documents together."""
        return sum(attachment.size_bytes for attachment in self.attachments)


@dataclass(frozen=True, kw_only=True, slots=True)
class SizeLimits:
    """How large a submission may be."""

    max_documents: int = 32
    max_document_bytes: int = 32 * 2**20
    max_total_bytes: int = 60 * 2**20
    max_text_bytes: int = 2 * 2**20
    max_claims_bytes: int = 64 * 2**10


def verify(submission: Submission, limits: SizeLimits) -> None:
    """Check form and sizes, before anything is decoded.

    Raises `RequestInvalid` or `LimitExceeded`.
    """
    problems = list(_form_problems(submission))
    if problems:
        raise errors.RequestInvalid(*problems)
    sizes = [a.size_bytes for a in submission.attachments]
    texts = [n for a, n in zip(submission.attachments, sizes, strict=True) if a.text is not None]
    claims_size = len(canonical_json(submission.claims)) if submission.claims else 0
    for limit, allowed, actual, unit in (
        ("limits.max_documents", limits.max_documents, len(sizes), "documents"),
        ("limits.max_document_bytes", limits.max_document_bytes, max(sizes), "bytes"),
        ("limits.max_text_bytes", limits.max_text_bytes, max(texts, default=0), "bytes"),
        ("limits.max_total_bytes", limits.max_total_bytes, sum(sizes), "bytes"),
        ("limits.max_claims_bytes", limits.max_claims_bytes, claims_size, "bytes"),
    ):
        if actual > allowed:
            raise errors.LimitExceeded(limit=limit, allowed=allowed, actual=actual, unit=unit)


def _form_problems(submission: Submission) -> Sequence[tuple[str, str]]:
    problems = []
    if not REQUEST_ID.fullmatch(submission.request_id):
        problems.append(
            ("request_id", "must be at most 128 characters of A-Z a-z 0-9 . _ : - and no others")
        )
    if bool(submission.policy) == bool(submission.checkers):
        problems.append(("policy", "give either a policy or a list of checkers, not both"))
    if not submission.attachments:
        problems.append(("documents", "at least one document is needed"))
    for index, attachment in enumerate(submission.attachments):
        if attachment.stored:
            if names.parse_digest(attachment.stored) is None:
                problems.append(
                    (f"documents[{index}].name", 'must be "documents/" and 64 hexadecimal digits')
                )
        elif attachment.text is None and not attachment.content:
            problems.append(
                (f"documents[{index}]", "is empty; send its content, its text or its name")
            )
        if not ROLE.fullmatch(attachment.role):
            problems.append(
                (
                    f"documents[{index}].role",
                    "must start with a lower-case letter and hold a-z 0-9 _ -, at most 64",
                )
            )
    return problems


def documents(
    attachments: Sequence[Attachment],
    *,
    identify: Callable[[bytes], str],
    read_text: Callable[[bytes], str],
) -> list[Document]:
    """Name, identify and digest what was sent.

    `identify` tells a media type from bytes, `read_text` decodes those of text. Raises
    `RequestInvalid` for a text that cannot be decoded, `DocumentNotFound` for what is named and was
    not fetched.
    """
    counts = Counter(a.role for a in attachments)
    seen: Counter[str] = Counter()
    made = []
    for index, attachment in enumerate(attachments):
        if attachment.stored:
            raise errors.DocumentNotFound(name=attachment.stored)
        seen[attachment.role] += 1
        number = f"-{seen[attachment.role]}" if counts[attachment.role] > 1 else ""
        content = attachment.content if attachment.text is None else attachment.text.encode()
        media_type = "text/plain" if attachment.text is not None else identify(content)
        text = attachment.text
        if text is None and media_type == "text/plain":
            try:
                text = read_text(content)
            except DocumentUnreadable as exc:
                raise errors.RequestInvalid((f"documents[{index}].content", str(exc))) from exc
        made.append(
            Document(
                name=f"{attachment.role}{number}",
                role=attachment.role,
                filename=attachment.filename,
                media_type=media_type,
                content=content,
                digest=hashlib.sha256(content).hexdigest(),
                text=text,
            )
        )
    return made


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and no spaces, for digests."""
    return _CANONICAL.encode(value).encode()
