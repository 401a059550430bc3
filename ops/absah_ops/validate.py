"""`absah validate`: one validation, its verdict for people or for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

import absah
from absah.v1 import validation_pb2
from absah_ops import showing

EXIT_CODES = {
    validation_pb2.DECISION_ACCEPT: 0,
    validation_pb2.DECISION_REVIEW: 3,
    validation_pb2.DECISION_REJECT: 4,
}


def pairs(values: Sequence[str], what: str) -> list[tuple[str, str]]:
    """Split NAME=VALUE arguments; raises click.UsageError."""
    split = []
    for value in values:
        name, equals, rest = value.partition("=")
        if not name or not equals or not rest:
            raise click.UsageError(f"{value!r} is no {what}")
        split.append((name, rest))
    return split


@click.command()
@click.argument("documents", nargs=-1, required=True, metavar="ROLE=FILE…")
@click.option("--policy", default="", help="Such as field-report, or field-report@1.")
@click.option("--checker", "checkers", multiple=True, help="Run this checker instead of a policy.")
@click.option("--claim", "claims", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@click.option("--request-id", default="", help="Your own id for the request.")
@click.option("--priority", type=click.Choice(["low", "normal", "high"]), default="normal")
@click.option("--timeout", type=float, default=60.0, show_default=True, help="Seconds.")
@click.option(
    "--server",
    envvar="ABSAH_SERVER",
    metavar="HOST:PORT",
    help="A running server.  [default: one is started for this command]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the validation as JSON.")
def validate(
    documents: Sequence[str],
    policy: str,
    checkers: Sequence[str],
    claims: Sequence[str],
    request_id: str,
    priority: str,
    timeout: float,
    server: str | None,
    as_json: bool,
) -> None:
    """Validate documents and claims.

    \b
    absah validate --policy field-report photo=evidence.jpg letter=scan.pdf \\
        report=report.txt --claim nik=3201011508950001

    Exits with 0 for ACCEPT, 3 for REVIEW, 4 for REJECT; with --checker, 0.
    """
    by_role: dict[str, list[Any]] = {}
    for role, file in pairs(documents, "ROLE=FILE"):
        by_role.setdefault(role, []).append(Path(file))
    message = absah.request(
        policy,
        by_role,
        checkers=checkers,
        claims=dict(pairs(claims, "NAME=VALUE")),
        request_id=request_id,
        priority=priority,
    )
    validation = send(message, server, timeout_seconds=timeout, quiet=as_json)
    if as_json:
        click.echo(json.dumps(absah.to_dict(validation), ensure_ascii=False))
    else:
        showing.validation(validation)
    sys.exit(EXIT_CODES.get(validation.verdict.decision, 0))


def send(
    message: Any, server: str | None, *, timeout_seconds: float, quiet: bool
) -> validation_pb2.Validation:
    """Send to `server`, or to one started for it."""
    with ExitStack() as stack:
        if server is None:
            from absah_ops import embedded

            with showing.waiting("Starting a server", quiet=quiet):
                server = stack.enter_context(embedded.server())
        client = stack.enter_context(absah.Client(server))
        with showing.waiting("Validating", quiet=quiet):
            return client.send(message, timeout_seconds=timeout_seconds)
