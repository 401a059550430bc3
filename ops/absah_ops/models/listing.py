"""`absah models list`: what the repository holds, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import absah
from absah_ops.listing import json_option, print_items
from absah_ops.models import addresses
from absah_server.core.errors import ModelInvalid
from absah_server.inference import repository
from absah_server.inference.engines import opening
from absah_server.inference.repository import StoredModel

NO_MODEL: dict[str, Any] = {
    "model": "",
    "version": "",
    "versions": [],
    "candidate": "",
    "sealed": False,
    "size_bytes": 0,
    "sha256": "",
    "inputs": [],
    "outputs": [],
    "max_batch_size": 0,
    "labels": 0,
    "problem": "",
}


@click.command("list")
@click.option("--server", metavar="HOST:PORT", help="List what a running server serves.")
@json_option
def list_(server: str | None, as_json: bool) -> None:
    """List the models of the repository, and what is wrong with those that cannot be served.

    Each line is of the version that serves.
    """
    if server:
        _list_served(server, as_json)
        return
    found = [_model(folder) for folder in addresses.folders()]
    print_items(
        found,
        as_json,
        ("model", "serves", "versions", "MB", "batch", "labels", "problem"),
        lambda item: (
            item["model"],
            item["version"],
            ", ".join(item["versions"]) + (f" ({item['candidate']})" if item["candidate"] else ""),
            f"{item['size_bytes'] / 1e6:.1f}",
            str(item["max_batch_size"]),
            str(item["labels"]),
            item["problem"],
        ),
    )
    if any(item["problem"] for item in found):
        raise SystemExit(1)


def _model(folder: Path) -> dict[str, Any]:
    item = {
        **NO_MODEL,
        "model": folder.name,
        "versions": list(repository.versions_of(folder)),
    }
    try:
        rollout = addresses.rollout_of(folder)
        item["version"] = rollout.current
        if rollout.candidate:
            item["candidate"] = f"{rollout.candidate.version} in {rollout.candidate.mode} mode"
        (stored,) = repository.read_model(folder, versions=(rollout.current,))
        opening.verify(stored)
    except ModelInvalid as exc:
        return {**item, "problem": str(exc)}
    return {**item, **_facts(stored)}


def _facts(stored: StoredModel) -> dict[str, Any]:
    config = stored.config
    return {
        "sealed": stored.manifest is not None,
        "size_bytes": stored.file.stat().st_size,
        "sha256": stored.digest,
        "inputs": [tensor(t) for t in config.inputs],
        "outputs": [tensor(t) for t in config.outputs],
        "max_batch_size": config.max_batch_size,
        "labels": len(stored.labels),
    }


def tensor(spec: Any) -> str:
    """A tensor in words: "images FP32 3 × ? × ?"."""
    dims = " × ".join("?" if dim < 0 else str(dim) for dim in spec.dims)
    return f"{spec.name} {spec.data_type} {dims}"


def _list_served(server: str, as_json: bool) -> None:
    with absah.AdminClient(server) as admin:
        found = [absah.to_dict(model) for model in admin.models()]
    print_items(
        found,
        as_json,
        ("model", "serves", "loaded", "requests", "failed", "problem"),
        lambda item: (
            item["name"].removeprefix("models/"),
            item.get("rollout", {}).get("current", ""),
            ", ".join(version["version"] for version in item["versions"]),
            _sum(item, "requests"),
            _sum(item, "failed"),
            item["problem"],
        ),
    )


def _sum(item: dict[str, Any], counter: str) -> str:
    return str(sum(int(v.get("statistics", {}).get(counter, 0)) for v in item["versions"]))
