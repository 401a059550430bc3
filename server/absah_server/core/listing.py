"""Which validations a list shows."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from absah_server.core.callers import Caller
from absah_server.core.policy import Decision
from absah_server.core.validation import State, Validation


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationFilter:
    """What validations to list; None and "" do not matter.

    `policy` is a name, for all its versions, or a version such as "field-report@1". `start_time`
    is the earliest time of creation, `end_time` the first that is too late.
    """

    state: State | None = None
    decision: Decision | None = None
    policy: str = ""
    request_id: str = ""
    start_time: datetime.datetime | None = None
    end_time: datetime.datetime | None = None


class History(Protocol):
    """Validations that were accepted or recorded. All methods raise `StoreUnavailable`."""

    async def get(self, tenant: str, validation_id: uuid.UUID) -> Validation:
        """One, with the results of the checks that have ended; raises `ValidationNotFound`."""

    async def page(
        self, tenant: str, wanted: ValidationFilter, *, before: uuid.UUID | None, limit: int
    ) -> Sequence[Validation]:
        """The newest ones whose ids come before one, newest first, without check results."""

    async def cancel(self, caller: Caller, validation_id: uuid.UUID) -> Validation:
        """Cancel one that has not ended; one that is cancelled already is returned as it is.

        Raises `ValidationNotFound`, or `WrongState` if it has ended otherwise.
        """
