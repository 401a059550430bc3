"""Odd values for every field of a request, found by the message's own description.

A method that is added later is covered too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

DEEPEST = 4
"""Messages within messages that are looked into."""
SKIPPED = frozenset({"google.protobuf.Struct", "google.rpc.Status"})
"""What holds anything at all; claims have requests of their own."""
MIB = 2**20
LINE_END = "x\r\ngrpc-status: 0"
WORDS = (
    ("with a zero", "a\0b"),
    ("of a zero", "\0"),
    ("with a path", "../../../../etc/passwd"),
    ("with a collection and a path", "models/../../etc"),
    ("that is a root", "/"),
    ("that is a folder", "."),
    ("with a line end", LINE_END),
    ("of letters from right to left", "\u202efdp.exe\u200d"),
    ("of half an emoji's letters", "👩‍👩‍👧" * 30),
    ("that is a statement", "'; drop table validations; --"),
    ("of per cent signs", "%s%(tenant)s%n"),
    ("of 300 letters", "x" * 300),
    ("of 1 MiB", "x" * MIB),
    ("of 10 MiB", "é" * (5 * MIB)),
)
NUMBERS = {
    FieldDescriptor.TYPE_INT32: (-1, -(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-1, -(2**63), 2**63 - 1, 2**31),
    FieldDescriptor.TYPE_ENUM: (-1, 99, 2**31 - 1),
    FieldDescriptor.TYPE_DOUBLE: (math.nan, math.inf, -math.inf, -0.5, 1e308, 5e-324),
    FieldDescriptor.TYPE_BYTES: (b"\0" * 9, b"x" * MIB),
    FieldDescriptor.TYPE_BOOL: (True,),
}


def variants(good: Message) -> Iterator[tuple[str, Message]]:
    """The message with one field changed, for each field and each odd value of its kind."""
    for path, field in _fields(good, ()):
        for name, value in _values(field):
            changed = type(good)()
            changed.CopyFrom(good)
            _set(changed, path, field, value)
            yield f"{'.'.join((*path, field.name))} {name}", changed


def _fields(
    message: Message, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], FieldDescriptor]]:
    for field in message.DESCRIPTOR.fields:
        if field.type != FieldDescriptor.TYPE_MESSAGE or _is_map(field):
            yield path, field
        elif field.message_type.full_name not in SKIPPED and len(path) < DEEPEST:
            inner = message_factory.GetMessageClass(field.message_type)()
            yield from _fields(inner, (*path, field.name))


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _values(field: FieldDescriptor) -> Iterable[tuple[str, Any]]:
    if _is_map(field) or field.type == FieldDescriptor.TYPE_STRING:
        return WORDS
    return [(f"of {value!r:.30}", value) for value in NUMBERS[field.type]]


def _set(message: Message, path: tuple[str, ...], field: FieldDescriptor, value: Any) -> None:
    """Set a field, of the first element where a list lies on the way."""
    holder: Any = message
    for name in path:
        holder = getattr(holder, name)
        if hasattr(holder, "add"):
            holder = holder[0] if len(holder) else holder.add()
    if _is_map(field):
        getattr(holder, field.name)[value[: 2 * MIB]] = value
    elif field.is_repeated:
        getattr(holder, field.name).append(value)
    else:
        setattr(holder, field.name, value)
