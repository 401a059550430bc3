"""Run an ended validation again, on the documents that are kept, and tell what differs.

It runs under the version of its policy that it was recorded under, or, where that is gone, the
newest of that name, with the checkers and models of now and without results of earlier checks.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from absah_server.core import differences, names
from absah_server.core.acceptance import Keeper
from absah_server.core.audit import AuditEvent
from absah_server.core.callers import Caller
from absah_server.core.differences import Difference
from absah_server.core.errors import (
    CheckerNotFound,
    DocumentNotFound,
    PolicyNotFound,
    RequestInvalid,
    WrongState,
)
from absah_server.core.requesting import Request
from absah_server.core.submission import Attachment, Submission
from absah_server.core.validation import State, Validation
from absah_server.core.validator import Validator


class Records(Protocol):
    """What was asked and what came of it. All methods raise `StoreUnavailable`."""

    async def record(
        self, tenant: str, validation_id: uuid.UUID
    ) -> tuple[Validation, Request | None]:
        """A validation with what was asked; None where that is erased.

        Raises `ValidationNotFound`.
        """

    async def tell(self, event: AuditEvent) -> None:
        """Write an audit event."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """What came of running it again: a validation without a name, and where it differs."""

    validation: Validation
    differences: Sequence[Difference]


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayer:
    """Replays validations of the caller's tenant."""

    validator: Validator
    records: Records
    keeper: Keeper

    async def replay(self, caller: Caller, validation_id: uuid.UUID, *, deadline: float) -> Replay:
        """Run it again by `deadline`, an event loop time; nothing of it is kept.

        Raises `ValidationNotFound`, `WrongState` where it cannot be run again, `StoreUnavailable`,
        and what `Validator.validate` raises.
        """
        recorded, asked = await self.records.record(caller.tenant, validation_id)
        if recorded.state is not State.SUCCEEDED:
            raise _cannot(recorded, "only one that has SUCCEEDED can be run again")
        if asked is None:
            raise _cannot(recorded, "its contents are erased, so it cannot be run again")
        request = await self._named(caller, recorded, asked)

        async def whole() -> Submission:
            return await self._whole(caller, recorded, asked, request)

        try:
            made = await self.validator.validate(request, deadline=deadline, whole=whole)
        except (PolicyNotFound, CheckerNotFound, RequestInvalid) as exc:
            raise _cannot(recorded, f"it cannot be run again here and now: {exc}") from exc
        replayed = replace(made, name="", request_id="")
        found = await asyncio.to_thread(differences.between, recorded, replayed)
        await self.records.tell(_event(caller, recorded, found))
        return Replay(validation=replayed, differences=found)

    async def _named(self, caller: Caller, recorded: Validation, asked: Request) -> Submission:
        """What to run, its documents by their names and sizes."""
        digests = list({document.digest for document in asked.documents})
        try:
            sizes = await self.keeper.sizes(caller.tenant, digests)
        except DocumentNotFound as exc:
            raise _cannot(recorded, _DELETED) from exc
        return Submission(
            policy=self._policy(asked),
            checkers=asked.checkers,
            attachments=[
                Attachment(
                    role=document.role,
                    filename=document.filename,
                    stored=names.document_name(document.digest),
                    stored_bytes=sizes[document.digest],
                )
                for document in asked.documents
            ],
            claims=asked.claims,
            priority=asked.priority,
        )

    async def _whole(
        self, caller: Caller, recorded: Validation, asked: Request, request: Submission
    ) -> Submission:
        contents: dict[str, bytes] = {}
        for digest in {document.digest for document in asked.documents}:
            try:
                contents[digest] = await self.keeper.fetch(caller.tenant, digest)
            except DocumentNotFound as exc:
                raise _cannot(recorded, _DELETED) from exc
        return replace(request, attachments=asked.submission("", contents).attachments)

    def _policy(self, asked: Request) -> str:
        """The version that it was recorded under, or the policy's name where that is gone."""
        try:
            if asked.policy:
                self.validator.policies.get(asked.policy)
        except PolicyNotFound:
            return asked.policy.partition("@")[0]
        return asked.policy


_DELETED = "the content of its documents is deleted, so it cannot be run again"


def _cannot(recorded: Validation, problem: str) -> WrongState:
    return WrongState(name=recorded.name, state=recorded.state.value, wanted=problem)


def _event(caller: Caller, recorded: Validation, found: Sequence[Difference]) -> AuditEvent:
    return AuditEvent(
        tenant=caller.tenant,
        actor=caller.client,
        action="validation.replayed",
        subject=recorded.name,
        details={"differences": len(found)},
    )
