"""The checker `entities` keeps every promise that the platform relies on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import ClassVar

from absah_entities.checker import EntitiesChecker
from absah_ops.specimens import cases, people, reports
from absah_sdk.testing import CheckerConformance, Harness
from absah_server.harness import open_harness


class TestConformance(CheckerConformance):
    checker = EntitiesChecker
    samples: ClassVar[Mapping[str, bytes | str]] = {
        "report": reports.make_report(people.make_person(5), seed=5).text,
        "capitals": "RAPAT DIPIMPIN OLEH BUDI SANTOSO DI KOTA BANDUNG PADA 12 MARET 2026",
        "card": next(iter(cases.make_case(5).files["identity"].values())),
    }

    def open(self) -> AbstractAsyncContextManager[Harness]:
        return open_harness("entities")
