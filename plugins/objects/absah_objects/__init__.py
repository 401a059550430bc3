"""The plugin `objects`: which things and how many people a photo shows."""

from __future__ import annotations

from collections.abc import Sequence

from absah_sdk import Checker, hookimpl


@hookimpl
def absah_checkers() -> Sequence[type[Checker]]:
    """The checker `objects`."""
    from absah_objects.checker import ObjectsChecker

    return [ObjectsChecker]
