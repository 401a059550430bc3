"""Tell verdicts in a legacy system's words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import absah
from absah.v1 import validation_pb2
from absah_bridge import rules, tree
from absah_bridge.config import AnswerField, AnswerSeries, Rule, System
from absah_bridge.expressions import Evaluation
from absah_bridge.requests import Arrived, Request
from absah_bridge.rules import CompiledRule, Scope, Step
from absah_bridge.tree import Branch, Leaf, Node, Series

Compiled = CompiledRule | tuple[str, Mapping[str, Any]] | Mapping[str, Any]

ONE_KNOWS = frozenset({"message", *validation_pb2.Validation.DESCRIPTOR.fields_by_name})
LARGE = ("check_results", "record")
"""Of a validation, findings and all: what answers seldom speak of."""
BATCH_KNOWS = frozenset({"message", "records", "decisions", "count"})


class AnswerMapping:
    """A system's rules from verdicts to answers, compiled.

    Rules see `verdict`, `name`, `state`, `request_id`, `create_time`, `update_time` as in the
    JSON form of a validation, and the record that it is about as `message`. Of a batch they see
    `records`, each with these, the whole batch as `message`, and `decisions`: how many records
    came to which decision. Expressions know the same by these names.
    """

    def __init__(self, system: System) -> None:
        """Raises ValueError that names the rule that is wrong."""
        self._system = system
        # What no rule speaks of need not become Python's, of which a verdict has thousands.
        spoken = repr(system.answer.fields)
        self._left_out = frozenset(name for name in LARGE if name not in spoken)
        self._variables = ONE_KNOWS if system.request.each is None else BATCH_KNOWS
        self._fields = {
            name: self._compiled(f"answer.fields.{name}", field)
            for name, field in system.answer.fields.items()
        }

    def scope(
        self,
        arrived: Arrived,
        requests: Sequence[Request],
        validations: Sequence[validation_pb2.Validation],
        *,
        steps: list[Step] | None = None,
    ) -> Scope:
        """What this system's rules see once all its validations have ended."""
        records = [
            _told(validation, request.item, self._left_out)
            for request, validation in zip(requests, validations, strict=True)
        ]
        root = records[0] if self._system.request.each is None else _batch(arrived.tree, records)
        return Scope(
            root=root,
            item=root,
            tables=self._system.tables,
            evaluation=Evaluation(root.fields),
            outgoing=True,
            steps=steps,
        )

    def _compiled(self, place: str, field: AnswerField) -> Compiled:
        if isinstance(field, Rule):
            tables = self._system.tables
            return rules.compiled(place, field, variables=self._variables, tables=tables)
        fields = {
            name: self._compiled(f"{place}.fields.{name}", inner)
            for name, inner in field.fields.items()
        }
        if isinstance(field, AnswerSeries):
            rules.checked_path(f"{place}.each", field.each)
            return field.each, fields
        return fields

    def map(self, scope: Scope) -> Mapping[str, Any]:
        """The answer's fields; raises `MessageInvalid`."""
        return _fields(self._fields, scope, "")


def _fields(compiled: Mapping[str, Any], scope: Scope, target: str) -> dict[str, Any]:
    made = {}
    for name, field in compiled.items():
        place = f"{target}.{name}" if target else name
        if isinstance(field, CompiledRule):
            made[name] = field.evaluate(scope, place)
        elif isinstance(field, tuple):
            path, inner = field
            items = tree.each(tree.find(*scope.start(path)))
            made[name] = [
                _fields(inner, scope.within(item), f"{place}[{n}]") for n, item in enumerate(items)
            ]
        else:
            made[name] = _fields(field, scope, place)
    return made


def _batch(message: Branch, records: Sequence[Branch]) -> Branch:
    counts = {"ACCEPT": 0, "REVIEW": 0, "REJECT": 0}
    for record in records:
        found = tree.find(record, "verdict.decision")
        if isinstance(found, Leaf) and found.value in counts:
            counts[str(found.value)] += 1
    return Branch(
        fields={
            "message": message,
            "records": Series(items=records),
            "decisions": tree.from_plain(counts),
            "count": Leaf(value=len(records)),
        }
    )


def _told(validation: validation_pb2.Validation, item: Node, left_out: Collection[str]) -> Branch:
    lean = validation_pb2.Validation()
    lean.CopyFrom(validation)
    for name in left_out:
        lean.ClearField(name)
    told = tree.from_plain(absah.to_dict(lean))
    assert isinstance(told, Branch)
    return Branch(fields={**told.fields, "message": item})
