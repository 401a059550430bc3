"""CEL expressions of bridge.yaml: checked when they are loaded, evaluated over one message."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import cel
from cel import stdlib

from absah_bridge import tree
from absah_bridge.tree import Node

MAX_CHARACTERS = 2000
"""Of an expression."""
MAX_GATHERED = 5000
"""Items of any series that an expression with map or filter reads: CEL's library builds their
lists anew for each item."""
_GATHERS = re.compile(r"\.(?:map|filter)\(")
_WORD = re.compile(r"[A-Za-z_]\w*")
_BOUND = re.compile(r"\.(?:map|filter|all|exists|exists_one)\(\s*([A-Za-z_]\w*)\s*,")
_NATIVE = frozenset(
    (
        *("size", "contains", "startsWith", "endsWith", "matches", "has", "max", "min"),
        *("string", "int", "uint", "double", "bytes", "timestamp", "duration", "type", "dyn"),
        *("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"),
        *("getHours", "getMinutes", "getSeconds", "getMilliseconds"),
    )
)


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression and the variables that it reads."""

    program: cel.Program
    variables: frozenset[str]
    gathers: bool
    """Whether it makes lists of series, by map or filter."""


def compile_expression(source: str, *, variables: Collection[str]) -> Expression:
    """Compile and check; raises ValueError that says what is wrong."""
    if len(source) > MAX_CHARACTERS:
        raise ValueError(f"an expression has {MAX_CHARACTERS:,} characters at most")
    try:
        program = cel.compile(source)
    except ValueError as exc:
        raise ValueError(str(exc).splitlines()[0]) from exc
    functions, namespaces = _standard()
    free = set(program.variables()) - set(_BOUND.findall(source)) - namespaces
    if unknown := free - set(variables):
        raise ValueError(
            f"{', '.join(sorted(unknown))} is not known here; known are "
            f"{', '.join(sorted(variables))}"
        )
    named = {name for name in program.functions() if _WORD.fullmatch(name)}
    if missing := named - functions - _NATIVE:
        raise ValueError(f"there is no function {', '.join(sorted(missing))}")
    return Expression(program, frozenset(free), _GATHERS.search(source) is not None)


def keep_values_out_of_logs() -> None:
    """CEL's library logs why a function failed in words that may hold what it was given."""
    logging.getLogger("cel").setLevel(logging.CRITICAL + 1)


class Evaluation:
    """Evaluates expressions over one message, whose values are turned into CEL's own just once.

    `variables` are there for all of its expressions; only `item` changes from call to call.
    """

    def __init__(self, variables: Mapping[str, Node]) -> None:
        self._variables = variables
        self._given: dict[str, Node] = {}
        self._longest: dict[str, int] = {}
        self._context: cel.Context | None = None

    def evaluate(self, expression: Expression, item: Node) -> Any:
        """The value; raises ValueError where a series is too long for the expression, and whatever
        CEL raises, such as KeyError for a field that is not there."""
        context = self._with({**self._variables, "item": item}, expression.variables)
        longest = max((self._longest.get(name, 0) for name in expression.variables), default=0)
        if expression.gathers and longest > MAX_GATHERED:
            raise ValueError(f"map and filter read series of {MAX_GATHERED:,} items at most")
        return expression.program.execute(context)

    def _with(self, known: Mapping[str, Node], names: frozenset[str]) -> cel.Context:
        # Most messages need no expression, and most expressions not all of a message.
        if self._context is None:
            self._context = cel.Context()
            stdlib.add_stdlib_to_context(self._context)
        for name in names & known.keys():
            if self._given.get(name) is not known[name]:
                self._given[name] = known[name]
                self._longest[name] = tree.longest(known[name])
                self._context.add_variable(name, tree.plain(known[name]))
        return self._context


@cache
def _standard() -> tuple[frozenset[str], frozenset[str]]:
    """CEL's standard library: names of functions, and of the spaces such as "math"."""
    context = cel.Context()
    stdlib.add_stdlib_to_context(context)
    names = set(context.functions)
    return (
        frozenset(part for name in names for part in name.split(".")),
        frozenset(name.split(".")[0] for name in names if "." in name),
    )
