"""The hooks that a plugin may implement.

A plugin is a module or package named by an entry point of the group `absah`:

    [project.entry-points.absah]
    watermark = "absah_watermark"

and implements one or more of these hooks with `@absah_sdk.hookimpl`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pluggy

from absah_sdk.checking import Checker

PROJECT = "absah"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def absah_checkers() -> Sequence[type[Checker]]:  # type: ignore[empty-body]
    """The checkers that this plugin provides."""


@hookspec
def absah_policy_functions() -> Mapping[str, Callable[..., Any]]:  # type: ignore[empty-body]
    """Functions that policies may call in CEL, by name.

    They are pure, take and return values that fit JSON, and must be quick.
    """
