"""Let people decide what a policy left to them: list, claim, release, decide."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from absah_server.core import names, review
from absah_server.core.callers import Caller
from absah_server.core.errors import RequestInvalid, ReviewNotFound
from absah_server.core.policy import Decision
from absah_server.core.ports import Reviews
from absah_server.core.review import Review, ReviewFilter, Ruling

MAX_REVIEWER_CHARACTERS = 64
MAX_REASON_CHARACTERS = 2000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """Where reviews are decided. A claim keeps one from others for `claim_seconds`.

    Every method raises `StoreUnavailable`; those that take a name raise `ReviewNotFound`, and
    those that take a reviewer `RequestInvalid`.
    """

    reviews: Reviews
    claim_seconds: float

    async def listed(
        self, tenant: str, wanted: ReviewFilter, *, after: uuid.UUID | None, limit: int
    ) -> Sequence[Review]:
        """The oldest first, those after an id."""
        return await self.reviews.listed(tenant, wanted, after=after, limit=limit)

    async def get(self, tenant: str, name: str) -> Review:
        """One review, with the verdict that it is about."""
        return await self.reviews.get(tenant, _id(name))

    async def claim(self, caller: Caller, name: str, reviewer: str) -> Review:
        """Take it for oneself; raises `ReviewClaimed` or `ReviewDecided`."""
        return await self.reviews.claim(
            caller,
            _id(name),
            reviewer=_reviewer(reviewer, caller),
            seconds=self.claim_seconds,
        )

    async def release(self, caller: Caller, name: str, reviewer: str) -> Review:
        """Give it back; raises `ReviewNotClaimed` or `ReviewDecided`."""
        return await self.reviews.release(caller, _id(name), reviewer=_reviewer(reviewer, caller))

    async def decide(self, caller: Caller, name: str, ruling: Ruling) -> Review:
        """Decide it for good; raises `ReviewNotClaimed` or `ReviewDecided`."""
        if ruling.decision not in (Decision.ACCEPT, Decision.REJECT):
            raise RequestInvalid(("decision", "must be ACCEPT or REJECT"))
        reason = ruling.reason.strip()
        if not reason or len(reason) > MAX_REASON_CHARACTERS or _CONTROL.search(reason):
            raise RequestInvalid(
                ("reason", f"must be text of 1 to {MAX_REASON_CHARACTERS:,} characters")
            )
        given = replace(ruling, reviewer=_reviewer(ruling.reviewer, caller), reason=reason)
        return await self.reviews.decide(caller, _id(name), given)


def _id(name: str) -> uuid.UUID:
    found = names.parse_id(name, collection=review.COLLECTION)
    if found is None:
        raise ReviewNotFound(name=name)
    return found


def _reviewer(name: str, caller: Caller) -> str:
    """The reviewer, or else the caller, unless it did not say who it is."""
    chosen = name.strip() or caller.client
    if name.strip() == "" and caller.client == Caller().client:
        raise RequestInvalid(("reviewer", "say who you are"))
    if len(chosen) > MAX_REVIEWER_CHARACTERS or not chosen.isprintable():
        raise RequestInvalid(
            ("reviewer", f"must be a name of 1 to {MAX_REVIEWER_CHARACTERS} characters")
        )
    return chosen
