"""`absah checkers`, `policies` and `models`: what there is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

import absah
from absah_ops import showing
from absah_server import app
from absah_server.inference import repository
from absah_server.inference.engines import opening
from absah_server.rpc import conversion
from absah_server.settings import Settings

server_option = click.option(
    "--server",
    envvar="ABSAH_SERVER",
    metavar="HOST:PORT",
    help="Ask a running server.  [default: look at what is installed here]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")


def _print(
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
        registered = app.load_registry(Settings()).checkers
        found = [conversion.checker_to_proto(registered[name]) for name in sorted(registered)]
    _print(
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
        loaded = app.load_policies(settings, app.load_registry(settings))
        chosen = [loaded.get(name)] if name else loaded.all()
        found = [conversion.policy_to_proto(policy, with_source=bool(name)) for policy in chosen]
    if name and not as_json:
        click.echo(found[0].source, nl=False)
        return
    _print(
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


@click.command()
@json_option
def models(as_json: bool) -> None:
    """List the models of the repository, and what is wrong with those that cannot be served."""
    reading = opening.verify_repository(Settings().inference.model_repository)
    found = [_model(model) for model in reading.models]
    found += [{**NO_MODEL, "model": exc.model, "problem": str(exc)} for exc in reading.errors]
    _print(
        found,
        as_json,
        ("model", "version", "MB", "inputs", "outputs", "batch", "labels", "problem"),
        lambda item: (
            item["model"],
            item["version"],
            f"{item['size_bytes'] / 1e6:.1f}",
            "\n".join(item["inputs"]),
            "\n".join(item["outputs"]),
            str(item["max_batch_size"]),
            str(item["labels"]),
            item["problem"],
        ),
    )
    if reading.errors:
        raise SystemExit(1)


NO_MODEL: dict[str, Any] = {
    "model": "",
    "version": "",
    "size_bytes": 0,
    "sha256": "",
    "inputs": [],
    "outputs": [],
    "max_batch_size": 0,
    "labels": 0,
    "problem": "",
}


def _model(model: repository.StoredModel) -> dict[str, Any]:
    config = model.config
    return {
        **NO_MODEL,
        "model": model.name,
        "version": model.version,
        "size_bytes": model.file.stat().st_size,
        "sha256": model.digest,
        "inputs": [_tensor(t) for t in config.inputs],
        "outputs": [_tensor(t) for t in config.outputs],
        "max_batch_size": config.max_batch_size,
        "labels": len(model.labels),
    }


def _tensor(tensor: Any) -> str:
    dims = " × ".join("?" if dim < 0 else str(dim) for dim in tensor.dims)
    return f"{tensor.name} {tensor.data_type} {dims}"
