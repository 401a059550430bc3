"""`absah doctor`: what is reachable, what is missing, how to mend it."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from absah_ops import showing
from absah_ops.diagnosing import bridging, diagnosis, keeping, machine, models, serving
from absah_ops.diagnosing.diagnosis import Diagnosis, Look
from absah_ops.failing import explain
from absah_server.settings import Settings

BRIDGE = Path("bridge.yaml")


@click.command()
@click.option("--server", envvar="ABSAH_SERVER", metavar="HOST:PORT", help="Look at this server.")
@click.option(
    "--bridge",
    "bridge_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="ABSAH_BRIDGE",
    help="Look at this bridge's broker and queues.  [default: bridge.yaml, where there is one]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def doctor(server: str | None, bridge_file: Path | None, as_json: bool) -> None:
    """Look at everything that a server needs, and say how to mend what is missing.

    Nothing is changed: no database is made, no queue, no file. Exits with 1 if something that is
    needed is missing.
    """
    # As in `absah serve`: gRPC's handlers of fork() may crash a child.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    # What is wrong is told in the table, in words; not by those who noticed it.
    logging.getLogger().addHandler(logging.NullHandler())
    found = list(_found(server, bridge_file or (BRIDGE if BRIDGE.is_file() else None)))
    if as_json:
        for each in found:
            click.echo(json.dumps(asdict(each), ensure_ascii=False))
    else:
        rows = [(d.word, d.what, d.found, d.mend if not d.ok else "") for d in found]
        showing.table(("ok", "what", "found", "how to mend it"), rows)
    if not all(d.ok or d.optional for d in found):
        sys.exit(1)


def _found(server: str | None, bridge_file: Path | None) -> Iterator[Diagnosis]:
    yield machine.python()
    looks: list[Look] = []
    try:
        settings = Settings()
    except Exception as exc:
        message = explain(exc)
        if message is None:
            raise
        mend = "mend absah.toml or the ABSAH_* variables; then look again for what they say"
        yield Diagnosis(what="settings", ok=False, found=message, mend=mend)
    else:
        told = f"{settings.host}:{settings.port}, policies and limits fit"
        yield Diagnosis(what="settings", ok=True, found=told)
        looks += [*models.looks(settings), *keeping.looks(settings), *machine.looks(settings)]
    if bridge_file:
        looks += bridging.looks(bridge_file)
    if server:
        looks += serving.looks(server)
    if looks:
        yield from diagnosis.found(looks)
