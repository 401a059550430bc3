"""Protobuf messages of a system's own types, by the descriptors that its protoc makes.

protoc --include_imports --descriptor_set_out=simpeg.binpb simpeg.proto
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.message import DecodeError, Message

from absah_bridge import tree
from absah_bridge.codecs import CodecConfig, Incoming, Outgoing
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.tree import Branch

FIELD = re.compile(r"(?:parse |named \")([A-Za-z_]\w{0,63})")
MAX_VALUES = 200_000
MAX_PACKED = 8
"""Depth of Any within Any: each one holds all within it once more."""


class ProtobufConfig(CodecConfig):
    """How a system writes protobuf."""

    kind: Literal["protobuf"] = "protobuf"
    descriptors: Path
    """A FileDescriptorSet with its imports."""
    message: str
    """Full name of the messages' type, as "simpeg.v1.Laporan"."""


class ProtobufCodec:
    """Reads fields by their proto names, bytes as base64, as in the JSON form."""

    config_type = ProtobufConfig

    def __init__(self, config: ProtobufConfig, folder: Path) -> None:
        """Raises ValueError for descriptors that are none or do not hold the type."""
        pool = descriptor_pool.DescriptorPool()
        try:
            content = (folder / config.descriptors).read_bytes()
            for file in descriptor_pb2.FileDescriptorSet.FromString(content).file:
                pool.Add(file)
            descriptor = pool.FindMessageTypeByName(config.message)
        except (OSError, TypeError, KeyError, DecodeError) as exc:
            raise ValueError(
                f"descriptors: {config.descriptors} does not hold {config.message}: {exc}"
            ) from exc
        self._kind = message_factory.GetMessageClass(descriptor)
        self._pool = pool

    def decode(self, message: Incoming) -> Branch:
        """See `Codec.decode`."""
        name = self._kind.DESCRIPTOR.full_name
        try:
            read = self._kind.FromString(message.body)
            if message.body and not read.ListFields():
                raise ValueError("holds nothing but fields that this type has not")
            _refuse_many(read, self._pool)
            plain = json_format.MessageToDict(
                read, preserving_proto_field_name=True, descriptor_pool=self._pool
            )
        except (ValueError, TypeError, KeyError, RecursionError, DecodeError) as exc:
            # Such as a text that is not UTF-8, a time beyond all years, an Any of a type unknown.
            raise MessageInvalid(Cause.NOT_WELL_FORMED, f"is no {name}") from exc
        except json_format.Error as exc:
            raise MessageInvalid(Cause.NOT_WELL_FORMED, f"is no {name} that JSON can hold") from exc
        node = tree.from_plain(plain)
        assert isinstance(node, Branch)
        return node

    def encode(self, answer: Mapping[str, Any]) -> Outgoing:
        """See `Codec.encode`."""
        present = {name: value for name, value in answer.items() if value is not None}
        try:
            made = json_format.ParseDict(present, self._kind(), descriptor_pool=self._pool)
        except json_format.ParseError as exc:
            field = FIELD.search(str(exc))
            raise MessageInvalid(
                Cause.ANSWER_FAILED,
                f"does not fit {self._kind.DESCRIPTOR.full_name}",
                field=field[1] if field else "",
            ) from exc
        return Outgoing(
            body=made.SerializeToString(deterministic=True),
            content_type="application/x-protobuf",
            headers={},
        )


def _refuse_many(read: Message, pool: descriptor_pool.DescriptorPool) -> None:
    """Before it becomes a tree: a message within takes two bytes, and thousands as Python's."""
    left, waiting = MAX_VALUES, [(read, 0)]
    while waiting:
        message, packed = waiting.pop()
        if message.DESCRIPTOR.full_name == "google.protobuf.Any" and message.ListFields():
            if packed == MAX_PACKED:
                raise MessageInvalid(
                    Cause.NOT_WELL_FORMED, f"holds Any in Any more than {MAX_PACKED} deep"
                )
            waiting.append((_unpacked(message, pool), packed + 1))
            continue
        for field, value in message.ListFields():
            repeated = field.is_repeated
            left -= len(value) if repeated else 1
            if left < 0:
                raise MessageInvalid(
                    Cause.MESSAGE_TOO_LARGE, f"holds more than {MAX_VALUES:,} values"
                )
            if field.message_type is None:
                continue
            if repeated and field.message_type.GetOptions().map_entry:
                value = [each for each in value.values() if isinstance(each, Message)]
            waiting += [(each, packed) for each in (value if repeated else [value])]


def _unpacked(message: Any, pool: descriptor_pool.DescriptorPool) -> Message:
    """What an Any holds; raises KeyError where nothing describes it."""
    descriptor = pool.FindMessageTypeByName(message.type_url.rpartition("/")[2])
    return message_factory.GetMessageClass(descriptor).FromString(message.value)
