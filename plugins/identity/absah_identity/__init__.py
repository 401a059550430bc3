"""Read Indonesian identity cards (KTP) and check their numbers."""

from collections.abc import Sequence

from absah_identity.checker import IdentityChecker
from absah_sdk import Checker, hookimpl


@hookimpl
def absah_checkers() -> Sequence[type[Checker]]:
    """The checker `identity`."""
    return [IdentityChecker]
