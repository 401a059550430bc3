"""Evaluate a rule of bridge.yaml, and keep track of where each value came from."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cel
from cel import stdlib

from absah_bridge import tree
from absah_bridge.config import Rule, Scalar
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.tree import Branch, Leaf, Node, Series


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One value's way: from `source` at `position` to `target`."""

    target: str
    source: str
    position: str
    raw: Any
    value: Any
    problem: str = ""


@dataclass(kw_only=True, slots=True)
class Scope:
    """What rules see. `item` is the record or document at hand, else the root itself.

    `steps` collects each value's way, for people who look how a mapping works; problems are
    collected there too, and raised unless `lenient`. `outgoing` scopes are those of answers.
    """

    root: Node
    item: Node
    tables: Mapping[str, Mapping[str, Scalar]]
    variables: Mapping[str, Any] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    lenient: bool = False
    outgoing: bool = False

    def within(self, item: Node) -> Scope:
        """The same with another item at hand."""
        return Scope(
            root=self.root,
            item=item,
            tables=self.tables,
            variables=self.variables,
            steps=self.steps,
            lenient=self.lenient,
            outgoing=self.outgoing,
        )


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule that is ready to be evaluated."""

    rule: Rule
    program: cel.Program | None

    def evaluate(self, scope: Scope, target: str) -> Any:
        """The value, None where there is none. Raises `MessageInvalid` with field and position."""
        source, position, raw = "", "", None
        try:
            source, position, raw = self._raw(scope)
            value = self._shaped(raw, scope)
        except MessageInvalid as exc:
            located = exc.at(field=source or target, position=position)
            scope.steps.append(
                Step(
                    target=target,
                    source=source,
                    position=located.position,
                    raw=raw,
                    value=None,
                    problem=located.problem,
                )
            )
            if scope.lenient:
                return None
            raise located from exc
        scope.steps.append(
            Step(target=target, source=source, position=position, raw=raw, value=value)
        )
        return value

    def _raw(self, scope: Scope) -> tuple[str, str, Any]:
        rule = self.rule
        if rule.value is not None:
            return "", "", rule.value
        if self.program is not None:
            return f"cel: {rule.cel}", "", self._computed(self.program, scope)
        assert rule.from_ is not None
        absolute = rule.from_.startswith("/")
        found = tree.find(
            scope.root if absolute else scope.item, rule.from_.removeprefix("/") or "."
        )
        if found is None:
            return rule.from_, "", None
        if isinstance(found, Series) and len(found.items) == 1:
            found = found.items[0]
        if isinstance(found, Branch) and "#text" in found.fields:
            found = found.fields["#text"]
        if not isinstance(found, Leaf):
            raise MessageInvalid(
                Cause.BAD_VALUE,
                "is not one value but several",
                field=rule.from_,
                position=found.position,
            )
        return rule.from_, found.position, found.value

    def _computed(self, program: cel.Program, scope: Scope) -> Any:
        context = cel.Context()
        stdlib.add_stdlib_to_context(context)
        context.update(
            {
                "message": tree.plain(scope.root),
                "item": tree.plain(scope.item),
                **scope.variables,
            }
        )
        try:
            return program.execute(context)
        except Exception as exc:
            # CEL names what is missing by the expression's own words, not by the message's content.
            raise MessageInvalid(
                Cause.MISSING_FIELD, f"the expression has no value: {type(exc).__name__}"
            ) from exc

    def _shaped(self, raw: Any, scope: Scope) -> Any:
        value = raw.strip() if isinstance(raw, str) else raw
        if value is None or value == "":
            if self.rule.default is not None:
                return self.rule.default
            if self.rule.required:
                raise MessageInvalid(Cause.MISSING_FIELD, "is missing")
            return None
        if self.rule.table is not None:
            return _looked_up(value, self.rule.table, scope)
        if self.rule.date is not None:
            return _told(value, self.rule.date) if scope.outgoing else _date(value, self.rule.date)
        if self.rule.type != "text":
            return _number(value, integer=self.rule.type == "integer")
        return value


def compile_rule(rule: Rule) -> CompiledRule:
    """Check and compile; raises ValueError that says what is wrong."""
    if rule.from_ is not None:
        list(tree.steps(rule.from_.removeprefix("/") or "."))
    if rule.cel is None:
        return CompiledRule(rule, None)
    return CompiledRule(rule, cel.compile(rule.cel))


def _looked_up(value: Any, table: str | Mapping[str, Scalar], scope: Scope) -> Scalar:
    name = table if isinstance(table, str) else ""
    codes = scope.tables.get(table, {}) if isinstance(table, str) else table
    try:
        return codes[str(value)]
    except KeyError as exc:
        known = ", ".join(list(codes)[:12])
        place = f"table {name}" if name else "its table"
        raise MessageInvalid(Cause.UNKNOWN_CODE, f"is no code of {place}; it has {known}") from exc


def _date(value: Any, form: str) -> str:
    try:
        # No zone: a date on a form is that of the place where it was filled in.
        return datetime.datetime.strptime(str(value), form).date().isoformat()
    except ValueError as exc:
        raise MessageInvalid(Cause.BAD_VALUE, f"is no date of the form {form}") from exc


def _told(value: Any, form: str) -> str:
    try:
        return datetime.datetime.fromisoformat(str(value)).strftime(form)
    except ValueError as exc:
        raise MessageInvalid(Cause.ANSWER_FAILED, "is no time that can be told") from exc


def _number(value: Any, *, integer: bool) -> int | float:
    try:
        number = decimal.Decimal(str(value).replace(",", "."))
        if not number.is_finite() or (integer and number != number.to_integral_value()):
            raise ValueError
    except (decimal.InvalidOperation, ValueError) as exc:
        kind = "whole number" if integer else "number"
        raise MessageInvalid(Cause.BAD_VALUE, f"is no {kind}") from exc
    return int(number) if integer else float(number)
