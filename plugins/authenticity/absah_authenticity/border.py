"""Carry records out of a sandboxed process as plain values, and check them on arrival.

What comes out of a process that read hostile bytes may be anything, so nothing is believed before
it fits the record's types.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import pydantic

from absah_sdk import DocumentUnreadable

T = TypeVar("T")


def to_plain(record: Any) -> dict[str, Any]:
    """The fields of a flat dataclass; times become ISO 8601."""
    values = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def from_plain(kind: type[T], values: Mapping[str, Any]) -> T:
    """Make the record again; raises `DocumentUnreadable` where the values do not fit it."""
    try:
        return pydantic.TypeAdapter(kind).validate_python(values)
    except pydantic.ValidationError as exc:
        raise DocumentUnreadable("the file's metadata make no sense") from exc
