"""`absah validations`: what was accepted or recorded, and how it stands."""

from __future__ import annotations

import datetime
import itertools
import json
from typing import Any

import click

import absah
from absah.v1 import check_result_pb2, validation_pb2
from absah_ops import calling, showing
from absah_ops.failing import Failing
from absah_ops.replay import replay

STATES = ["pending", "running", "succeeded", "failed", "cancelled"]
DECISIONS = ["accept", "review", "reject"]
TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]


@click.group(cls=Failing)
def validations() -> None:
    """See what was accepted or recorded: list, show, cancel, replay.

    NAME is as "validations/0192f0c1…", or the digits alone.
    """


validations.add_command(replay)


@validations.command("list")
@click.option("--state", type=click.Choice(STATES))
@click.option("--decision", type=click.Choice(DECISIONS))
@click.option("--policy", default="", help="Such as field-report, or field-report@1.")
@click.option("--request-id", default="", help="The sender's own id.")
@click.option("--since", type=click.DateTime(TIMES), help="Created then or later, in UTC.")
@click.option("--until", type=click.DateTime(TIMES), help="Created before then, in UTC.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@calling.server_options
@calling.json_option
def list_(
    state: str | None,
    decision: str | None,
    policy: str,
    request_id: str,
    since: datetime.datetime | None,
    until: datetime.datetime | None,
    limit: int,
    server: str,
    tenant: str,
    actor: str | None,
    as_json: bool,
) -> None:
    """List validations, the newest first."""
    with calling.client(server, tenant, actor) as client:
        found = client.validations(
            state=state or "",
            decision=decision or "",
            policy=policy,
            request_id=request_id,
            start_time=since,
            end_time=until,
            page_size=min(limit, 100),
        )
        shown = list(itertools.islice(found, limit))
    if as_json:
        for each in shown:
            _print(each)
        return
    showing.table(
        ("validation", "policy", "state", "decision", "request id", "created"),
        [_row(absah.to_dict(each)) for each in shown],
    )


def _row(plain: dict[str, Any]) -> tuple[str, ...]:
    return (
        plain["name"].removeprefix("validations/"),
        plain["record"]["policy"],
        plain["state"],
        plain.get("verdict", {}).get("decision", ""),
        plain["request_id"],
        f"{plain['create_time'][:19].replace('T', ' ')} UTC",
    )


@validations.command()
@click.argument("name")
@click.option("--watch", is_flag=True, help="Show each check as it ends, until all have.")
@calling.server_options
@calling.json_option
def show(
    name: str, watch: bool, server: str, tenant: str, actor: str | None, as_json: bool
) -> None:
    """Show a validation: how it stands, its verdict, and what led to it."""
    with calling.client(server, tenant, actor) as client:
        if not watch:
            _show(client.validation(_named(name)), as_json)
            return
        event: validation_pb2.Validation | check_result_pb2.CheckResult | None = None
        for event in client.watch_validation(_named(name)):
            if as_json:
                _print(event)
            elif isinstance(event, check_result_pb2.CheckResult):
                outcome = absah.to_dict(event)["outcome"]
                click.echo(f"{event.checker} on {event.document}: {outcome}")
        if isinstance(event, validation_pb2.Validation) and not as_json:
            _show(event, as_json=False)


@validations.command()
@click.argument("name")
@calling.server_options
@calling.json_option
def cancel(name: str, server: str, tenant: str, actor: str | None, as_json: bool) -> None:
    """Cancel a validation that has not ended, and the checks that are under way."""
    with calling.client(server, tenant, actor) as client:
        _show(client.cancel_validation(_named(name)), as_json)


def _named(name: str) -> str:
    return name if "/" in name else f"validations/{name}"


def _show(pb: validation_pb2.Validation, as_json: bool) -> None:
    if as_json:
        _print(pb)
        return
    plain = absah.to_dict(pb)
    if not pb.HasField("verdict"):
        click.echo(f"{plain['state']}  {pb.name}")
    if pb.HasField("error"):
        click.echo(pb.error.message)
    if pb.HasField("human_decision"):
        decided = plain["human_decision"]
        click.echo(f"{decided['reviewer']} decided {decided['decision']}: {decided['reason']}")
    if pb.check_results:
        showing.validation(pb)


def _print(pb: validation_pb2.Validation | check_result_pb2.CheckResult) -> None:
    click.echo(json.dumps(absah.to_dict(pb), ensure_ascii=False))
