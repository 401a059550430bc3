"""JSON messages (RFC 8259)."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from absah_bridge.codecs import CodecConfig, Incoming, Outgoing, charsets
from absah_bridge.codecs.charsets import Charset
from absah_bridge.codecs.json_places import Place, Places
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.tree import Branch, Leaf, Node, Series

MAX_DEPTH = 64
MAX_VALUES = 200_000
MAX_DIGITS = 40
NAME = re.compile(r"[A-Za-z_][\w.:-]{0,63}")
"""What may be told of a name; others could hold anything."""
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A string, or what looks like one and never ends: it is never gone through a second time."""
_SEPARATORS = "[{,"


class JsonConfig(CodecConfig):
    """How a system writes JSON."""

    kind: Literal["json"] = "json"
    charset: Charset = "utf-8"


class JsonCodec:
    """Reads and writes objects."""

    config_type = JsonConfig

    def __init__(self, config: JsonConfig, folder: Path) -> None:
        self._config = config

    def decode(self, message: Incoming) -> Branch:
        """See `Codec.decode`."""
        text = charsets.decode(message.body, self._config.charset)
        _refuse_many(text)
        try:
            value = json.loads(
                text,
                object_pairs_hook=_unique,
                parse_constant=_no_constant,
                parse_int=_integer,
                parse_float=_decimal,
            )
        except json.JSONDecodeError as exc:
            raise MessageInvalid(
                Cause.NOT_WELL_FORMED,
                f"is not JSON: {exc.msg}",
                position=f"line {exc.lineno}, column {exc.colno}",
            ) from exc
        except RecursionError as exc:
            raise MessageInvalid(Cause.NOT_WELL_FORMED, "is nested too deeply") from exc
        if not isinstance(value, dict):
            raise MessageInvalid(Cause.NOT_WELL_FORMED, "is JSON, but no object")
        places = Places(text)
        return _branch(value, Place(places, None, None), 1)

    def encode(self, answer: Mapping[str, Any]) -> Outgoing:
        """See `Codec.encode`."""
        try:
            text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        except (ValueError, TypeError) as exc:
            raise MessageInvalid(Cause.ANSWER_FAILED, "holds what JSON cannot") from exc
        if self._config.charset not in ("utf-8", "utf-16"):
            text = _escaped(text, self._config.charset)
        return Outgoing(
            body=charsets.encode(text, self._config.charset),
            content_type="application/json",
            headers={},
        )


def _node(value: Any, place: Place, depth: int) -> Node:
    if isinstance(value, dict):
        return _branch(value, place, depth)
    if isinstance(value, list):
        _refuse_deep(depth)
        items = [
            _node(item, Place(place.places, place, n), depth + 1) for n, item in enumerate(value)
        ]
        return Series(items=items, position=place)
    return Leaf(value=value, position=place)


def _branch(value: dict[str, Any], place: Place, depth: int) -> Branch:
    _refuse_deep(depth)
    fields = {
        name: _node(field, Place(place.places, place, name), depth + 1)
        for name, field in value.items()
    }
    return Branch(fields=fields, position=place)


def _refuse_deep(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise MessageInvalid(Cause.NOT_WELL_FORMED, f"is nested more than {MAX_DEPTH} deep")


def _refuse_many(text: str) -> None:
    """Before it is parsed: small values cost a hundred times their bytes."""
    if len(text) <= MAX_VALUES:
        return
    if _separators(text) > MAX_VALUES and _separators(_STRING.sub("", text)) > MAX_VALUES:
        raise MessageInvalid(Cause.MESSAGE_TOO_LARGE, f"holds more than {MAX_VALUES:,} values")


def _separators(text: str) -> int:
    return sum(text.count(sign) for sign in _SEPARATORS)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Which of two values of one name is meant nobody can tell."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        field = twice if NAME.fullmatch(twice) else ""
        raise MessageInvalid(
            Cause.NOT_WELL_FORMED, "a name stands twice in one object", field=field
        )
    return fields


def _no_constant(word: str) -> None:
    raise MessageInvalid(Cause.NOT_WELL_FORMED, f"{word} is no JSON number")


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise MessageInvalid(Cause.BAD_VALUE, f"a number has more than {MAX_DIGITS} digits")
    return int(digits)


def _decimal(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise MessageInvalid(Cause.BAD_VALUE, "a number is larger than any that can be kept")
    return number


def _escaped(text: str, charset: Charset) -> str:
    """Characters that the charset has not, as JSON's own escapes."""
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return json.dumps(json.loads(text), ensure_ascii=True, separators=(",", ":"))
    return text
