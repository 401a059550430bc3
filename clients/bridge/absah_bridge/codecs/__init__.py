"""Codecs: between a legacy system's bytes and trees of values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pydantic

from absah_bridge.tree import Branch


class CodecConfig(pydantic.BaseModel):
    """Base of a codec's configuration; an unknown key is refused.

    Paths in it are relative to the folder of bridge.yaml, which validation is given as the context
    `{"folder": Path}`.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    kind: str
    max_bytes: int = pydantic.Field(default=16 * 2**20, gt=0)
    """Larger messages are parked unread."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Incoming:
    """What came: the body, and what the broker says of it."""

    body: bytes
    content_type: str = ""
    headers: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """What is to be sent."""

    body: bytes
    content_type: str
    headers: Mapping[str, Any]


class Codec(Protocol):
    """Reads and writes one form of message. An instance serves many messages, one after another.

    Input is hostile: what is read is bounded before and while it is parsed, and nothing in it makes
    the codec fetch, expand or execute anything.
    """

    def decode(self, message: Incoming) -> Branch:
        """Read a message; raises `MessageInvalid` with field and position."""

    def encode(self, answer: Mapping[str, Any]) -> Outgoing:
        """Write an answer (names to texts, numbers, booleans, mappings, lists of these).

        Raises `MessageInvalid` with cause ANSWER_FAILED and the field that cannot be written, such
        as a text that is too long for its columns or has characters that the charset has not.
        """


class CodecKind(Protocol):
    """A kind of codec, as a plugin registers it."""

    @property
    def config_type(self) -> type[CodecConfig]:
        """What `codec:` of bridge.yaml may hold for this kind."""

    def __call__(self, config: Any, folder: Path) -> Codec:
        """Make a codec; `folder` is where bridge.yaml lies. Raises ValueError for what does not
        fit, such as a schema that is none."""
