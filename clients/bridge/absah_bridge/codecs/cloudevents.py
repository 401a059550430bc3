"""CloudEvents 1.0 over AMQP: an envelope around another codec's message.

In binary mode the attributes are headers with "cloudEvents:" (the AMQP binding) or "ce-" before
their names and the body is the data; in structured mode the body is a JSON object that holds both.
https://github.com/cloudevents/spec
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pydantic

from absah_bridge import tree
from absah_bridge.codecs import CodecConfig, Incoming, Outgoing
from absah_bridge.codecs.json import JsonCodec, JsonConfig
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.tree import Branch, Leaf

STRUCTURED = "application/cloudevents+json"
PREFIXES = ("cloudEvents:", "cloudEvents_", "ce-", "ce_")
REQUIRED = ("id", "source", "type", "specversion")


class CloudEventsConfig(CodecConfig):
    """How a system sends events whose data is JSON."""

    kind: Literal["cloudevents"] = "cloudevents"
    mode: Literal["structured", "binary"] = "structured"
    """Of answers; both are read."""
    source: str = "urn:absah"
    type: str = "id.go.absah.verdict"
    schema_: str | None = pydantic.Field(default=None, alias="dataschema")


class CloudEventsCodec:
    """Reads an event as its attributes and `data`."""

    config_type = CloudEventsConfig

    def __init__(self, config: CloudEventsConfig, folder: Path) -> None:
        self._config = config
        self._json = JsonCodec(JsonConfig(max_bytes=config.max_bytes), folder)

    def decode(self, message: Incoming) -> Branch:
        """See `Codec.decode`. What says nothing of its mode, as files do not, is structured."""
        attributes = {
            name.removeprefix(prefix): str(value)
            for name, value in message.headers.items()
            for prefix in PREFIXES
            if name.startswith(prefix)
        }
        structured = message.content_type.lower().startswith(STRUCTURED)
        event = self._json.decode(message)
        if not structured and attributes:
            fields = {name: tree.from_plain(value) for name, value in attributes.items()}
            event = Branch(fields={**fields, "data": event})
        for name in REQUIRED:
            if not isinstance(found := tree.find(event, name), Leaf) or not found.value:
                raise MessageInvalid(
                    Cause.MISSING_FIELD,
                    "every event has it",
                    field=name,
                    position=str(event.position),
                )
        version = event.fields["specversion"]
        if tree.plain(version) != "1.0":
            raise MessageInvalid(
                Cause.SCHEMA_VIOLATION,
                "must be 1.0",
                field="specversion",
                position=str(version.position),
            )
        return self._with_decoded_data(event)

    def encode(self, answer: Mapping[str, Any]) -> Outgoing:
        """See `Codec.encode`. The id is of the data's own digest: the same answer is the same
        event."""
        body = self._json.encode(answer)
        attributes = {
            "specversion": "1.0",
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, body.body.decode())),
            "source": self._config.source,
            "type": self._config.type,
            "datacontenttype": "application/json",
        }
        if self._config.schema_:
            attributes["dataschema"] = self._config.schema_
        if self._config.mode == "binary":
            headers = {f"cloudEvents:{name}": value for name, value in attributes.items()}
            return Outgoing(body=body.body, content_type="application/json", headers=headers)
        whole = self._json.encode({**attributes, "data": answer})
        return Outgoing(body=whole.body, content_type=STRUCTURED, headers={})

    def _with_decoded_data(self, event: Branch) -> Branch:
        packed = event.fields.get("data_base64")
        if packed is None:
            return event
        try:
            body = base64.b64decode(str(tree.plain(packed)), validate=True)
        except (binascii.Error, ValueError) as exc:
            raise MessageInvalid(
                Cause.BAD_VALUE,
                "is not base64",
                field="data_base64",
                position=str(packed.position),
            ) from exc
        data = self._json.decode(Incoming(body=body, headers={}))
        return Branch(fields={**event.fields, "data": data})
