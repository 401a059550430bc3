"""Options of commands that call a running server, and who calls."""

from __future__ import annotations

import getpass
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

import absah
from absah.channels import DEFAULT_ADDRESS

F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")


def server_options(command: F) -> F:
    """Add --server, --tenant and --as: parameters `server`, `tenant` and `actor`."""
    for option in (
        click.option("--as", "actor", metavar="NAME", help="Who you are.  [default: your login]"),
        click.option("--tenant", default="", envvar="ABSAH_TENANT", help="Whose."),
        click.option(
            "--server",
            default=DEFAULT_ADDRESS,
            envvar="ABSAH_SERVER",
            metavar="HOST:PORT",
            show_default=True,
            help="A running server.",
        ),
    ):
        command = option(command)
    return command


def login() -> str:
    """The name of who is logged in, as the server takes it."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        return ""  # a user without a name, as in some containers
    return re.sub(r"[^A-Za-z0-9._:@-]", "-", name)[:64]


def admin(server: str, tenant: str, actor: str | None) -> absah.AdminClient:
    """A client for operators."""
    return absah.AdminClient(server, tenant=tenant, client=actor or login())


def client(server: str, tenant: str, actor: str | None) -> absah.Client:
    """A client like any other system's."""
    return absah.Client(server, tenant=tenant, client=actor or login())
