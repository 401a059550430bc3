"""Find a model of the repository, and a version of it, by "NAME" or "NAME@VERSION"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from absah_sdk import AbsahError
from absah_server.core.models import Rollout
from absah_server.inference import repository, rollout
from absah_server.inference.repository import StoredModel
from absah_server.settings import Settings

address_argument = click.argument("address", metavar="MODEL[@VERSION]")
versioned_argument = click.argument("address", metavar="MODEL@VERSION")
model_argument = click.argument("model")
server_option = click.option(
    "--server",
    envvar="ABSAH_SERVER",
    metavar="HOST:PORT",
    help="Change this running server.  [default: write into the repository; "
    "servers over it follow within a second]",
)
running_option = click.option(
    "--server",
    envvar="ABSAH_SERVER",
    metavar="HOST:PORT",
    default="127.0.0.1:50051",
    show_default=True,
    help="The running server.",
)
reason_option = click.option("--reason", default="", help="Why, for the model's history.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """A model's folder and a version of it, empty where none was named."""

    directory: Path
    version: str

    @property
    def model(self) -> str:
        """The model's name."""
        return self.directory.name


def folders() -> list[Path]:
    """The model folders of the repository, by name."""
    root = Settings().inference.model_repository
    if not root.is_dir():
        raise AbsahError(f"{root} is no folder of models")
    return sorted(
        path for path in root.iterdir() if path.is_dir() and not path.name.startswith((".", "_"))
    )


def parse(address: str) -> Address:
    """Find what an address names; raises `AbsahError` where the repository lacks it."""
    model, _, version = address.partition("@")
    directory = next((folder for folder in folders() if folder.name == model), None)
    if directory is None:
        raise AbsahError(f"the repository holds no model {model!r}; `absah models` lists them")
    known = repository.versions_of(directory)
    if version and version not in known:
        raise AbsahError(
            f"the model {model} has no version {version!r}; it has {', '.join(known) or 'none'}"
        )
    return Address(directory=directory, version=version)


def parse_versioned(address: str) -> Address:
    """As `parse`, for an address that must name a version."""
    found = parse(address)
    if not found.version:
        known = ", ".join(repository.versions_of(found.directory))
        raise click.UsageError(f"name the version too: {found.model}@VERSION; it has {known}")
    return found


def stored(address: Address) -> StoredModel:
    """The version, or that which serves where none was named; raises `ModelInvalid`."""
    versions = (address.version,) if address.version else None
    return repository.read_model(address.directory, versions=versions)[-1]


def several(names: Sequence[str]) -> list[StoredModel]:
    """The versions that serve of these models, of all where none is named.

    Raises `AbsahError` where the repository lacks one, or `ModelInvalid`.
    """
    if names:
        return [stored(parse(name)) for name in names]
    return [stored(Address(directory=folder, version="")) for folder in folders()]


def rollout_of(directory: Path) -> Rollout:
    """The rollout of a model, or what holds where none is written; raises `ModelInvalid`."""
    written = rollout.read(directory)
    return written or Rollout(current=repository.serving_version(directory))
