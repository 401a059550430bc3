"""`absah reviews`: decide what a policy left to a person."""

from __future__ import annotations

import json
from typing import Any

import click

import absah
from absah.v1 import check_result_pb2, review_service_pb2, validation_pb2
from absah_ops import calling, showing
from absah_ops.failing import Failing

MAX_FINDINGS = 40
"""Shown to a person; the JSON form has them all."""


@click.group(cls=Failing)
def reviews() -> None:
    """Decide what a policy left to a person: list, show, claim, decide.

    A decision joins the record beside the machine's verdict, which stays as it is. NAME is as
    "reviews/0192f0c1…", or the digits alone.
    """


@reviews.command("list")
@click.option("--state", type=click.Choice(["waiting", "claimed", "decided"]), default=None)
@click.option("--policy", default="", help="Such as field-report, or field-report@1.")
@click.option("--reviewer", default="", metavar="NAME", help="Who has claimed or decided them.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@calling.server_options
@calling.json_option
def list_(
    state: str | None,
    policy: str,
    reviewer: str,
    limit: int,
    server: str,
    tenant: str,
    actor: str | None,
    as_json: bool,
) -> None:
    """List those that wait or are claimed, the longest waiting first."""
    with calling.client(server, tenant, actor) as client:
        found = list(
            client.reviews(state=state or "", policy=policy, reviewer=reviewer, limit=limit)
        )
    if as_json:
        for review in found:
            click.echo(json.dumps(absah.to_dict(review), ensure_ascii=False))
        return
    showing.table(
        ("review", "policy", "state", "reviewer", "since", "decision"),
        [_row(absah.to_dict(review)) for review in found],
    )


def _row(review: dict[str, Any]) -> tuple[str, ...]:
    return (
        review["name"],
        review["policy"],
        review["state"],
        review["reviewer"],
        review["create_time"][:19].replace("T", " "),
        review.get("human_decision", {}).get("decision", ""),
    )


@reviews.command()
@click.argument("name")
@calling.server_options
@calling.json_option
def show(name: str, server: str, tenant: str, actor: str | None, as_json: bool) -> None:
    """Show what the policy said, in Indonesian and English, and what it rests on."""
    with calling.client(server, tenant, actor) as client:
        review = client.review(_named(name))
        validation = client.validation(review.validation)
    if as_json:
        plain = {**absah.to_dict(review), "validation": absah.to_dict(validation)}
        click.echo(json.dumps(plain, ensure_ascii=False))
        return
    showing.validation(validation)
    _show_findings(validation)
    _show_state(review)


def _show_findings(validation: validation_pb2.Validation) -> None:
    """The findings that the reasons rest on, in words."""
    results = {(r.checker, r.document): r for r in validation.check_results}
    meant = {
        (f.checker, f.document, f.index) for r in validation.verdict.reasons for f in r.findings
    }
    if not meant:
        return
    console = showing.console()
    console.print("\n[bold]Findings that this rests on[/]")
    for checker, document, index in sorted(meant)[:MAX_FINDINGS]:
        result = results.get((checker, document))
        if result is not None and index < len(result.findings):
            finding = result.findings[index]
            console.print(f"● {finding.message or finding.code}{_where(finding)}", markup=False)
            console.print(f"  {finding.code} ← {checker} on {document}", style="dim", markup=False)
    if len(meant) > MAX_FINDINGS:
        console.print(f"and {len(meant) - MAX_FINDINGS} more; --json has them all")


def _where(finding: check_result_pb2.Finding) -> str:
    return f", page {finding.region.page}" if finding.HasField("region") else ""


def _show_state(review: review_service_pb2.Review) -> None:
    plain = absah.to_dict(review)
    console = showing.console()
    console.print()
    if review.HasField("human_decision"):
        decided = plain["human_decision"]
        style = showing.DECISION_STYLES[decided["decision"]]
        console.print(f"[{style} reverse] {decided['decision']} [/]", end="")
        console.print(f"  by {decided['reviewer']}: {decided['reason']}", markup=False)
    elif plain["state"] == "CLAIMED":
        until = plain["claim_expire_time"][:19].replace("T", " ")
        console.print(f"claimed by {plain['reviewer']} until {until} UTC", markup=False)
    else:
        console.print(f"waits for a person: absah reviews claim {review.name}", markup=False)


@reviews.command()
@click.argument("name")
@calling.server_options
@calling.json_option
def claim(name: str, server: str, tenant: str, actor: str | None, as_json: bool) -> None:
    """Take a review for yourself, for a time; again to prolong that."""
    with calling.client(server, tenant, actor) as client:
        _tell(client.claim_review(_named(name)), as_json)


@reviews.command()
@click.argument("name")
@calling.server_options
@calling.json_option
def release(name: str, server: str, tenant: str, actor: str | None, as_json: bool) -> None:
    """Give a claimed review back."""
    with calling.client(server, tenant, actor) as client:
        _tell(client.release_review(_named(name)), as_json)


@reviews.command()
@click.argument("name")
@click.argument("decision", type=click.Choice(["accept", "reject"]))
@click.option("--reason", required=True, help="Why, in your words; part of the record.")
@calling.server_options
@calling.json_option
def decide(
    name: str,
    decision: str,
    reason: str,
    server: str,
    tenant: str,
    actor: str | None,
    as_json: bool,
) -> None:
    """Decide a review that you have claimed, for good."""
    with calling.client(server, tenant, actor) as client:
        _tell(client.decide_review(_named(name), decision, reason=reason), as_json)


def _tell(review: review_service_pb2.Review, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(absah.to_dict(review), ensure_ascii=False))
    else:
        _show_state(review)


def _named(name: str) -> str:
    return name if "/" in name else f"reviews/{name}"
