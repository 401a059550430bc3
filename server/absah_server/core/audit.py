"""Audit events: who did what to which, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEvent:
    """One event. `details` holds digests, states and decisions, never a document's content.

    `actor` is the client or person who acted, or "absah" where the server did by itself.
    `action` is a noun and what befell it ("validation.accepted"), `subject` a resource name.
    """

    tenant: str
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any] = field(default_factory=dict)
