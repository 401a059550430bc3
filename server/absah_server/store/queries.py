"""Read named statements from the `.sql` files beside this module.

A file holds statements, each under a line `-- name: NAME`; comments up to the statement say what it
is for. Parameters are psycopg's `%(name)s`.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from importlib import resources

_NAME = re.compile(r"^-- name: ([a-z_]+)$", re.MULTILINE)


def load(noun: str) -> Mapping[str, bytes]:
    """The statements of `sql/<noun>.sql` by name; psycopg takes bytes as what is no user's text."""
    text = resources.files("absah_server.store").joinpath("sql", f"{noun}.sql").read_text("utf-8")
    parts = _NAME.split(text)
    statements = {
        name: body.strip().encode() for name, body in zip(parts[1::2], parts[2::2], strict=True)
    }
    if len(statements) != len(parts) // 2:
        raise ValueError(f"sql/{noun}.sql names a statement twice")
    return types.MappingProxyType(statements)
