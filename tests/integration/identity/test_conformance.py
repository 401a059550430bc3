"""The checker `identity` keeps every promise that the platform relies on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import ClassVar

from PIL import Image

from absah_identity.checker import IdentityChecker
from absah_ops.specimens import cards, cases, people
from absah_sdk.testing import CheckerConformance, Harness
from absah_server.harness import open_harness


class TestConformance(CheckerConformance):
    checker = IdentityChecker
    samples: ClassVar[Mapping[str, bytes | str]] = {
        "card": cases.jpeg(cards.draw_identity_card(people.make_person(5))),
        "no card": cases.jpeg(Image.new("RGB", (400, 300), "white")),
    }

    def open(self) -> AbstractAsyncContextManager[Harness]:
        return open_harness("identity")
