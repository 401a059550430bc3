"""`absah worker`: a process that works at accepted validations, beside `absah serve`."""

from __future__ import annotations

import asyncio
import os
import sys

import click


@click.command()
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Validations at a time.  [default: jobs.workers of the settings]",
)
def worker(workers: int | None) -> None:
    """Work at accepted validations until SIGTERM or Ctrl-C.

    Settings are those of `absah serve`, of which it needs the same database, documents, models
    and policies. What runs at the end may take drain_seconds; what is left goes to other workers.
    Logs go to standard error.
    """
    # As in `absah serve`: gRPC's handlers of fork() may crash a child.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    from absah_server import worker_process
    from absah_server.settings import Settings
    from absah_server.telemetry import logs

    settings = Settings()
    if workers:
        jobs = settings.jobs.model_copy(update={"workers": workers})
        settings = settings.model_copy(update={"jobs": jobs})
    if not settings.jobs.workers:
        raise click.UsageError("jobs.workers is 0 in the settings; give --workers")
    logs.start(settings.telemetry.log_level)

    def ready() -> None:
        click.echo(f"absah works, {settings.jobs.workers} at a time, as process {os.getpid()}")
        sys.stdout.flush()

    asyncio.run(worker_process.work(settings, ready=ready))
