"""The checker `letter` keeps every promise that the platform relies on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import ClassVar

from absah_letter.checker import LetterChecker
from absah_ops.specimens import layouts, letters, sheets
from absah_sdk.testing import CheckerConformance, Harness
from absah_server.harness import open_harness


class TestConformance(CheckerConformance):
    checker = LetterChecker
    samples: ClassVar[Mapping[str, bytes | str]] = {
        "text": sheets.to_text(layouts.lay_out(letters.make_letter(5))),
        "pdf": sheets.to_pdf(layouts.lay_out(letters.make_letter(6))),
    }

    def open(self) -> AbstractAsyncContextManager[Harness]:
        return open_harness("letter")
