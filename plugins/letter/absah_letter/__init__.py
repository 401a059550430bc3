"""Read Indonesian official letters (naskah dinas)."""

from collections.abc import Sequence

from absah_letter.checker import LetterChecker
from absah_sdk import Checker, hookimpl


@hookimpl
def absah_checkers() -> Sequence[type[Checker]]:
    """The checker `letter`."""
    return [LetterChecker]
