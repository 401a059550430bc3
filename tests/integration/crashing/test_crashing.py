"""Whatever is killed when: what was acknowledged is there, once, with its one verdict."""

from __future__ import annotations

from pathlib import Path

from robustness.crashing import killing, suite


async def test_nothing_is_lost_or_done_twice_though_all_are_killed_at_the_worst_moments(
    tmp_path: Path,
) -> None:
    outcome = await suite.crash_shortly(tmp_path, seed=1)
    assert outcome.problems == []
    assert outcome.acknowledged > 0
    assert {victim for victim, _ in outcome.tally.struck} == {
        killing.SERVER,
        killing.WORKER,
        killing.POSTGRES,
    }
