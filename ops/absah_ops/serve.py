"""`absah serve`: the server, with embedded defaults."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import click


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="0 takes a free one.  [default: 50051]")
@click.option(
    "--model-repository",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Models to serve.  [default: those that come with absah]",
)
@click.option(
    "--policies",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of policies.  [default: those that come with absah]",
)
def serve(
    host: str | None, port: int | None, model_repository: Path | None, policies: Path | None
) -> None:
    """Serve validations over gRPC until SIGTERM or Ctrl-C.

    Settings come from absah.toml (or the file that ABSAH_SETTINGS names) and, over it, from
    ABSAH_* environment variables; options here go over both. Logs go to standard error.
    """
    from absah_server import app
    from absah_server.settings import Settings
    from absah_server.telemetry import logs

    given: dict[str, Any] = {"host": host, "port": port, "policies": policies}
    settings = Settings(**{key: value for key, value in given.items() if value is not None})
    if model_repository:
        inference = settings.inference.model_copy(update={"model_repository": model_repository})
        settings = settings.model_copy(update={"inference": inference})
    logs.start(settings.telemetry.log_level)

    def ready(bound: int) -> None:
        click.echo(f"absah is serving on {settings.host}:{bound}")
        sys.stdout.flush()

    asyncio.run(app.serve(settings, ready=ready))
