"""Let a policy run at most so many validations at a time, over all workers together."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicySlots:
    """`limits` says by a policy's name, without version, how many may run at a time.

    A limited policy has as many locks, and each of its jobs draws one of them: jobs of the same
    lock run one after the other, and one that waits to be tried again holds up none of them. A
    drawn lock may have to wait while another is free.
    """

    limits: Mapping[str, int] = field(default_factory=dict)

    def lock(self, policy: str) -> str | None:
        """The lock of a job under a policy ("field-report@1"), None if nothing limits it."""
        name = policy.partition("@")[0]
        if name not in self.limits:
            return None
        return f"policy:{name}:{random.randrange(self.limits[name])}"  # noqa: S311
