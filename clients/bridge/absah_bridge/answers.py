"""Tell verdicts in a legacy system's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import absah
from absah.v1 import validation_pb2
from absah_bridge import rules, tree
from absah_bridge.config import AnswerBranch, AnswerField, AnswerSeries, Rule, System
from absah_bridge.requests import Arrived, Request
from absah_bridge.rules import CompiledRule, Scope
from absah_bridge.tree import Branch, Node, Series


class AnswerMapping:
    """A system's rules from verdicts to answers, compiled.

    Rules see `verdict`, `name`, `state`, `request_id`, `create_time`, `update_time` as in the
    JSON form of a validation, and the record that it is about as `message`. Of a batch they see
    `records`, each with these, the whole batch as `message`, and `decisions`: how many records
    came to which decision.
    """

    def __init__(self, system: System) -> None:
        """Raises ValueError that names the rule that is wrong."""
        self._system = system
        self._fields = {
            name: _compiled(f"answer.fields.{name}", field)
            for name, field in system.answer.fields.items()
        }

    def scope(
        self,
        arrived: Arrived,
        requests: Sequence[Request],
        validations: Sequence[validation_pb2.Validation],
    ) -> Scope:
        """What this system's rules see once all its validations have ended."""
        records = [
            _told(validation, request.item)
            for request, validation in zip(requests, validations, strict=True)
        ]
        if self._system.request.each is None:
            root = records[0]
        else:
            counts: dict[str, int] = {"ACCEPT": 0, "REVIEW": 0, "REJECT": 0}
            for validation in validations:
                decision = absah.to_dict(validation)["verdict"]["decision"]
                counts[decision] += 1
            root = Branch(
                fields={
                    "message": arrived.tree,
                    "records": Series(items=records),
                    "decisions": tree.from_plain(counts),
                    "count": tree.from_plain(len(records)),
                }
            )
        return Scope(root=root, item=root, tables=self._system.tables, outgoing=True)

    def map(self, scope: Scope) -> Mapping[str, Any]:
        """The answer's fields; raises `MessageInvalid`."""
        return _fields(self._fields, scope, "")


Compiled = CompiledRule | tuple[str, Mapping[str, Any]] | Mapping[str, Any]


def _compiled(place: str, field: AnswerField) -> Compiled:
    if isinstance(field, Rule):
        try:
            return rules.compile_rule(field)
        except ValueError as exc:
            raise ValueError(f"{place}: {exc}") from exc
    fields = {name: _compiled(f"{place}.{name}", inner) for name, inner in field.fields.items()}
    if isinstance(field, AnswerSeries):
        list(tree.steps(field.each.removeprefix("/")))
        return field.each, fields
    assert isinstance(field, AnswerBranch)
    return fields


def _fields(compiled: Mapping[str, Any], scope: Scope, target: str) -> dict[str, Any]:
    made = {}
    for name, field in compiled.items():
        place = f"{target}.{name}" if target else name
        if isinstance(field, CompiledRule):
            made[name] = field.evaluate(scope, place)
        elif isinstance(field, tuple):
            path, inner = field
            start = scope.root if path.startswith("/") else scope.item
            items = tree.each(tree.find(start, path.removeprefix("/")))
            made[name] = [
                _fields(inner, scope.within(item), f"{place}[{n}]") for n, item in enumerate(items)
            ]
        else:
            made[name] = _fields(field, scope, place)
    return made


def _told(validation: validation_pb2.Validation, item: Node) -> Branch:
    plain = absah.to_dict(validation)
    told = tree.from_plain(plain)
    assert isinstance(told, Branch)
    return Branch(fields={**told.fields, "message": item})
