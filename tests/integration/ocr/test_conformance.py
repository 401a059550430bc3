"""The checker `ocr` keeps every promise that the platform relies on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import ClassVar

from PIL import Image

from absah_ocr.checker import OcrChecker
from absah_ops.specimens import cases, layouts, letters, sheets
from absah_sdk.testing import CheckerConformance, Harness
from absah_server.harness import open_harness


class TestConformance(CheckerConformance):
    checker = OcrChecker
    samples: ClassVar[Mapping[str, bytes | str]] = {
        "letter": cases.jpeg(sheets.to_image(layouts.lay_out(letters.make_letter(5)))),
        "pdf": sheets.to_pdf(layouts.lay_out(letters.make_letter(6))),
        "blank": cases.jpeg(Image.new("RGB", (400, 300), "white")),
    }

    def open(self) -> AbstractAsyncContextManager[Harness]:
        return open_harness("ocr")
