"""`absah jobs`: the work at validations that were accepted for later."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable
from typing import Any

import click

import absah
from absah.admin.v1 import admin_service_pb2 as pb2
from absah_ops import calling, showing
from absah_ops.failing import Failing

STATES = ["waiting", "running", "succeeded", "failed", "cancelled"]
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@click.group(cls=Failing)
def jobs() -> None:
    """See to jobs: list, show, retry, cancel, purge.

    A job is the work at one validation. NAME is as "jobs/4711", the number alone, or the
    validation's name. What you change is written to the audit log under your name.
    """


@jobs.command("list")
@click.option("--state", type=click.Choice(STATES))
@click.option("--policy", default="", help="Such as field-report, or field-report@1.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@calling.server_options
@calling.json_option
def list_(
    state: str | None,
    policy: str,
    limit: int,
    server: str,
    tenant: str,
    actor: str | None,
    as_json: bool,
) -> None:
    """List jobs, the newest first."""
    with calling.admin(server, tenant, actor) as admin:
        found = list(admin.jobs(state=(state or "").upper(), policy=policy, limit=limit))
    if as_json:
        _print(found)
        return
    showing.table(
        ("job", "validation", "policy", "state", "priority", "attempts", "last", "since"),
        [_row(absah.to_dict(job)) for job in found],
    )


def _row(job: dict[str, Any]) -> tuple[str, ...]:
    last = job.get("last_attempt", {})
    outcome = last.get("outcome", "UNSPECIFIED")
    return (
        job["name"].removeprefix("jobs/"),
        job["validation"],
        job["policy"],
        job["state"],
        job["priority"],
        str(job["attempt_count"]),
        "" if outcome == "UNSPECIFIED" else outcome,
        _time(last.get("start_time") or job["create_time"]),
    )


@jobs.command()
@click.argument("name")
@calling.server_options
@calling.json_option
def show(name: str, server: str, tenant: str, actor: str | None, as_json: bool) -> None:
    """Show a job and every attempt at it: by which worker, how it ended and why."""
    with calling.admin(server, tenant, actor) as admin:
        _show(admin.job(_named(admin, name)), as_json)


@jobs.command()
@click.argument("name")
@calling.server_options
@calling.json_option
def retry(name: str, server: str, tenant: str, actor: str | None, as_json: bool) -> None:
    """Try again what FAILED, or at once what waits to be tried again."""
    with calling.admin(server, tenant, actor) as admin:
        _show(admin.retry_job(_named(admin, name)), as_json)


@jobs.command()
@click.argument("name")
@calling.server_options
@calling.json_option
def cancel(name: str, server: str, tenant: str, actor: str | None, as_json: bool) -> None:
    """Cancel a job, its validation, and the checks that are under way."""
    with calling.admin(server, tenant, actor) as admin:
        _show(admin.cancel_job(_named(admin, name)), as_json)


def _seconds(ctx: click.Context, param: click.Parameter, written: str) -> float:
    match = re.fullmatch(r"(\d+)([smhd])", written)
    if match is None:
        raise click.BadParameter(f'{written!r} is no time span; such as "90m", "12h" or "7d" is')
    return float(int(match[1]) * UNIT_SECONDS[match[2]])


@jobs.command()
@click.option("--older-than", callback=_seconds, default="7d", show_default=True, metavar="AGE")
@click.option(
    "--state",
    "states",
    type=click.Choice(["succeeded", "failed", "cancelled"]),
    multiple=True,
    help="May be repeated.  [default: succeeded and cancelled]",
)
@calling.server_options
@calling.json_option
def purge(
    older_than: float,
    states: tuple[str, ...],
    server: str,
    tenant: str,
    actor: str | None,
    as_json: bool,
) -> None:
    """Remove jobs that ended. Validations, attempts and the audit log stay.

    A FAILED job that is removed cannot be retried any more.
    """
    with calling.admin(server, tenant, actor) as admin:
        count = admin.purge_jobs(
            older_than_seconds=older_than, states=[state.upper() for state in states]
        )
    click.echo(json.dumps({"purged_jobs": count}) if as_json else f"{count:,} jobs removed")


def _named(admin: absah.AdminClient, name: str) -> str:
    if not name.startswith("validations/"):
        return f"jobs/{name.removeprefix('jobs/')}"
    found = list(admin.jobs(validation=name, limit=1))
    if not found:
        raise click.ClickException(f"there is no job of {name}; it may have been purged")
    return str(found[0].name)


def _show(job: pb2.Job, as_json: bool) -> None:
    if as_json:
        _print([job])
        return
    plain = absah.to_dict(job)
    facts = [
        ("job", plain["name"]),
        ("validation", plain["validation"]),
        ("policy", plain["policy"]),
        ("state", plain["state"]),
        ("priority", plain["priority"]),
        ("accepted", _time(plain["create_time"])),
        ("next attempt", _time(plain.get("schedule_time", ""))),
        ("lock", plain["lock"]),
    ]
    showing.table(("", ""), [fact for fact in facts if fact[1]])
    if plain["attempts"]:
        showing.table(
            ("attempt", "worker", "from", "to", "outcome", "why"),
            [_attempt(attempt) for attempt in plain["attempts"]],
        )


def _attempt(attempt: dict[str, Any]) -> tuple[str, ...]:
    running = attempt["outcome"] == "UNSPECIFIED"
    return (
        str(attempt["number"]),
        attempt["worker"],
        _time(attempt["start_time"]),
        _time(attempt.get("end_time", "")),
        "RUNNING" if running else attempt["outcome"],
        attempt.get("error", {}).get("message", ""),
    )


def _time(written: str) -> str:
    """A time of the JSON form as people read it, in their own time zone; empty stays so."""
    if not written:
        return ""
    moment = datetime.datetime.fromisoformat(written)
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _print(found: Iterable[pb2.Job]) -> None:
    for job in found:
        click.echo(json.dumps(absah.to_dict(job), ensure_ascii=False))
