"""A long text is examined as far as the setting says, and fills no queue while it is."""

from __future__ import annotations

from absah_sdk import Outcome
from absah_server.harness import open_harness
from absah_server.settings import Settings


async def test_a_text_of_thousands_of_windows_overloads_nothing() -> None:
    settings = Settings(checkers={"entities": {"max_characters": 12_000}})
    text = "Budi. Siti. Rp1. " * 2_000
    async with open_harness("entities", settings) as harness:
        checked = await harness.check(text)
    assert checked.fault is None
    assert checked.result.outcome is Outcome.PASS
    assert checked.result.facts["truncated"] is True
    assert len(checked.result.facts["text"]) == 12_000


async def test_where_time_is_short_as_much_is_read_as_there_is_time_for() -> None:
    text = "Budi Santoso bertemu Siti Rahayu di Bandung. " * 1_300
    settings = Settings(checkers={"entities": {"max_windows": 60}})
    async with open_harness("entities", settings) as harness:
        checked = await harness.check(text, timeout_seconds=10)
    assert checked.fault is None
    assert checked.result.outcome is Outcome.PASS
    assert checked.result.facts["truncated"] is True
    assert any(finding.code == "PER" for finding in checked.result.findings)
