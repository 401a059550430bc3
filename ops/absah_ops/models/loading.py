"""`absah models load` and `unload`: versions in a running server's memory."""

from __future__ import annotations

import click

from absah.admin.v1 import admin_service_pb2
from absah_ops import calling
from absah_ops.models import addresses


@click.command()
@addresses.address_argument
@addresses.running_option
def load(address: str, server: str) -> None:
    """Load a version into a running server, checked and warmed up.

    Without @VERSION it is the current one, as for a model whose files were mended. A version that
    the rollout does not name answers nobody yet.
    """
    model, _, version = address.partition("@")
    with calling.admin(server, "", None) as admin:
        _tell(admin.load_model(model, version))


@click.command()
@addresses.versioned_argument
@addresses.running_option
def unload(address: str, server: str) -> None:
    """Unload a version from a running server, when what it was asked is answered.

    The versions that the rollout names stay.
    """
    model, _, version = address.partition("@")
    if not version:
        raise click.UsageError(f"name the version too: {model}@VERSION")
    with calling.admin(server, "", None) as admin:
        _tell(admin.unload_model(model, version))


def _tell(model: admin_service_pb2.Model) -> None:
    loaded = ", ".join(version.version for version in model.versions) or "none"
    name = model.name.removeprefix("models/")
    click.echo(f"{name}: version {model.rollout.current} answers; loaded: {loaded}")
    if model.problem:
        click.echo(f"  {model.problem}")
