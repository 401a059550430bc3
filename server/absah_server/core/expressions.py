"""CEL expressions of policies, checked when they are loaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import cel
from cel import stdlib

BOUND = re.compile(r"\.(?:map|filter|all|exists|exists_one)\(\s*([A-Za-z_]\w*)\s*,")
HOLE = re.compile(r"\{([^{}]+)\}")
NATIVE_FUNCTIONS = frozenset(
    (
        *("size", "contains", "startsWith", "endsWith", "matches"),
        *("string", "int", "uint", "double", "bytes", "timestamp", "duration", "type", "dyn"),
        *("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"),
        *("getHours", "getMinutes", "getSeconds", "getMilliseconds"),
    )
)


class ExpressionInvalid(ValueError):
    """An expression cannot be parsed, or names a variable or function that is not there."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled CEL expression."""

    program: cel.Program

    def evaluate(self, context: cel.Context) -> Any:
        """Its value; raises whatever CEL raises, such as KeyError for a missing field."""
        return self.program.execute(context)

    @property
    def variables(self) -> frozenset[str]:
        """The free variables that it reads."""
        return frozenset(self.program.variables()) - set(BOUND.findall(self.program.source))


def compile_expression(
    source: str, *, variables: Collection[str], functions: Collection[str]
) -> Expression:
    """Compile and check; raises `ExpressionInvalid`.

    `functions` are those that plugins add to CEL's own and its standard library.
    """
    try:
        program = cel.compile(source)
    except ValueError as exc:
        lines = str(exc).splitlines()
        raise ExpressionInvalid(lines[0].removeprefix("Failed to parse expression ")) from exc
    expression = Expression(program)
    if unknown := expression.variables - set(variables) - STANDARD_NAMESPACES:
        raise ExpressionInvalid(
            f"{', '.join(sorted(unknown))} is not known here; known are "
            f"{', '.join(sorted(variables))}"
        )
    named = {name for name in program.functions() if re.fullmatch(r"[A-Za-z_]\w*", name)}
    if missing := named - set(functions) - NATIVE_FUNCTIONS - STANDARD_FUNCTIONS:
        raise ExpressionInvalid(f"there is no function {', '.join(sorted(missing))}")
    return expression


@dataclass(frozen=True, slots=True)
class Template:
    """A sentence with CEL expressions in braces."""

    parts: tuple[str | Expression, ...]

    def fill(self, context: cel.Context) -> str:
        """The sentence with its values in place."""
        return "".join(
            part if isinstance(part, str) else _shown(part.evaluate(context)) for part in self.parts
        )


def compile_template(
    source: str, *, variables: Collection[str], functions: Collection[str]
) -> Template:
    """Compile a sentence; raises `ExpressionInvalid`."""
    parts: list[str | Expression] = []
    end = 0
    for hole in HOLE.finditer(source):
        parts.append(source[end : hole.start()])
        parts.append(compile_expression(hole.group(1), variables=variables, functions=functions))
        end = hole.end()
    parts.append(source[end:])
    return Template(tuple(parts))


def context(
    variables: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]
) -> cel.Context:
    """A context to evaluate in: these variables, CEL's standard library and these functions."""
    made = cel.Context()
    stdlib.add_stdlib_to_context(made)
    made.update(dict(variables))
    for name, function in functions.items():
        made.add_function(name, function)
    return made


def _shown(value: Any) -> str:
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value)


def _standard() -> tuple[frozenset[str], frozenset[str]]:
    made = cel.Context()
    stdlib.add_stdlib_to_context(made)
    names = set(made.functions)
    return (
        frozenset(part for name in names for part in name.split(".")),
        frozenset(name.split(".")[0] for name in names if "." in name),
    )


STANDARD_FUNCTIONS, STANDARD_NAMESPACES = _standard()
