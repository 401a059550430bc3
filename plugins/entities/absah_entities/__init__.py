"""The plugin of the checker `entities`."""

from __future__ import annotations

from collections.abc import Sequence

from absah_sdk import Checker, hookimpl


@hookimpl
def absah_checkers() -> Sequence[type[Checker]]:
    # Imported here, so that training can use the tokenizer without all that the checker needs.
    from absah_entities.checker import EntitiesChecker

    return (EntitiesChecker,)
