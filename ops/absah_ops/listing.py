"""`absah checkers` and `policies`: what there is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

import absah
from absah_ops import showing
from absah_server import platform
from absah_server.rpc import conversion
from absah_server.settings import Settings

server_option = click.option(
    "--server",
    envvar="ABSAH_SERVER",
    metavar="HOST:PORT",
    help="Ask a running server.  [default: look at what is installed here]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")


def print_items(
    items: Sequence[dict[str, Any]], as_json: bool, headings: Sequence[str], cells: Any
) -> None:
    if as_json:
        for item in items:
            click.echo(json.dumps(item, ensure_ascii=False))
    else:
        showing.table(headings, [cells(item) for item in items])


@click.command()
@server_option
@json_option
def checkers(server: str | None, as_json: bool) -> None:
    """List checkers: what they take, what they build on, where they come from."""
    if server:
        with absah.Client(server) as client:
            found = client.checkers()
    else:
        registered = platform.load_registry(Settings()).checkers
        found = [conversion.checker_to_proto(registered[name]) for name in sorted(registered)]
    print_items(
        [absah.to_dict(pb) for pb in found],
        as_json,
        ("checker", "version", "takes", "requires", "models", "what it does"),
        lambda item: (
            item["name"].removeprefix("checkers/"),
            item["version"],
            ", ".join(item["media_types"]),
            ", ".join(item["requires"]),
            "\n".join(item["models"]),
            item["title"],
        ),
    )


@click.command()
@click.argument("name", required=False)
@server_option
@json_option
def policies(name: str | None, server: str | None, as_json: bool) -> None:
    """List policies, or show one: its documents, claims and source."""
    if server:
        with absah.Client(server) as client:
            found = [client.policy(name)] if name else client.policies()
    else:
        settings = Settings()
        loaded = platform.load_policies(settings, platform.load_registry(settings))
        chosen = [loaded.get(name)] if name else loaded.all()
        found = [conversion.policy_to_proto(policy, with_source=bool(name)) for policy in chosen]
    if name and not as_json:
        click.echo(found[0].source, nl=False)
        return
    print_items(
        [absah.to_dict(pb) for pb in found],
        as_json,
        ("policy", "title", "documents", "claims", "checkers"),
        lambda item: (
            item["name"].removeprefix("policies/"),
            f"{item['title']['id']}\n{item['title']['en']}",
            "\n".join(f"{d['role']} {d['min_count']}–{d['max_count']}" for d in item["documents"]),
            ", ".join(c["claim"] for c in item["claims"]),
            ", ".join(item["checkers"]),
        ),
    )
