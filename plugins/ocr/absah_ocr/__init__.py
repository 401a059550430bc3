"""Reads text from images and PDF pages."""

from __future__ import annotations

from collections.abc import Sequence

import absah_sdk
from absah_ocr.checker import OcrChecker
from absah_sdk import Checker


@absah_sdk.hookimpl
def absah_checkers() -> Sequence[type[Checker]]:
    """The checker `ocr`."""
    return (OcrChecker,)
