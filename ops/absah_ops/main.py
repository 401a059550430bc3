"""The command `absah` and its subcommands, each imported only when it is called."""

from __future__ import annotations

import importlib
from importlib import metadata

import click

from absah_ops.failing import Failing

COMMANDS = {
    "serve": "absah_ops.serve:serve",
    "validate": "absah_ops.validate:validate",
    "check": "absah_ops.check:check",
    "checkers": "absah_ops.listing:checkers",
    "policies": "absah_ops.listing:policies",
    "models": "absah_ops.listing:models",
    "doctor": "absah_ops.doctor:doctor",
    "demo": "absah_ops.demo:demo",
}


class LazyGroup(Failing, click.Group):
    """A group that imports a subcommand when it is asked for, so that --help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        place = COMMANDS.get(name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(metadata.version("absah"), prog_name="absah")
def main() -> None:
    """Validate reports, evidence photos, scanned letters and identity cards, and say why.

    Exit codes: 0 done, 1 failed, 2 wrong usage; `validate` exits 0 ACCEPT, 3 REVIEW, 4 REJECT.
    """
