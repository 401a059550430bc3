"""The hook by which plugins add codecs to the bridge.

A plugin is a module named by an entry point of the group `absah_bridge`:

    [project.entry-points.absah_bridge]
    edifact = "absah_edifact"
"""

from __future__ import annotations

from collections.abc import Mapping

import pluggy

from absah_bridge.codecs import CodecKind

PROJECT = "absah_bridge"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def absah_bridge_codecs() -> Mapping[str, CodecKind]:  # type: ignore[empty-body]
    """The codecs that this plugin provides, by the `kind` that bridge.yaml names them by."""
