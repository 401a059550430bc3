"""`absah models show`: explain one model, its versions and which of them answers."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

import absah
from absah_ops import showing
from absah_ops.listing import json_option
from absah_ops.models import addresses, listing, rollouts
from absah_server.core.errors import ModelInvalid
from absah_server.core.models import Rollout
from absah_server.inference import planning, repository, rollout
from absah_server.inference.engines import EngineName, opening
from absah_server.inference.repository import StoredModel
from absah_server.settings import Settings

CARD_NAME = "MODEL_CARD.md"


@click.command()
@addresses.model_argument
@click.option("--server", metavar="HOST:PORT", help="With what a running server counts.")
@json_option
def show(model: str, server: str | None, as_json: bool) -> None:
    """Explain one model: what it is, its versions, which of them answers and why."""
    folder = addresses.parse(model).directory
    told = explain(folder)
    if server:
        with absah.AdminClient(server) as admin:
            told["server"] = absah.to_dict(admin.model(folder.name))
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    _print(told)


def explain(folder: Path) -> dict[str, Any]:
    """All that the repository says of a model, for JSON."""
    told: dict[str, Any] = {
        "model": folder.name,
        "about": _about(folder),
        "rollout": None,
        "problem": "",
        "versions": [],
        "history": [],
    }
    try:
        current = addresses.rollout_of(folder)
        told["rollout"] = _rollout(current)
        told["history"] = list(rollout.history(folder))
    except ModelInvalid as exc:
        told["problem"] = str(exc)
    told["versions"] = [_version(folder, version) for version in repository.versions_of(folder)]
    return told


def _about(folder: Path) -> str:
    """The first paragraph of the model's card."""
    try:
        text = (folder / CARD_NAME).read_text(encoding="utf-8")
    except OSError:
        return ""
    paragraphs = (part.strip() for part in text.split("\n\n"))
    return next((" ".join(p.split()) for p in paragraphs if p and not p.startswith("#")), "")


def _rollout(current: Rollout) -> dict[str, Any]:
    candidate = current.candidate
    return {
        "current": current.current,
        "previous": current.previous or "",
        "candidate": candidate
        and {"version": candidate.version, "mode": candidate.mode, "share": candidate.share},
        "words": rollouts.in_words(current),
    }


def _version(folder: Path, version: str) -> dict[str, Any]:
    try:
        (stored,) = repository.read_model(folder, versions=(version,))
        opening.verify(stored)
    except ModelInvalid as exc:
        return {"version": version, "problem": str(exc)}
    return {"version": version, "problem": "", **_facts(stored)}


def _facts(stored: StoredModel) -> dict[str, Any]:
    config = stored.config
    return {
        "sha256": stored.digest,
        "size_bytes": stored.file.stat().st_size,
        "sealed": stored.manifest is not None,
        "card": dict(stored.manifest.card) if stored.manifest else {},
        "engine": _engine(stored),
        "inputs": [listing.tensor(t) for t in config.inputs],
        "outputs": [listing.tensor(t) for t in config.outputs],
        "max_batch_size": config.max_batch_size,
        "labels": len(stored.labels),
        "parameters": dict(config.parameters),
        "files": dict(stored.files),
    }


def _engine(stored: StoredModel) -> str:
    """How a server with these settings would execute it, why, and what was measured."""
    settings = Settings().inference
    return planning.explain(
        stored,
        engine=EngineName(settings.engine),
        concurrent_runs=settings.concurrent_runs,
        threads_per_run=settings.threads_per_run,
    )


def _print(told: Mapping[str, Any]) -> None:
    click.secho(told["model"], bold=True)
    if told["about"]:
        showing.console().print(told["about"], markup=False)
    if told["problem"]:
        click.secho(told["problem"], fg="red")
    if told["rollout"]:
        click.echo(f"Answers: {told['rollout']['words']}")
    current = (told["rollout"] or {}).get("current", "")
    for version in told["versions"]:
        click.echo()
        rows = _rows(version)
        if version["version"] == current and not version["problem"]:
            # They are the model's, so once is enough.
            rows += [(f"parameter: {k}", v) for k, v in version["parameters"].items()]
        heading = ("version", version["version"])
        # A pipe gets no headings, and must tell the versions apart nevertheless.
        showing.table(heading, rows if sys.stdout.isatty() else [heading, *rows])
    if told["history"]:
        click.echo()
        showing.table(
            ("when", "what", "by", "now", "why", "figures"), [_change(c) for c in told["history"]]
        )
    if "server" in told:
        click.echo()
        _print_served(told["server"])


def _rows(version: Mapping[str, Any]) -> list[tuple[str, str]]:
    if version["problem"]:
        return [("problem", version["problem"])]
    rows = [
        ("digest", version["sha256"]),
        ("size", f"{version['size_bytes'] / 1e6:.1f} MB"),
        ("manifest", "verified" if version["sealed"] else "none; `absah models verify --write`"),
        ("engine", version["engine"]),
        ("inputs", "\n".join(version["inputs"])),
        ("outputs", "\n".join(version["outputs"])),
        ("largest batch", str(version["max_batch_size"] or "no batches")),
        ("labels", str(version["labels"])),
    ]
    return rows + [(f"card: {key}", value) for key, value in version["card"].items()]


def _change(change: Mapping[str, Any]) -> Sequence[str]:
    figures = change.get("figures", {})
    return (
        str(change.get("time", ""))[:16].replace("T", " "),
        str(change.get("action", "")),
        str(change.get("by", "")),
        str(change.get("rollout", {}).get("current", "")),
        str(change.get("reason", "")),
        ", ".join(f"{name} {value}" for name, value in figures.items()),
    )


def _print_served(model: Mapping[str, Any]) -> None:
    if model["problem"]:
        click.secho(model["problem"], fg="red")
    headings = ("loaded", "engine", "requests", "failed", "refused", "batches", "computing")
    rows = []
    for version in model["versions"]:
        counted = version.get("statistics", {})
        rows.append(
            (
                version["version"],
                version["engine"],
                *(str(counted.get(n, "")) for n in ("requests", "failed", "refused", "batches")),
                str(counted.get("compute_time", "")),
            )
        )
    showing.table(headings, rows)
