"""A worker that dies while its validation is cancelled leaves no attempt that never ends."""

from __future__ import annotations

from pathlib import Path

from durable import (
    STALLED_SOON,
    durable_server,
    durable_settings,
    eventually,
    outcomes,
    rows,
    worker_process,
)

from absah.v1 import validation_pb2


async def test_an_attempt_of_a_dead_worker_at_a_cancelled_validation_is_lost(
    tmp_path: Path, database_url: str
) -> None:
    settings = durable_settings(
        tmp_path, database_url, jobs={"stalled_after_seconds": STALLED_SOON}
    )
    serving = durable_settings(tmp_path, database_url, jobs={"workers": 0})
    async with durable_server(serving) as caller:
        async with worker_process(settings) as process:
            created = await caller.create("30", "slow")
            await caller.until(created.name, validation_pb2.STATE_RUNNING)
            process.kill()
            await process.wait()
        await caller.cancel(created.name)
        assert outcomes(database_url, created.name) == [None]
        async with worker_process(settings):
            await eventually(lambda: outcomes(database_url, created.name) == ["LOST"])
    assert rows(database_url, "select status from procrastinate_jobs") == [{"status": "aborted"}]
