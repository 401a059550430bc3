"""`absah validations replay`: run a validation again and tell what differs."""

from __future__ import annotations

import json
import sys

import click

import absah
from absah_ops import calling, showing


@click.command()
@click.argument("name")
@click.option("--timeout", type=float, default=300.0, show_default=True, help="Seconds.")
@calling.server_options
@calling.json_option
def replay(
    name: str, timeout: float, server: str, tenant: str, actor: str | None, as_json: bool
) -> None:
    """Run an ended validation again, and tell what differs.

    It runs on the documents that are kept, with the checkers and models of now. NAME is as
    "validations/0192f0c1…", or the digits alone. Nothing of it is recorded but that it was done.
    Exits with 1 where the decision differs.
    """
    name = name if "/" in name else f"validations/{name}"
    with (
        calling.client(server, tenant, actor) as client,
        showing.waiting("Running it again", quiet=as_json),
    ):
        answer = client.replay_validation(name, timeout_seconds=timeout)
    differences = [absah.to_dict(difference) for difference in answer.differences]
    if as_json:
        decision = absah.to_dict(answer.validation).get("verdict", {}).get("decision", "")
        click.echo(json.dumps({"decision": decision, "differences": differences}))
    elif differences:
        showing.table(
            ("where", "recorded", "replayed"),
            [(d["path"], d["recorded"], d["replayed"]) for d in differences],
        )
    else:
        click.echo("nothing differs")
    sys.exit(any(d["path"] == "verdict.decision" for d in differences))
