"""What a policy is: the documents and claims it expects, the checks it runs, its rules."""

from __future__ import annotations

import datetime
import enum
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from absah_sdk import Document
from absah_server.core import errors
from absah_server.core.expressions import Expression, Template


class Decision(enum.StrEnum):
    """What a policy makes of the evidence, the gravest last."""

    ACCEPT = "ACCEPT"
    REVIEW = "REVIEW"
    REJECT = "REJECT"

    @property
    def gravity(self) -> int:
        return list(Decision).index(self)


class Each(enum.StrEnum):
    """What a rule is tried on, one after the other, and the variable that then holds it."""

    ONCE = "once"
    COMPARISON = "comparison"
    RESULT = "result"
    FINDING = "finding"


class ClaimType(enum.StrEnum):
    STRING = "string"
    INTEGER = "integer"
    DATE = "date"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wording:
    """The same words in Indonesian and in English."""

    id: str
    en: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A reason's sentence in both languages."""

    id: Template
    en: Template


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentSlot:
    """A role that documents may have, and how many of them."""

    role: str
    title: Wording
    min_count: int
    max_count: int
    media_types: Sequence[str]

    def takes(self, media_type: str) -> bool:
        family = media_type.split("/", 1)[0]
        return any(p in (media_type, f"{family}/*", "*/*") for p in self.media_types)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimSlot:
    """A claim that may be made; `compare` yields how it stands against the evidence."""

    claim: str
    title: Wording
    type: ClaimType
    choices: Sequence[str] = ()
    compare: Expression | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckRule:
    """A checker to run on the documents of some roles.

    `after` names checkers whose results on all documents come first; `when` is then evaluated with
    `document` at hand, and the check is skipped where it is false.
    """

    checker: str
    roles: Sequence[str]
    after: Sequence[str] = ()
    when: Expression | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A condition that gives a decision and a reason."""

    id: str
    each: Each
    when: Expression
    decision: Decision
    message: Message


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """A version of a policy. Where no rule fires the decision is ACCEPT.

    `documents_days` is how long contents of its validations are kept; None leaves it to the server.
    """

    name: str
    version: int
    title: Wording
    documents: Mapping[str, DocumentSlot]
    claims: Mapping[str, ClaimSlot]
    checks: Sequence[CheckRule]
    rules: Sequence[Rule]
    accepted: Wording
    source: str
    digest: str
    documents_days: int | None = None

    @property
    def reference(self) -> str:
        """Name and version, as "field-report@3"."""
        return f"{self.name}@{self.version}"

    def verify_documents(self, documents: Sequence[Document]) -> None:
        """Refuse documents that it does not expect; raises `DocumentsUnexpected`."""
        problems = []
        for index, document in enumerate(documents):
            slot = self.documents.get(document.role)
            if slot is None:
                known = ", ".join(self.documents)
                problems.append(
                    (
                        f"documents[{index}].role",
                        f"{self.name} expects {known}, not {document.role}",
                    )
                )
            elif not slot.takes(document.media_type):
                wanted = " or ".join(slot.media_types)
                problems.append(
                    (
                        f"documents[{index}].content",
                        f"{slot.role} must be {wanted}; these bytes are {document.media_type}",
                    )
                )
        counts = Counter(document.role for document in documents)
        for slot in self.documents.values():
            if not slot.min_count <= counts[slot.role] <= slot.max_count:
                problems.append(
                    (
                        "documents",
                        f"{slot.min_count} to {slot.max_count} of {slot.role} are expected, "
                        f"{counts[slot.role]} came",
                    )
                )
        if problems:
            raise errors.DocumentsUnexpected(*problems)

    def read_claims(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        """The claims in their types; empty strings and nulls count as absent.

        Raises `ClaimsUnexpected`.
        """
        problems = []
        read = {}
        for name, value in claims.items():
            slot = self.claims.get(name)
            if slot is None:
                problems.append((f"claims.{name}", f"is not among {', '.join(self.claims)}"))
            elif value is not None and value != "":
                try:
                    read[name] = _typed(value, slot)
                except ValueError as exc:
                    problems.append((f"claims.{name}", str(exc)))
        if problems:
            raise errors.ClaimsUnexpected(*problems)
        return read


MAX_CLAIM_CHARACTERS = 1000


def _typed(value: Any, slot: ClaimSlot) -> Any:
    if slot.type is ClaimType.INTEGER:
        return _integer(value)
    if not isinstance(value, str):
        raise ValueError(f"must be a string, not {type(value).__name__}")
    value = value.strip()
    if not value or len(value) > MAX_CLAIM_CHARACTERS:
        raise ValueError(f"must have 1 to {MAX_CLAIM_CHARACTERS} characters")
    if slot.type is ClaimType.DATE:
        try:
            return datetime.date.fromisoformat(value).isoformat()
        except ValueError:
            raise ValueError("must be a date as YYYY-MM-DD") from None
    if slot.choices and value not in slot.choices:
        raise ValueError(f"must be one of {', '.join(slot.choices)}")
    return value


def _integer(value: Any) -> int:
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError("must be a whole number")
    if not 0 <= value <= 1_000_000:
        raise ValueError("must be from 0 to 1,000,000")
    return int(value)
