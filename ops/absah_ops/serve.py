"""`absah serve`: the server, with embedded defaults."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from absah_server.settings import Settings


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
@click.option(
    "--inference",
    "backend",
    type=click.Choice(["local", "triton"]),
    help="Run models in this process or on Triton servers.  [default: local]",
)
@click.option(
    "--triton",
    metavar="HOST:PORT[,…]",
    help="Triton servers of the model repository.  [default: 127.0.0.1:8001]",
)
def serve(
    host: str | None,
    port: int | None,
    model_repository: Path | None,
    policies: Path | None,
    backend: str | None,
    triton: str | None,
) -> None:
    """Serve validations over gRPC until SIGTERM or Ctrl-C.

    Settings come from absah.toml (or the file that ABSAH_SETTINGS names) and, over it, from
    ABSAH_* environment variables; options here go over both. Logs go to standard error.
    """
    # Before gRPC is imported: its handlers of fork() may crash the child that is to become an
    # embedded PostgreSQL, when that must be started anew.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    from absah_server import allocation, app
    from absah_server.settings import Settings
    from absah_server.telemetry import logs

    given: dict[str, Any] = {"host": host, "port": port, "policies": policies}
    settings = Settings(**{key: value for key, value in given.items() if value is not None})
    settings = _with_inference(settings, model_repository, backend, triton)
    logs.start(settings.telemetry.log_level)
    allocation.return_large_blocks()

    def ready(bound: int) -> None:
        click.echo(f"absah is serving on {settings.host}:{bound}")
        sys.stdout.flush()

    asyncio.run(app.serve(settings, ready=ready))


def _with_inference(
    settings: Settings, model_repository: Path | None, backend: str | None, triton: str | None
) -> Settings:
    changes: dict[str, Any] = {}
    if model_repository:
        changes["model_repository"] = model_repository
    if backend or triton:
        changes["backend"] = backend or "triton"
    if triton:
        addresses = tuple(address.strip() for address in triton.split(",") if address.strip())
        changes["triton"] = settings.inference.triton.model_copy(update={"addresses": addresses})
    inference = settings.inference.model_copy(update=changes)
    return settings.model_copy(update={"inference": inference})
