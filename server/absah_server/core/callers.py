"""Who calls."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """A system or a person who calls, of a tenant: tenants see nothing of each other.

    Both are what the caller says of itself, as long as nothing proves it.
    """

    tenant: str = "default"
    client: str = "anonymous"
