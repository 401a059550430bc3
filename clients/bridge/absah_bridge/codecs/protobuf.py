"""Protobuf messages of a system's own types, by the descriptors that its protoc makes.

protoc --include_imports --descriptor_set_out=simpeg.binpb simpeg.proto
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message, message_factory

from absah_bridge import tree
from absah_bridge.codecs import CodecConfig, Incoming, Outgoing
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.tree import Branch


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
        except (OSError, TypeError, KeyError, message.DecodeError) as exc:
            raise ValueError(
                f"codec.descriptors: {config.descriptors} does not hold {config.message}: {exc}"
            ) from exc
        self._kind = message_factory.GetMessageClass(descriptor)
        self._pool = pool

    def decode(self, message: Incoming) -> Branch:
        """See `Codec.decode`."""
        try:
            read = self._kind.FromString(message.body)
        except Exception as exc:
            raise MessageInvalid(
                Cause.NOT_WELL_FORMED, f"is no {self._kind.DESCRIPTOR.full_name}"
            ) from exc
        plain = json_format.MessageToDict(
            read, preserving_proto_field_name=True, descriptor_pool=self._pool
        )
        node = tree.from_plain(plain)
        assert isinstance(node, Branch)
        return node

    def encode(self, answer: Mapping[str, Any]) -> Outgoing:
        """See `Codec.encode`."""
        present = {name: value for name, value in answer.items() if value is not None}
        try:
            made = json_format.ParseDict(present, self._kind(), descriptor_pool=self._pool)
        except json_format.ParseError as exc:
            raise MessageInvalid(Cause.ANSWER_FAILED, str(exc).splitlines()[0]) from exc
        return Outgoing(
            body=made.SerializeToString(deterministic=True),
            content_type="application/x-protobuf",
            headers={},
        )
