"""The command `absah` and its subcommands, each imported only when it is called."""

from __future__ import annotations

import importlib
from importlib import metadata

import click

from absah_ops.failing import Failing

COMMANDS = {
    "serve": ("absah_ops.serve:serve", "Serve validations over gRPC."),
    "validate": ("absah_ops.validate:validate", "Validate documents and claims."),
    "check": ("absah_ops.check:check", "Run one checker on files, without a server."),
    "checkers": ("absah_ops.listing:checkers", "List checkers."),
    "policies": ("absah_ops.listing:policies", "List policies, or show one."),
    "models": ("absah_ops.listing:models", "List the models of the repository."),
    "doctor": ("absah_ops.doctor:doctor", "Say what is missing and how to mend it."),
    "demo": ("absah_ops.demo:demo", "Validate a report that is drawn for it."),
}
"""Where each command is, and its line of help, which must not need the import."""


class LazyGroup(Failing, click.Group):
    """A group that imports a subcommand when it is asked for, so that --help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(metadata.version("absah"), prog_name="absah")
def main() -> None:
    """Validate reports, evidence photos, scanned letters and identity cards, and say why.

    Exit codes: 0 done, 1 failed, 2 wrong usage; `validate` exits 0 ACCEPT, 3 REVIEW, 4 REJECT.
    """
