"""What a job costs: a trivial validation, end to end, against procrastinate's own no-op."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from measuring import HERE, Figure, alternate, ask, line_of, process

from absah_server.store import migrations
from absah_server.store.database import Database
from absah_server.store.embedded import EmbeddedPostgres

JOBS = 2000


def jobs_vs_procrastinate() -> Figure:
    """Jobs a second, from the start of a worker to the end of the last job that waited for it."""
    with tempfile.TemporaryDirectory() as folder:
        embedded = EmbeddedPostgres(Path(folder) / "postgres")
        url = embedded.start()
        try:
            asyncio.run(_migrate(url))
            rates = _alternating(url, folder)
        finally:
            embedded.close()
    return Figure(
        name="jobs_vs_procrastinate",
        ours=rates[0],
        theirs=rates[1],
        unit="jobs/s",
        at_least=0.6,
        note="a check of a text, with its verdict recorded, against a no-op in the same PostgreSQL",
    )


def _alternating(url: str, folder: str) -> tuple[float, float]:
    script = str(HERE / "job_workers.py")
    with (
        process(script, "absah", url, folder) as ours,
        process(script, "procrastinate", url, folder) as theirs,
    ):
        line_of(ours), line_of(theirs)
        return alternate(lambda: float(ask(ours, str(JOBS))), lambda: float(ask(theirs, str(JOBS))))


async def _migrate(url: str) -> None:
    database = Database(url)
    await database.open()
    try:
        await migrations.migrate(database)
    finally:
        await database.close()
