"""A message as every codec reads it: branches, series and leaves, each knowing where it stood."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Scalar = str | int | float | bool | bytes | None
_STEP = re.compile(r"([^.\[\]]+)|\[(\d{1,6})\]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """A value. `str(position)` is for people: "line 7, column 12"."""

    value: Scalar
    position: object = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """Things of one name, in their order."""

    items: Sequence[Node]
    position: object = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """Fields by name. An XML attribute is a field with "@" before its name, text beside child
    elements the field "#text"."""

    fields: Mapping[str, Node]
    position: object = ""


Node = Leaf | Series | Branch


def find(node: Node, path: str) -> Node | None:
    """What stands at a path such as "laporan.pegawai.nama", "laporan.foto[0].@nama" or ".".

    A branch reached by way of a series of one is that one. None where nothing stands there.
    """
    return locate(node, path)[0]


def locate(node: Node, path: str) -> tuple[Node | None, object]:
    """What stands at a path and where that is; where nothing does, the place of what it should
    stand in."""
    found: Node | None = node
    position = node.position
    for step in steps(path):
        found = _step(found, step)
        if found is None:
            return None, position
        position = found.position or position
    return found, position


def check(path: str) -> None:
    """Raises ValueError where a path has no such form."""
    steps(path)


@lru_cache(maxsize=4096)
def steps(path: str) -> tuple[str | int, ...]:
    """The names and indices of a path; raises ValueError where it has no such form."""
    if path == ".":
        return ()
    made: list[str | int] = []
    end = 0
    for match in _STEP.finditer(path):
        between = "" if match.start() == 0 or match[1] is None else "."
        if path[end : match.start()] != between:
            break
        end = match.end()
        made.append(match[1] if match[1] is not None else int(match[2]))
    if end != len(path) or not path:
        raise ValueError(f"{path!r} is no path: names with dots between, [0] for an item")
    return tuple(made)


def _step(node: Node | None, step: str | int) -> Node | None:
    if isinstance(step, int):
        items = node.items if isinstance(node, Series) else [node] if node is not None else []
        return items[step] if step < len(items) else None
    if isinstance(node, Series) and len(node.items) == 1:
        node = node.items[0]
    return node.fields.get(step) if isinstance(node, Branch) else None


def each(node: Node | None) -> Sequence[Node]:
    """The items of a series, a single thing as a series of one, nothing as none."""
    if node is None:
        return ()
    return node.items if isinstance(node, Series) else (node,)


def plain(node: Node) -> Any:
    """The values alone, as JSON-like data that CEL reads."""
    if isinstance(node, Leaf):
        return node.value
    if isinstance(node, Series):
        return [plain(item) for item in node.items]
    return {name: plain(field) for name, field in node.fields.items()}


def longest(node: Node) -> int:
    """Items of the longest series in it."""
    if isinstance(node, Leaf):
        return 0
    inner = node.items if isinstance(node, Series) else node.fields.values()
    own = len(node.items) if isinstance(node, Series) else 0
    return max(own, max(map(longest, inner), default=0))


def from_plain(value: Any) -> Node:
    """A tree of JSON-like data that stood nowhere."""
    if isinstance(value, Mapping):
        return Branch(fields={str(name): from_plain(field) for name, field in value.items()})
    if isinstance(value, list | tuple):
        return Series(items=[from_plain(item) for item in value])
    return Leaf(value=value)
