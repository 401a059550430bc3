"""The authenticity checker: signs of tampering in a picture, and Content Credentials."""

from __future__ import annotations

from collections.abc import Sequence

from absah_authenticity.checker import AuthenticityChecker
from absah_sdk import Checker, hookimpl


@hookimpl
def absah_checkers() -> Sequence[type[Checker]]:
    """Provide the one checker of this plugin."""
    return [AuthenticityChecker]
