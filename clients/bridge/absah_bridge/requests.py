"""Map a legacy message to validation requests."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from absah_bridge import rules, tree
from absah_bridge.config import DocumentRule, Rule, Scalar, System
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.expressions import Evaluation
from absah_bridge.rules import CompiledRule, Scope, Step
from absah_bridge.tree import Branch, Node

REQUEST_ID = re.compile(r"[A-Za-z0-9._:\-]{1,110}")
"""What the core takes (128 characters), with room for a record's number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A document to send along: its text, its bytes, or where they are to be fetched."""

    role: str
    filename: str = ""
    text: str | None = None
    content: bytes | None = None
    store: str = ""
    reference: str = ""
    field: str = ""
    position: str = ""
    """Where the message speaks of it."""

    def too_large(self, most: int) -> MessageInvalid:
        """That with this one the documents of a request are more than `most` bytes."""
        return MessageInvalid(
            Cause.ATTACHMENT_TOO_LARGE,
            f"with it the documents are larger than the {most:,} bytes that are allowed together",
            field=self.field,
            position=self.position,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A validation to ask for; `item` is the record that it is for, or the whole message."""

    id: str
    policy: str
    priority: str
    claims: Mapping[str, Any]
    attachments: Sequence[Attachment]
    item: Node


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrived:
    """A message that was read: its tree, the parts that came beside it, and what names it."""

    tree: Branch
    parts: Mapping[str, bytes]
    message_id: str
    body_sha256: str


@dataclass(frozen=True, slots=True)
class _Document:
    rule: DocumentRule
    kind: str
    source: CompiledRule
    filename: CompiledRule | None


class RequestMapping:
    """A system's rules from messages to requests, compiled."""

    def __init__(self, system: System) -> None:
        """Raises ValueError that names the rule that is wrong."""
        request = system.request
        self._system = system
        self._id = self._rule("request.id", request.id) if request.id else None
        self._claims = {
            name: self._rule(f"request.claims.{name}", rule)
            for name, rule in request.claims.items()
        }
        self._documents = [
            self._document(f"request.documents[{n}]", rule)
            for n, rule in enumerate(request.documents)
        ]
        self._counts = [
            (counted.of, self._rule(f"counted[{n}].count", counted.count))
            for n, counted in enumerate(system.counted)
        ]
        for n, counted in enumerate(system.counted):
            checked_path(f"counted[{n}].of", counted.of)
        checked_path("request.each", request.each)
        checked_path("consume.ordered_by", system.consume.ordered_by)

    def _rule(self, place: str, rule: Rule) -> CompiledRule:
        return compiled(place, rule, variables=("message",), tables=self._system.tables)

    def _document(self, place: str, rule: DocumentRule) -> _Document:
        checked_path(f"{place}.each", rule.each)
        kind, source = next(
            (kind, source)
            for kind in ("text", "base64", "part", "reference")
            if (source := getattr(rule, kind)) is not None
        )
        return _Document(
            rule,
            kind,
            self._rule(f"{place}.{kind}", source),
            self._rule(f"{place}.filename", rule.filename) if rule.filename else None,
        )

    def scope(
        self, arrived: Arrived, *, lenient: bool = False, steps: list[Step] | None = None
    ) -> Scope:
        """What this system's rules see of a message."""
        return Scope(
            root=arrived.tree,
            item=arrived.tree,
            tables=self._system.tables,
            evaluation=Evaluation({"message": arrived.tree}),
            lenient=lenient,
            steps=steps,
        )

    def map(self, arrived: Arrived, scope: Scope) -> Sequence[Request]:
        """One request, or one for each record of a batch. Raises `MessageInvalid`."""
        self._count(scope)
        name = self._name(arrived, scope)
        path = self._system.request.each
        if path is None:
            return [self._request(name, arrived, scope)]
        found, position = tree.locate(arrived.tree, path)
        records, most = tree.each(found), self._system.request.max_records
        if not 0 < len(records) <= most:
            raise MessageInvalid(
                Cause.MISSING_FIELD if not records else Cause.MESSAGE_TOO_LARGE,
                f"holds {len(records):,} records, where 1 to {most:,} may come in one message",
                field=path,
                position=str(position),
            )
        return [
            self._request(f"{name}:{number}", arrived, scope.within(record))
            for number, record in enumerate(records, 1)
        ]

    def _count(self, scope: Scope) -> None:
        for path, rule in self._counts:
            said = rule.evaluate(scope, f"count of {path}")
            came = len(tree.each(tree.find(scope.root, path)))
            if said is None or _counts(said, came):
                continue
            # What it says is not repeated: another field may have slipped into its columns.
            field = rule.rule.from_ or path
            _, position = tree.locate(scope.root, field.removeprefix("/"))
            error = MessageInvalid(
                Cause.COUNT_MISMATCH,
                f"{came:,} of {path} came, which is not what it says",
                field=field,
                position=str(position),
            )
            if not scope.lenient:
                raise error
            if scope.steps is not None:
                scope.steps.append(
                    Step(
                        target=f"count of {path}",
                        source=rule.source,
                        position=error.position,
                        raw=said,
                        value=came,
                        problem=error.problem,
                    )
                )

    def _name(self, arrived: Arrived, scope: Scope) -> str:
        given = self._id.evaluate(scope, "request_id") if self._id else arrived.message_id
        if given is None or given == "":
            return f"body:{arrived.body_sha256}"
        if REQUEST_ID.fullmatch(str(given)):
            return str(given)
        # Legacy ids hold slashes and blanks, which the core takes none of.
        return f"id:{hashlib.sha256(str(given).encode()).hexdigest()}"

    def _request(self, name: str, arrived: Arrived, scope: Scope) -> Request:
        claims = {
            claim: value
            for claim, rule in self._claims.items()
            if (value := rule.evaluate(scope, f"claims.{claim}")) is not None
        }
        attachments = [
            attachment
            for document in self._documents
            for attachment in _attachments(document, arrived, scope)
        ]
        most = self._system.request.max_documents
        if len(attachments) > most and not scope.lenient:
            raise MessageInvalid(
                Cause.MESSAGE_TOO_LARGE,
                f"{len(attachments):,} documents, where one request may have {most:,}",
                position=str(scope.item.position),
            )
        return Request(
            id=name,
            policy=self._system.request.policy,
            priority=self._system.request.priority,
            claims=claims,
            attachments=attachments,
            item=scope.item,
        )


def _attachments(document: _Document, arrived: Arrived, scope: Scope) -> list[Attachment]:
    rule = document.rule
    scopes, position = [scope], scope.item.position
    if rule.each is not None:
        found, position = tree.locate(*scope.start(rule.each))
        scopes = [scope.within(item) for item in tree.each(found)]
    made = [
        attachment
        for each in scopes
        if (attachment := _attachment(document, arrived, each)) is not None
    ]
    if rule.required and not made:
        error = MessageInvalid(
            Cause.MISSING_ATTACHMENT,
            f"a {rule.role} is needed and none came",
            field=rule.each or document.source.rule.from_ or rule.role,
            position=str(position),
        )
        _refuse(error, document, scope)
    return made


def _attachment(document: _Document, arrived: Arrived, scope: Scope) -> Attachment | None:
    rule = document.rule
    value = document.source.evaluate(scope, f"documents.{rule.role}.{document.kind}")
    if value is None:
        return None
    filename = None
    if document.filename is not None:
        filename = document.filename.evaluate(scope, f"documents.{rule.role}.filename")
    field = document.source.rule.from_ or rule.role
    _, position = tree.locate(*scope.start(document.source.rule.from_ or "."))
    made = Attachment(
        role=rule.role,
        filename=str(filename or ""),
        field=field,
        position=str(position),
    )
    if rule.text:
        return dataclasses.replace(made, text=str(value))
    if rule.reference:
        return dataclasses.replace(made, store=rule.store or "", reference=str(value))
    try:
        content = _bytes(value) if rule.base64 else _part(str(value), arrived)
    except MessageInvalid as exc:
        _refuse(exc.at(field=field, position=str(position)), document, scope)
        return None
    return dataclasses.replace(made, content=content)


def _refuse(error: MessageInvalid, document: _Document, scope: Scope) -> None:
    """Raise it; where mistakes are collected, note it and go on."""
    if not scope.lenient:
        raise error
    if scope.steps is not None:
        scope.steps.append(
            Step(
                target=f"documents.{document.rule.role}.{document.kind}",
                source=document.source.source,
                position=error.position,
                raw=None,
                value=None,
                problem=error.problem,
            )
        )


def _counts(said: Any, came: int) -> bool:
    try:
        return int(str(said)) == came
    except ValueError:
        return False


def _bytes(value: Scalar | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode("".join(str(value).split()), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise MessageInvalid(Cause.BAD_VALUE, "is not base64") from exc


def _part(name: str, arrived: Arrived) -> bytes:
    if name not in arrived.parts:
        raise MessageInvalid(
            Cause.MISSING_ATTACHMENT, f"names a part that did not come; {len(arrived.parts)} came"
        )
    return arrived.parts[name]


def compiled(
    place: str, rule: Rule, *, variables: Collection[str], tables: Collection[str]
) -> CompiledRule:
    """A rule, compiled; raises ValueError that begins with its place."""
    try:
        return rules.compile_rule(rule, variables=variables, tables=tables)
    except ValueError as exc:
        raise ValueError(f"{place}.{exc}") from exc


def checked_path(place: str, path: str | None) -> None:
    """Raises ValueError that begins with its place where a path has no such form."""
    try:
        if path is not None:
            tree.check(path.removeprefix("/"))
    except ValueError as exc:
        raise ValueError(f"{place}: {exc}") from exc
