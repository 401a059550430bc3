"""Messages as plain dictionaries, for JSON."""

from __future__ import annotations

import re
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message


def to_dict(message: Message) -> dict[str, Any]:
    """The message's JSON form with proto field names, and enum values by their bare words.

    `OUTCOME_PASS` becomes "PASS"; fields without a value that can be told from an unset one are
    left out, except enums and repeated fields, which are always there. Whole numbers of a Struct,
    which holds only floating ones, are integers here.
    """
    plain = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    _shorten(message, plain)
    return plain


def word(kind: Any, number: int) -> str:
    """The bare word of an enum value by its descriptor: "PASS" for OUTCOME_PASS."""
    prefix = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.name).upper()
    return str(kind.values_by_number[number].name).removeprefix(f"{prefix}_")


def _shorten(message: Message, plain: dict[str, Any]) -> None:
    for field in message.DESCRIPTOR.fields:
        if field.name not in plain:
            continue
        value = getattr(message, field.name)
        if field.enum_type:
            plain[field.name] = word(field.enum_type, value)
        elif field.message_type and field.message_type.full_name == "google.protobuf.Struct":
            plain[field.name] = _whole(plain[field.name])
        elif _is_own_message(field):
            inner = plain[field.name]
            if field.is_repeated:
                for item, shown in zip(value, inner, strict=True):
                    _shorten(item, shown)
            else:
                _shorten(value, inner)


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value


def _is_own_message(field: Any) -> bool:
    return bool(field.message_type) and field.message_type.full_name.startswith("absah.")
