"""How a bridge stands, for those who watch it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Consuming(Protocol):
    """What a consumer tells of itself."""

    @property
    def under_way(self) -> int:
        """Messages that were delivered and have not come to an end."""

    @property
    def oldest_seconds(self) -> float:
        """The age of the oldest of them; 0 where there is none."""


@dataclass(kw_only=True, slots=True, eq=False)
class Status:
    """How a bridge stands; read from other threads."""

    limit: Callable[[], int] = lambda: 0
    connected: bool = False
    """Whether the broker is, and every queue consumed."""
    core_serving: bool = False
    """Whether the core said so when it was last asked."""
    consumers: Mapping[str, Consuming] = field(default_factory=dict)
    """By system."""
    queued: Mapping[str, int] = field(default_factory=dict)
    """Messages that are ready, by queue, as last seen."""

    @property
    def core_limit(self) -> int:
        """Calls of the core at a time."""
        return self.limit()

    @property
    def healthy(self) -> bool:
        """Whether messages are being answered."""
        return self.connected and self.core_serving
