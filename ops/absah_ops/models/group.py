"""`absah models`: the group, each subcommand imported only when it is called."""

from __future__ import annotations

from collections.abc import Mapping

import click

from absah_ops.lazy import LazyGroup

COMMANDS: Mapping[str, tuple[str, str]] = {
    "list": ("absah_ops.models.listing:list_", "List the models of the repository."),
    "show": ("absah_ops.models.show:show", "Explain one model and its versions."),
    "verify": (
        "absah_ops.models.verify:verify",
        "Check files, configs and graphs; write manifests.",
    ),
    "import": ("absah_ops.models.importing:import_", "Bring a model of your own."),
    "build": ("absah_ops.models.build:build", "Build another form: TensorRT, OpenVINO, int8."),
    "evaluate": ("absah_ops.models.evaluate:evaluate", "Measure a version on a golden set."),
    "promote": ("absah_ops.models.promote:promote", "Let a version serve, if it is no worse."),
    "rollback": ("absah_ops.models.promote:rollback", "Go back to the version before."),
    "shadow": ("absah_ops.models.shadow:shadow", "Try a version beside the current one."),
    "tune": ("absah_ops.models.tune:tune", "Measure which engine serves best on this machine."),
    "bench": ("absah_ops.models.bench:bench", "Compare with ONNX Runtime alone and with Triton."),
    "load": ("absah_ops.models.loading:load", "Load a version into a running server."),
    "unload": ("absah_ops.models.loading:unload", "Unload a version from a running server."),
}
"""Where each command is, and its line of help, which must not need the import."""


@click.group(cls=LazyGroup, table=COMMANDS, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="List as one JSON object a line.")
@click.pass_context
def models(ctx: click.Context, as_json: bool) -> None:
    """List the models of the repository; subcommands see them through their life.

    A new version goes from import (or build) over evaluate and shadow to promote, which refuses
    what is worse than the version that serves; rollback undoes a promotion.
    """
    if ctx.invoked_subcommand is not None:
        return
    assert isinstance(ctx.command, LazyGroup)
    listing = ctx.command.get_command(ctx, "list")
    assert listing is not None
    ctx.invoke(listing, as_json=as_json)
