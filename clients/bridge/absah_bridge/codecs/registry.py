"""Find the codecs: those that come with the bridge and those of plugins."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pluggy
import pydantic

from absah_bridge import hookspecs
from absah_bridge.codecs import Codec, CodecKind
from absah_bridge.hookspecs import hookimpl


class _BuiltIn:
    """The bridge's own codecs are a plugin like any other."""

    @hookimpl
    def absah_bridge_codecs(self) -> Mapping[str, CodecKind]:
        from absah_bridge.codecs.cloudevents import CloudEventsCodec
        from absah_bridge.codecs.csv import CsvCodec
        from absah_bridge.codecs.fixed import FixedCodec
        from absah_bridge.codecs.json import JsonCodec
        from absah_bridge.codecs.protobuf import ProtobufCodec
        from absah_bridge.codecs.xml import XmlCodec

        return {
            "json": JsonCodec,
            "xml": XmlCodec,
            "csv": CsvCodec,
            "fixed": FixedCodec,
            "protobuf": ProtobufCodec,
            "cloudevents": CloudEventsCodec,
        }


def kinds() -> Mapping[str, CodecKind]:
    """All kinds by name.

    Raises ValueError for a plugin that cannot be loaded, and where two provide one name.
    """
    plugins = pluggy.PluginManager(hookspecs.PROJECT)
    plugins.add_hookspecs(hookspecs)
    plugins.register(_BuiltIn())
    for entry in metadata.entry_points(group=hookspecs.PROJECT):
        try:
            plugins.register(entry.load(), name=entry.name)
        except Exception as exc:  # whatever a plugin does when it is imported
            raise ValueError(f"plugin {entry.name} cannot be loaded: {exc}") from exc
    found: dict[str, CodecKind] = {}
    for provided in plugins.hook.absah_bridge_codecs():
        if twice := found.keys() & provided.keys():
            raise ValueError(f"two plugins provide a codec named {min(twice)}")
        found.update(provided)
    return found


def make(given: Mapping[str, Any], folder: Path, known: Mapping[str, CodecKind]) -> Codec:
    """Make the codec that a `codec:` of bridge.yaml asks for.

    Raises ValueError that begins with the key that does not fit.
    """
    name = str(given.get("kind", ""))
    if name not in known:
        raise ValueError(f"kind: there is no codec {name!r}; there are {', '.join(sorted(known))}")
    kind = known[name]
    try:
        config = kind.config_type.model_validate(dict(given), context={"folder": folder})
    except pydantic.ValidationError as exc:
        details = exc.errors(include_input=False)[0]
        field = ".".join(str(step) for step in details["loc"])
        problem = details["msg"].removeprefix("Value error, ")
        raise ValueError(f"{field}: {problem}" if field else problem) from exc
    return kind(config, folder)
