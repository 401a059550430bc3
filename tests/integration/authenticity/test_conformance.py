"""The authenticity checker keeps every promise that the platform relies on."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import ClassVar

from integration.authenticity.alone import open_alone
from unit.authenticity import signing
from unit.authenticity.pictures import draw_photo, save_picture

from absah_authenticity.checker import AuthenticityChecker
from absah_sdk.testing import CheckerConformance
from absah_server.harness import Harness

PHOTO = save_picture(draw_photo(480, 360), quality=92)


class TestAuthenticity(CheckerConformance):
    checker = AuthenticityChecker
    samples: ClassVar = {
        "photo": PHOTO,
        "png": save_picture(draw_photo(200, 150, seed=1), "PNG"),
        "signed": signing.sign(PHOTO),
        "speck": save_picture(draw_photo(20, 14, seed=2), "PNG"),
    }

    def open(self) -> AbstractAsyncContextManager[Harness]:
        return open_alone()
