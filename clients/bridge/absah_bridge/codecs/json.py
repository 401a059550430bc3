"""JSON messages (RFC 8259)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from absah_bridge import tree
from absah_bridge.codecs import CodecConfig, Incoming, Outgoing, charsets
from absah_bridge.codecs.charsets import Charset
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.tree import Branch

MAX_DEPTH = 64


class JsonConfig(CodecConfig):
    """How a system writes JSON."""

    kind: Literal["json"] = "json"
    charset: Charset = "utf-8"


class JsonCodec:
    """Reads and writes objects. Positions are paths: JSON's parser tells no line of a value."""

    config_type = JsonConfig

    def __init__(self, config: JsonConfig, folder: Path) -> None:
        self._config = config

    def decode(self, message: Incoming) -> Branch:
        """See `Codec.decode`."""
        text = charsets.decode(message.body, self._config.charset)
        try:
            value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
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
        _refuse_deep(value)
        node = tree.from_plain(value)
        assert isinstance(node, Branch)
        return node

    def encode(self, answer: Mapping[str, Any]) -> Outgoing:
        """See `Codec.encode`."""
        text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return Outgoing(
            body=charsets.encode(text, self._config.charset),
            content_type="application/json",
            headers={},
        )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Which of two values of one name is meant nobody can tell."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MessageInvalid(Cause.NOT_WELL_FORMED, "stands twice in one object", field=twice[:64])
    return fields


def _no_constant(word: str) -> None:
    raise MessageInvalid(Cause.NOT_WELL_FORMED, f"{word} is no JSON number")


def _refuse_deep(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for each in level
            if isinstance(each, dict | list)
            for child in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise MessageInvalid(Cause.NOT_WELL_FORMED, f"is nested more than {MAX_DEPTH} deep")
