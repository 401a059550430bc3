"""`absah triton`: a Triton server from pip over a model repository."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click


@click.group()
def triton() -> None:
    """Serve the models from a Triton server, without Docker or a GPU."""


@triton.command()
@click.option(
    "--model-repository",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Models to serve.  [default: that of the settings, which come with absah]",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--grpc-port", type=click.IntRange(1, 65535), default=8001, show_default=True)
@click.option("--http-port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--metrics-port", type=click.IntRange(1, 65535), default=8002, show_default=True)
@click.option(
    "--model", "models", multiple=True, help="Load only this one at start; may be repeated."
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Of one execution, for models whose config does not say.",
)
@click.option("--verbose", is_flag=True, help="Show all that Triton logs, not warnings alone.")
def serve(
    model_repository: Path | None,
    host: str,
    grpc_port: int,
    http_port: int,
    metrics_port: int,
    models: tuple[str, ...],
    threads: int,
    verbose: bool,
) -> None:
    """Run Triton until SIGTERM or Ctrl-C; `absah serve --inference triton` is its client.

    The first run installs it from pip into an environment of its own in the user's cache, which
    takes a minute. Models may be loaded and unloaded while it runs. Its log goes to standard
    error.
    """
    from absah_ops.triton import environment, server
    from absah_server.settings import Settings

    with _steps() as tell:
        installed = environment.prepare(tell)
    options = server.Options(
        repository=model_repository or Settings().inference.model_repository,
        host=host,
        grpc_port=grpc_port,
        http_port=http_port,
        metrics_port=metrics_port,
        load=models or ("*",),
        threads=threads,
        verbose=verbose,
    )
    stopped = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: stopped.append(number))
    running = server.TritonServer(installed, options, sys.stderr.buffer)
    try:
        running.wait_ready(until=lambda: bool(stopped))
        if not stopped:
            click.echo(f"triton is serving on {running.grpc_address}")
        while not stopped and running.poll() is None:
            time.sleep(0.1)
    finally:
        code = running.end()
    if code and not stopped:
        raise server.TritonFailed(f"tritonserver ended with {code}; its log says why")


@contextmanager
def _steps() -> Iterator[Callable[[str], None]]:
    """Show what the first run does meanwhile: it takes a minute."""
    from rich.console import Console

    errors = Console(stderr=True)
    if not errors.is_terminal:
        yield lambda step: click.echo(f"{step} …", err=True)
        return
    with errors.status("looking for Triton …") as status:
        yield lambda step: status.update(f"{step} …")
