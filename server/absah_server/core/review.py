"""What a review is: a verdict of REVIEW that waits for a person."""

from __future__ import annotations

import datetime
import enum
import uuid
from dataclasses import dataclass

from absah_server.core import names
from absah_server.core.policy import Decision
from absah_server.core.validation import HumanDecision, Verdict

COLLECTION = "reviews"


class ReviewState(enum.StrEnum):
    """Where a review stands."""

    WAITING = "WAITING"
    """Nobody has claimed it, or the claim has expired."""
    CLAIMED = "CLAIMED"
    DECIDED = "DECIDED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """A validation that a person must look at; its id is that of the validation.

    `reviewer` is who has claimed or decided it, `verdict` absent in lists.
    """

    id: uuid.UUID
    policy: str
    state: ReviewState
    reviewer: str
    create_time: datetime.datetime
    claim_expire_time: datetime.datetime | None = None
    human_decision: HumanDecision | None = None
    verdict: Verdict | None = None

    @property
    def name(self) -> str:
        return review_name(self.id)

    @property
    def validation(self) -> str:
        return names.validation_name(self.id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ruling:
    """What a reviewer decides, and why."""

    reviewer: str
    decision: Decision
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewFilter:
    """Which reviews to list; what is empty does not matter.

    Without a state, those that wait or are claimed. `policy` is a name or "name@version".
    """

    state: ReviewState | None = None
    policy: str = ""
    reviewer: str = ""


def review_name(of: uuid.UUID) -> str:
    """As "reviews/0192f0c1…"."""
    return f"{COLLECTION}/{of.hex}"
