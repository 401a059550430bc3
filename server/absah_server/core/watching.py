"""Watch a validation: as it stands, each check as it ends, and how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from absah_server.core import names
from absah_server.core.errors import StoreUnavailable
from absah_server.core.listing import History
from absah_server.core.validation import CheckResult, Validation

LOOK_SECONDS = 5.0
"""After this long a validation is looked at even if nobody tells of a change."""


class Changes(Protocol):
    """Tells when a validation has changed."""

    def following(self, validation_id: uuid.UUID) -> AbstractContextManager[asyncio.Event]:
        """An event that is set with every change, and whenever one may have been missed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Watcher:
    """Follows validations in `history`."""

    history: History
    changes: Changes

    async def events(
        self, tenant: str, validation_id: uuid.UUID
    ) -> AsyncIterator[Validation | CheckResult]:
        """The validation, then check results as they come, then the validation that has ended.

        One that has ended before comes once. Raises `ValidationNotFound`, or at the beginning
        `StoreUnavailable`; if the store goes later, it is waited for.
        """
        with self.changes.following(validation_id) as changed:
            found = await self.history.get(tenant, validation_id)
            yield found
            if found.state.ended:
                return
            told = {_key(result) for result in found.check_results}
            while not found.state.ended:
                found = await self._changed(tenant, validation_id, changed)
                for result in found.check_results:
                    if _key(result) not in told:
                        told.add(_key(result))
                        yield result
            yield found

    async def ended(self, tenant: str, found: Validation, *, deadline: float) -> Validation:
        """A validation that was `found` once it has ended, or as it stood last at `deadline`.

        `deadline` is an event loop time. If the store goes meanwhile, it is waited for.
        """
        validation_id = names.parse_id(found.name, collection="validations")
        assert validation_id
        with self.changes.following(validation_id) as changed, contextlib.suppress(TimeoutError):
            changed.set()  # it may have ended since it was found
            async with asyncio.timeout_at(deadline):
                while not found.state.ended:
                    found = await self._changed(tenant, validation_id, changed)
        return found

    async def _changed(
        self, tenant: str, validation_id: uuid.UUID, changed: asyncio.Event
    ) -> Validation:
        while True:
            # Time alone is reason enough to look: a notification may have been lost.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await changed.wait()
            changed.clear()
            try:
                return await self.history.get(tenant, validation_id)
            except StoreUnavailable as exc:
                await asyncio.sleep(exc.retry_after_seconds)
                changed.set()


def _key(result: CheckResult) -> tuple[str, str]:
    return result.checker, result.document
