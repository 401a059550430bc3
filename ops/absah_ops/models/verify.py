"""`absah models verify`: check every version's files, config and graph; write manifests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import metadata

import click

from absah_ops import showing
from absah_ops.listing import json_option
from absah_ops.models import addresses
from absah_ops.models.addresses import Address
from absah_server.core.errors import ModelInvalid
from absah_server.inference import manifest, repository
from absah_server.inference.engines import opening
from absah_server.inference.manifest import Manifest
from absah_server.inference.repository import StoredModel


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """One version: `manifest` is "yes", "no" or "written", `problem` empty where it is well."""

    model: str
    version: str
    manifest: str
    files: int
    problem: str = ""
    unlisted: Sequence[str] = ()


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL[@VERSION]]…")
@click.option("--write", is_flag=True, help="Write manifests of what is there, where it is well.")
@click.option(
    "--card",
    multiple=True,
    metavar="KEY=VALUE",
    help="With --write: a fact for the manifest's card, such as source=https://…",
)
@json_option
def verify(models: tuple[str, ...], write: bool, card: tuple[str, ...], as_json: bool) -> None:
    """Check all versions of all models, or of those named.

    Files are compared with the manifest's digests, the config is read, and the graph is opened
    and compared with it. Exits with 1 if anything is wrong.
    """
    if card and not write:
        raise click.UsageError("--card needs --write")
    facts = dict(_fact(text) for text in card)
    found = [
        _write(address, facts) if write else _verify(address) for address in _addresses(models)
    ]
    for each in found if as_json else ():
        click.echo(json.dumps(asdict(each), ensure_ascii=False))
    if not as_json:
        showing.table(
            ("ok", "model", "version", "manifest", "files", "problem"),
            [
                (
                    "no" if v.problem else "yes",
                    v.model,
                    v.version,
                    v.manifest,
                    str(v.files),
                    v.problem or _note(v),
                )
                for v in found
            ],
        )
    if any(each.problem for each in found):
        raise SystemExit(1)


def seal(model: StoredModel, facts: Mapping[str, str]) -> Manifest:
    """Write the manifest of a version; facts of an older one stay. Raises OSError."""
    known = dict(model.manifest.card) if model.manifest else {}
    made = Manifest(
        model=model.name,
        version=model.version,
        files=manifest.listed(model.files),
        card={**known, **facts, "sealed_by": f"absah {metadata.version('absah')}"},
    )
    manifest.write(model.directory, made)
    return made


def _fact(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.isidentifier():
        raise click.UsageError(f"--card {text!r} is not KEY=VALUE")
    return key, value


def _addresses(models: Sequence[str]) -> list[Address]:
    named = [addresses.parse(model) for model in models] or [
        Address(directory=folder, version="") for folder in addresses.folders()
    ]
    return [
        replace(address, version=version)
        for address in named
        for version in ([address.version] if address.version else _versions(address))
    ]


def _versions(address: Address) -> Sequence[str]:
    # One without any version is verified too, to be told what it lacks.
    return repository.versions_of(address.directory) or ("",)


def _read(address: Address, *, trusting: bool) -> StoredModel:
    versions = (address.version,) if address.version else None
    (stored,) = repository.read_model(address.directory, versions=versions, trusting=trusting)
    opening.verify(stored)
    return stored


def _verify(address: Address) -> Verified:
    try:
        stored = _read(address, trusting=False)
    except ModelInvalid as exc:
        return _wrong(address, exc)
    return Verified(
        model=stored.name,
        version=stored.version,
        manifest="yes" if stored.manifest else "no",
        files=len(stored.files),
        unlisted=manifest.unlisted(stored.manifest, stored.files) if stored.manifest else (),
    )


def _write(address: Address, facts: Mapping[str, str]) -> Verified:
    try:
        stored = _read(address, trusting=True)
    except ModelInvalid as exc:
        return _wrong(address, exc)
    seal(stored, facts)
    return Verified(
        model=stored.name, version=stored.version, manifest="written", files=len(stored.files)
    )


def _wrong(address: Address, error: ModelInvalid) -> Verified:
    written = address.version and manifest.path(address.directory, address.version).exists()
    return Verified(
        model=address.model,
        version=address.version,
        manifest="yes" if written else "no",
        files=0,
        problem=str(error),
    )


def _note(verified: Verified) -> str:
    return f"not in the manifest: {', '.join(verified.unlisted)}" if verified.unlisted else ""
