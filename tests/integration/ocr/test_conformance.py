"""The checker `ocr` keeps every promise that the platform relies on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import ClassVar

from integration.ocr import pages
from integration.ocr.alone import open_alone
from PIL import Image

from absah_ocr.checker import OcrChecker
from absah_sdk.testing import CheckerConformance, Harness


class TestConformance(CheckerConformance):
    checker = OcrChecker
    samples: ClassVar[Mapping[str, bytes | str]] = {
        "card": pages.png(pages.card()),
        "pdf": pages.pdf(pages.LETTER_LINES[:2]),
        "blank": pages.png(Image.new("RGB", (200, 100), "white")),
    }

    def open(self) -> AbstractAsyncContextManager[Harness]:
        return open_alone()
