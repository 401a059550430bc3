"""Evaluate a rule of bridge.yaml, and keep track of where each value came from."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from absah_bridge import expressions, tree
from absah_bridge.config import Rule, Scalar
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.expressions import Evaluation, Expression
from absah_bridge.tree import Branch, Leaf, Node, Series

INTEGER = re.compile(r"([+-]?[0-9]{1,18})(?:[.,]0+)?")
DECIMAL = re.compile(r"[+-]?[0-9]{1,15}(?:[.,][0-9]{1,9})?")
ADJACENT = re.compile(r"%[A-Za-z]%[A-Za-z]")
EXACT = 2**53
"""Up to which every whole number is one of floating point."""
SHOWN_CODES = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One value's way: from `source` at `position` to `target`."""

    target: str
    source: str
    position: str
    raw: Any
    value: Any
    problem: str = ""

    @property
    def computed(self) -> bool:
        """Whether it comes from an expression or a constant, and not from a field."""
        return not self.source or self.source.startswith("cel: ")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What rules see. `item` is the record or document at hand, else the root itself.

    Where `steps` is a list, each value's way is collected there, for people who look how a mapping
    works. Problems are raised unless `lenient`. `outgoing` scopes are those of answers.
    """

    root: Node
    item: Node
    tables: Mapping[str, Mapping[str, Scalar]]
    evaluation: Evaluation
    steps: list[Step] | None = None
    lenient: bool = False
    outgoing: bool = False

    def within(self, item: Node) -> Scope:
        """The same with another item at hand."""
        return replace(self, item=item)

    def start(self, path: str) -> tuple[Node, str]:
        """Where a path starts, and the path from there: those that begin with "/" at the root."""
        if path.startswith("/"):
            return self.root, path[1:] or "."
        return self.item, path


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule that is ready to be evaluated."""

    rule: Rule
    expression: Expression | None

    def evaluate(self, scope: Scope, target: str) -> Any:
        """The value, None where there is none. Raises `MessageInvalid` with field and position."""
        position, raw = "", None
        try:
            position, raw = self._raw(scope)
            value = self._shaped(raw, scope)
        except MessageInvalid as exc:
            # Of an answer the field that cannot be told; of a request the one that was sent.
            named = None if scope.outgoing or self.rule.from_ == "." else self.rule.from_
            field = named or target
            located = exc.at(field=field, position=str(position))
            self._step(scope, target, str(located.position), raw, None, located.problem)
            if scope.lenient:
                return None
            if scope.outgoing:
                raise replace_cause(located, Cause.ANSWER_FAILED) from exc
            raise located from exc
        if scope.steps is not None:
            self._step(scope, target, str(position), raw, value, "")
        return value

    @property
    def source(self) -> str:
        """Where the value comes from, for people."""
        return f"cel: {self.rule.cel}" if self.rule.cel else self.rule.from_ or ""

    def _step(
        self, scope: Scope, target: str, position: str, raw: Any, value: Any, problem: str
    ) -> None:
        if scope.steps is not None:
            scope.steps.append(
                Step(
                    target=target,
                    source=self.source,
                    position=position,
                    raw=raw,
                    value=value,
                    problem=problem,
                )
            )

    def _raw(self, scope: Scope) -> tuple[Any, Any]:
        if self.rule.value is not None:
            return "", self.rule.value
        if self.expression is not None:
            position = scope.item.position if scope.item is not scope.root else ""
            return position, _computed(self.expression, scope)
        assert self.rule.from_ is not None
        start, path = scope.start(self.rule.from_)
        found, position = tree.locate(start, path)
        if found is None:
            return position, None
        if isinstance(found, Series) and len(found.items) == 1:
            found = found.items[0]
        if isinstance(found, Branch):
            # An element that has attributes: what stands in it, if it could be just that.
            found = found.fields.get("#text") or (found if _has_children(found) else Leaf(value=""))
        if not isinstance(found, Leaf):
            raise MessageInvalid(
                Cause.BAD_VALUE, "is not one value but several", position=str(position)
            )
        return position, found.value

    def _shaped(self, raw: Any, scope: Scope) -> Any:
        rule = self.rule
        value = _checked(raw)
        if value is None or value == "":
            if rule.default is not None:
                return rule.default
            if rule.required:
                raise MessageInvalid(Cause.MISSING_FIELD, "is missing")
            return None
        if rule.table is not None:
            value = _looked_up(value, rule.table, scope)
        elif rule.date is not None:
            value = (
                _told(value, rule.date, rule.zone) if scope.outgoing else _date(value, rule.date)
            )
        elif rule.type == "text":
            value = _written(value)
        elif rule.type is not None:
            value = _number(value, integer=rule.type == "integer")
        if isinstance(value, int) and abs(value) > EXACT and not scope.outgoing:
            # The wire's numbers are floating ones, which would make of a NIK another one.
            raise MessageInvalid(Cause.BAD_VALUE, "is too large a number; with type text it stays")
        if rule.cut is not None and isinstance(value, str):
            return value[: rule.cut]
        return value


def compile_rule(
    rule: Rule, *, variables: Collection[str], tables: Collection[str]
) -> CompiledRule:
    """Check and compile; raises ValueError that begins with the key that is wrong.

    `variables` are those that an expression may read, `tables` the names of the system's tables.
    """
    if isinstance(rule.table, str) and rule.table not in tables:
        known = f"there are {', '.join(sorted(tables))}" if tables else "the system has none"
        raise ValueError(f"table: there is no table {rule.table!r}; {known}")
    try:
        if rule.from_ is not None:
            tree.check(rule.from_.removeprefix("/") or ".")
        if rule.cel is None:
            return CompiledRule(rule, None)
        known_variables = {"item", *variables}
        compiled = expressions.compile_expression(rule.cel, variables=known_variables)
    except ValueError as exc:
        raise ValueError(f"{'from' if rule.cel is None else 'cel'}: {exc}") from exc
    return CompiledRule(rule, compiled)


def compiled(
    place: str, rule: Rule, *, variables: Collection[str], tables: Collection[str]
) -> CompiledRule:
    """A rule, compiled; raises ValueError that begins with its place."""
    try:
        return compile_rule(rule, variables=variables, tables=tables)
    except ValueError as exc:
        raise ValueError(f"{place}.{exc}") from exc


def checked_path(place: str, path: str | None) -> None:
    """Raises ValueError that begins with its place where a path has no such form."""
    try:
        if path is not None:
            tree.check(path.removeprefix("/"))
    except ValueError as exc:
        raise ValueError(f"{place}: {exc}") from exc


def replace_cause(error: MessageInvalid, cause: Cause) -> MessageInvalid:
    """The same problem at the same place, of another cause."""
    return MessageInvalid(cause, error.problem, field=error.field, position=error.position)


def _has_children(branch: Branch) -> bool:
    return any(not name.startswith("@") for name in branch.fields)


def _computed(expression: Expression, scope: Scope) -> Any:
    try:
        value = scope.evaluation.evaluate(expression, scope.item)
    except KeyError:
        return None  # a field that is not there: the rule says what then
    except Exception as exc:
        # CEL's own words may hold the value.
        raise MessageInvalid(
            Cause.BAD_VALUE, f"the expression fails: {type(exc).__name__}"
        ) from exc
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if value is not None and not isinstance(value, str | int | float | bool | bytes):
        raise MessageInvalid(Cause.BAD_VALUE, "the expression gives not one value but several")
    return value


def _checked(raw: Any) -> Any:
    """A text without the blanks around it; refuses what no text can hold that goes on from here."""
    if not isinstance(raw, str):
        return raw
    text = raw.strip()
    if "\0" in text:
        raise MessageInvalid(Cause.BAD_VALUE, "holds a NUL character")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as exc:
            raise MessageInvalid(Cause.BAD_VALUE, "holds half a surrogate pair") from exc
    return text


def _looked_up(value: Any, table: str | Mapping[str, Scalar], scope: Scope) -> Scalar:
    codes = scope.tables[table] if isinstance(table, str) else table
    try:
        return codes[_written(value)]
    except KeyError as exc:
        known = ", ".join(list(codes)[:SHOWN_CODES])
        more = ", …" if len(codes) > SHOWN_CODES else ""
        place = f"table {table}" if isinstance(table, str) else "its table"
        raise MessageInvalid(
            Cause.UNKNOWN_CODE, f"is no code of {place}; it has {known}{more}"
        ) from exc


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _date(value: Any, form: str) -> str:
    text = str(value)
    try:
        # No zone: a date on a form is that of the place where it was filled in.
        date = datetime.datetime.strptime(text, form)
        # Without anything between them, 1012026 could be the 1st or the 10th.
        if ADJACENT.search(form) and date.strftime(form).lower() != text.lower():
            raise ValueError
        return date.date().isoformat()
    except ValueError as exc:
        raise MessageInvalid(Cause.BAD_VALUE, f"is no date of the form {form}") from exc


def _told(value: Any, form: str, zone: str | None) -> str:
    try:
        time = datetime.datetime.fromisoformat(str(value))
        if zone is not None and time.tzinfo is not None:
            time = time.astimezone(zoneinfo.ZoneInfo(zone))
        return time.strftime(form)
    except (ValueError, OverflowError) as exc:
        raise MessageInvalid(Cause.ANSWER_FAILED, "is no time that can be told") from exc


def _number(value: Any, *, integer: bool) -> int | float:
    text = str(value)
    if integer and (whole := INTEGER.fullmatch(text)):
        return int(whole[1])
    if not integer and DECIMAL.fullmatch(text):
        return float(text.replace(",", "."))
    kind = "whole number" if integer else "number"
    raise MessageInvalid(Cause.BAD_VALUE, f"is no {kind}")
