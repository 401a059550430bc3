"""Map a legacy message to validation requests."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from absah_bridge import rules, tree
from absah_bridge.config import DocumentRule, Rule, Scalar, System
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.rules import CompiledRule, Scope
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
    """Where the message speaks of it."""


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
    source: CompiledRule
    filename: CompiledRule | None


class RequestMapping:
    """A system's rules from messages to requests, compiled."""

    def __init__(self, system: System) -> None:
        """Raises ValueError that names the rule that is wrong."""
        request = system.request
        self._system = system
        self._id = _compiled("request.id", request.id) if request.id else None
        self._claims = {
            name: _compiled(f"request.claims.{name}", rule) for name, rule in request.claims.items()
        }
        self._documents = [
            _document(f"request.documents[{n}]", rule) for n, rule in enumerate(request.documents)
        ]
        self._counts = [
            (counted.of, _compiled(f"counted[{n}].count", counted.count))
            for n, counted in enumerate(system.counted)
        ]

    def scope(self, arrived: Arrived, *, lenient: bool = False) -> Scope:
        """What this system's rules see of a message."""
        return Scope(
            root=arrived.tree, item=arrived.tree, tables=self._system.tables, lenient=lenient
        )

    def map(self, arrived: Arrived, scope: Scope) -> Sequence[Request]:
        """One request, or one for each record of a batch. Raises `MessageInvalid`."""
        self._count(scope)
        name = self._name(arrived, scope)
        path = self._system.request.each
        if path is None:
            return [self._request(name, arrived, scope)]
        records = tree.each(tree.find(arrived.tree, path))
        if not records:
            raise MessageInvalid(Cause.MISSING_FIELD, "holds no record", field=path)
        return [
            self._request(f"{name}:{number}", arrived, scope.within(record))
            for number, record in enumerate(records, 1)
        ]

    def _count(self, scope: Scope) -> None:
        for path, rule in self._counts:
            said = rule.evaluate(scope, f"count of {path}")
            came = len(tree.each(tree.find(scope.root, path)))
            if said is not None and int(said) != came and not scope.lenient:
                raise MessageInvalid(
                    Cause.COUNT_MISMATCH,
                    f"says {said} of {path}, {came} came",
                    field=rule.rule.from_ or path,
                )

    def _name(self, arrived: Arrived, scope: Scope) -> str:
        given = self._id.evaluate(scope, "request_id") if self._id else arrived.message_id
        if given is None or given == "":
            return f"body:{arrived.body_sha256}"
        if REQUEST_ID.fullmatch(str(given)):
            return str(given)
        # Legacy ids hold slashes and blanks, which the core's do not.
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
    if rule.each is None:
        scopes = [scope]
    else:
        start = scope.root if rule.each.startswith("/") else scope.item
        found = tree.find(start, rule.each.removeprefix("/"))
        scopes = [scope.within(item) for item in tree.each(found)]
    made = [
        attachment
        for each in scopes
        if (attachment := _attachment(document, arrived, each)) is not None
    ]
    if rule.required and not made and not scope.lenient:
        raise MessageInvalid(
            Cause.MISSING_ATTACHMENT,
            f"a {rule.role} is needed and none came",
            field=rule.each or document.source.rule.from_ or rule.role,
        )
    return made


def _attachment(document: _Document, arrived: Arrived, scope: Scope) -> Attachment | None:
    rule = document.rule
    value = document.source.evaluate(scope, f"documents.{rule.role}")
    if value is None:
        return None
    field = document.source.rule.from_ or ""
    filename = (
        document.filename.evaluate(scope, f"documents.{rule.role}.filename")
        if (document.filename)
        else None
    )
    made = Attachment(role=rule.role, filename=str(filename or ""), field=field)
    if rule.text:
        return dataclasses.replace(made, text=str(value))
    if rule.reference:
        return dataclasses.replace(made, store=rule.store or "", reference=str(value))
    try:
        content = _bytes(value) if rule.base64 else _part(str(value), arrived)
    except MessageInvalid as exc:
        if scope.lenient:
            return None
        raise exc.at(field=field) from exc
    return dataclasses.replace(made, content=content)


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


def _document(place: str, rule: DocumentRule) -> _Document:
    source = rule.text or rule.base64 or rule.part or rule.reference
    assert source is not None
    return _Document(
        rule,
        _compiled(place, source),
        _compiled(f"{place}.filename", rule.filename) if rule.filename else None,
    )


def _compiled(place: str, rule: Rule) -> CompiledRule:
    try:
        return rules.compile_rule(rule)
    except ValueError as exc:
        raise ValueError(f"{place}: {exc}") from exc
