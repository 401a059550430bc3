"""`absah models shadow`: try a version on live requests without letting it answer."""

from __future__ import annotations

import json
from typing import Any

import click

import absah
from absah.admin.v1 import admin_service_pb2
from absah_ops import showing
from absah_ops.listing import json_option
from absah_ops.models import addresses, rollouts
from absah_sdk import AbsahError
from absah_server.core.models import Candidate, Mode, Rollout


@click.group()
def shadow() -> None:
    """Try a version beside the current one, on a share of the live requests.

    The candidate runs after the answer is given, on what time others leave, and is dropped when
    the machine is busy; no request waits for it or fails by it.
    """


@shadow.command()
@addresses.versioned_argument
@click.option(
    "--share",
    type=rollouts.Finite(0, 1, min_open=True),
    default=0.1,
    show_default=True,
    help="Of the requests, 0 to 1.",
)
@addresses.reason_option
@addresses.server_option
def start(address: str, share: float, reason: str, server: str | None) -> None:
    """Begin to run a version beside the current one."""
    found = addresses.parse_versioned(address)
    before = rollouts.now(found.directory, server)
    if found.version == before.current:
        raise AbsahError(f"version {found.version} of {found.model} serves already")
    wanted = Rollout(
        current=before.current,
        previous=before.previous,
        candidate=Candidate(version=found.version, mode=Mode.SHADOW, share=share),
    )
    digests = {found.version: addresses.stored(found).digest}
    rollouts.change(
        found.directory, wanted, action="shadow", reason=reason, server=server, digests=digests
    )
    click.echo(f"{found.model}: now {rollouts.in_words(wanted)}")


@shadow.command()
@addresses.model_argument
@addresses.reason_option
@addresses.server_option
def stop(model: str, reason: str, server: str | None) -> None:
    """End the trial of a version in shadow mode."""
    found = addresses.parse(model)
    before = rollouts.now(found.directory, server)
    if before.candidate is None or before.candidate.mode is not Mode.SHADOW:
        raise AbsahError(f"no version of {found.model} is on trial in shadow mode")
    now = rollouts.roll_back(found.directory, reason=reason, server=server)
    click.echo(f"{found.model}: now {rollouts.in_words(now)}")


@shadow.command()
@addresses.model_argument
@addresses.running_option
@json_option
def report(model: str, server: str, as_json: bool) -> None:
    """Show how the candidate agreed with the current version so far."""
    with absah.AdminClient(server) as admin:
        found = admin.shadow_report(model)
    if as_json:
        click.echo(json.dumps(absah.to_dict(found), ensure_ascii=False))
        return
    click.echo(
        f"{model}: version {found.candidate} beside {found.current} "
        f"since {found.start_time.ToDatetime():%Y-%m-%d %H:%M} UTC"
    )
    click.echo(
        f"{found.drawn} requests drawn: {found.compared} compared, {found.dropped} dropped "
        f"since others had precedence, {found.failed} failed"
    )
    if not found.compared:
        return
    click.echo(
        f"Mean time: current {_milliseconds(found.current_latency)}, "
        f"candidate {_milliseconds(found.candidate_latency)} on what time others leave"
    )
    headings = (
        "output",
        "requests within tolerance",
        "largest difference",
        "mean difference",
        "same argmax",
        "other shape",
    )
    showing.table(headings, [_row(output) for output in found.outputs])
    click.echo(
        f"Within tolerance: no element differs by more than {found.absolute_tolerance:g} "
        f"+ {found.relative_tolerance:.0%} of its value"
    )


def _row(output: admin_service_pb2.OutputAgreement) -> tuple[str, ...]:
    return (
        output.output,
        f"{output.within_tolerance:.1%}",
        f"{output.max_difference:.4g}",
        f"{output.mean_difference:.4g}",
        f"{output.same_argmax:.2%}" if output.HasField("same_argmax") else "",
        str(output.different_shapes),
    )


def _milliseconds(duration: Any) -> str:
    return f"{duration.ToTimedelta().total_seconds() * 1000:.1f} ms"
