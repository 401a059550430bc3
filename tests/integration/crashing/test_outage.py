"""Without PostgreSQL requests are refused clearly, and with it all goes on by itself."""

from __future__ import annotations

from pathlib import Path

from robustness.crashing import outage


async def test_an_outage_under_load_is_told_and_ends_by_itself(tmp_path: Path) -> None:
    seen, outcome = await outage.run(tmp_path, seconds=4.0, seed=1)
    assert outcome.problems == []
    assert {probe.answer for probe in seen.of(outage.CREATE)} == {outage.REFUSED}
    assert outcome.acknowledged > 0
