"""Map a legacy message to validation requests."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from absah_bridge import documents, rules, tree
from absah_bridge.config import Rule, System
from absah_bridge.documents import Attachment
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.expressions import Evaluation
from absah_bridge.rules import CompiledRule, Scope, Step
from absah_bridge.tree import Branch, Node

KNOWN = ("message",)
"""The variables that expressions know besides `item`."""
REQUEST_ID = re.compile(r"[A-Za-z0-9._:\-]{1,110}")
"""What the core takes (128 characters), with room for a record's number."""


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
            documents.compile_document(
                f"request.documents[{n}]", rule, variables=KNOWN, tables=system.tables
            )
            for n, rule in enumerate(request.documents)
        ]
        self._counts = [
            (counted.of, self._rule(f"counted[{n}].count", counted.count))
            for n, counted in enumerate(system.counted)
        ]
        for n, counted in enumerate(system.counted):
            rules.checked_path(f"counted[{n}].of", counted.of)
        rules.checked_path("request.each", request.each)
        rules.checked_path("consume.ordered_by", system.consume.ordered_by)

    def _rule(self, place: str, rule: Rule) -> CompiledRule:
        return rules.compiled(place, rule, variables=KNOWN, tables=self._system.tables)

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
            if _counts(said, came):
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
        if of_bytes := [claim for claim, value in claims.items() if isinstance(value, bytes)]:
            raise MessageInvalid(
                Cause.BAD_VALUE, "is bytes, which no claim can be", field=f"claims.{of_bytes[0]}"
            )
        attachments = [
            attachment
            for document in self._documents
            for attachment in document.attachments(arrived.parts, scope)
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


def _counts(said: Any, came: int) -> bool:
    try:
        return int(str(said)) == came
    except ValueError:
        return False
