"""A group of commands that are imported only when they are called, so that --help is quick."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

from absah_ops.failing import Failing

Commands = Mapping[str, tuple[str, str]]
"""Where each command is ("module:attribute"), and its line of help, which needs no import."""


class LazyGroup(Failing, click.Group):
    """A group whose subcommands a table names."""

    def __init__(self, *args: Any, table: Commands, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The table's names, in its order."""
        return list(self._table)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the command of that name."""
        if name not in self._table:
            return None
        module, _, attribute = self._table[name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._table.items()])
