"""Accept validations durably, and record those that are answered at once.

What is accepted or answered under a policy is in the store before anybody is told of it, its
documents' contents before that. A request id leads to one validation, however often it comes.
"""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from absah_sdk.errors import AbsahError, DeadlinePassed
from absah_server.core import names, requesting, submission
from absah_server.core.admission import Admission
from absah_server.core.callers import Caller
from absah_server.core.errors import (
    Overloaded,
    RequestIdReused,
    ShuttingDown,
    StoreUnavailable,
)
from absah_server.core.requesting import Request, RequestedDocument
from absah_server.core.submission import Submission
from absah_server.core.validation import CheckResult, Validation
from absah_server.core.validator import Prepared, Validator
from absah_server.telemetry import tracing

RETRY_AFTER_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A validation to be written, with all that belongs to it.

    It is PENDING, and is then to be run, or has ended. Contents of its documents are kept already;
    `stored` are the digests of those that were named, not sent. `digest` is that of the request as
    it came, by which one that comes again is known. `trace` are the fields of the trace that it
    came with.
    """

    id: uuid.UUID
    caller: Caller
    digest: bytes
    request: Request
    validation: Validation
    stored: frozenset[str] = frozenset()
    trace: Mapping[str, str] = field(default_factory=dict)


class Validations(Protocol):
    """Keeps validations. All methods raise `StoreUnavailable`."""

    @property
    def available(self) -> bool:
        """Whether the store answered last time."""

    async def accept(self, entry: Entry) -> Validation:
        """Write a validation, or find the one that the caller's request id leads to already.

        Raises `RequestIdReused`, or `DocumentNotFound` if a named document has gone meanwhile.
        """

    async def find(self, caller: Caller, request_id: str) -> tuple[Validation, bytes] | None:
        """The validation that a request id leads to, with the request's digest."""


class Keeper(Protocol):
    """Keeps contents; see `keeping.DocumentKeeper`."""

    async def keep(self, contents: Iterable[tuple[str, bytes]]) -> None: ...

    async def sizes(self, tenant: str, digests: Collection[str]) -> Mapping[str, int]: ...

    async def fetch(self, tenant: str, digest: str) -> bytes: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Acceptance:
    """The door for what is to be kept. `admission` bounds how many are being accepted.

    Documents that are named are loaded once there is a place, for which their sizes count.
    """

    validator: Validator
    validations: Validations
    keeper: Keeper
    admission: Admission

    async def create(self, caller: Caller, request: Submission, *, deadline: float) -> Validation:
        """Accept a validation for workers to run, or return the one of this request id.

        Raises `StoreUnavailable`, `Overloaded`, `DeadlinePassed`, `DocumentNotFound`,
        `RequestIdReused` and what `Validator.prepare` raises; then nothing was accepted, except
        that `StoreUnavailable` may come after all was written.
        """
        self._verify_available()
        try:
            return await self._create(caller, await self._sized(caller, request), deadline)
        except _BUSY:
            raise
        except AbsahError:
            # Policies and documents may have gone since it was accepted.
            if earlier := await self._earlier(caller, request):
                return earlier
            raise

    async def _create(self, caller: Caller, request: Submission, deadline: float) -> Validation:
        async with self.admission.place(
            request.priority, deadline=deadline, size_bytes=request.size_bytes
        ):
            whole = await self._whole(caller, request)
            prepared = await self.validator.prepare_aside(whole)
            await self.keeper.keep(_sent(request, prepared))
            pending = self.validator.pending(prepared)
            return await self.validations.accept(_entry(caller, request, prepared, pending))

    async def validate(self, caller: Caller, request: Submission, *, deadline: float) -> Validation:
        """Validate at once; under a policy, record it before answering.

        One whose request id came before is not run again, but answered as it stands, which may be
        before its end. Raises as `Validator.validate` and `create`.
        """

        async def whole() -> Submission:
            return await self._whole(caller, request)

        if not request.policy:
            request = await self._sized(caller, request)
            return await self.validator.validate(request, deadline=deadline, whole=whole)
        self._verify_available()
        if earlier := await self._earlier(caller, request):
            return earlier
        request = await self._sized(caller, request)
        async with self._keeping(request) as keeping:
            made = await self.validator.validate(
                request, deadline=deadline, whole=whole, begun=keeping.begin, tenant=caller.tenant
            )
        assert keeping.prepared
        await self.keeper.keep(_artifacts(made.check_results))
        recorded = await self.validations.accept(_entry(caller, request, keeping.prepared, made))
        return made if recorded.name == made.name else recorded

    def _verify_available(self) -> None:
        if not self.validations.available:
            raise StoreUnavailable(retry_after_seconds=RETRY_AFTER_SECONDS)

    async def _earlier(self, caller: Caller, request: Submission) -> Validation | None:
        if not request.request_id:
            return None
        submission.verify(request, self.validator.limits)
        found = await self.validations.find(caller, request.request_id)
        if found is None:
            return None
        validation, digest = found
        if digest != requesting.digest(request, requesting.digests(request)):
            raise RequestIdReused(request_id=request.request_id, name=validation.name)
        return validation

    async def _sized(self, caller: Caller, request: Submission) -> Submission:
        """The submission with the sizes of all documents that it names."""
        digests = _named(request)
        if not digests:
            return request
        submission.verify(request, self.validator.limits)
        sizes = await self.keeper.sizes(caller.tenant, digests)
        attachments = [
            dataclasses.replace(attachment, stored_bytes=sizes[digest])
            if (digest := names.parse_digest(attachment.stored))
            else attachment
            for attachment in request.attachments
        ]
        sized = dataclasses.replace(request, attachments=attachments)
        submission.verify(sized, self.validator.limits)
        return sized

    async def _whole(self, caller: Caller, request: Submission) -> Submission:
        """The submission with the contents of all documents that it names."""
        contents = {
            digest: await self.keeper.fetch(caller.tenant, digest)
            for digest in dict.fromkeys(_named(request))
        }
        attachments = [
            dataclasses.replace(attachment, content=contents[digest], stored="")
            if (digest := names.parse_digest(attachment.stored))
            else attachment
            for attachment in request.attachments
        ]
        return dataclasses.replace(request, attachments=attachments)

    @asynccontextmanager
    async def _keeping(self, request: Submission) -> AsyncIterator[_Keeping]:
        """Keep the documents beside the checks, and have them kept at the end."""
        keeping = _Keeping(self.keeper, request)
        try:
            yield keeping
            await keeping.ended()
        finally:
            keeping.cancel()


_BUSY = (StoreUnavailable, Overloaded, ShuttingDown, DeadlinePassed)
"""Errors that say nothing about the request."""


class _Keeping:
    """The documents of one validation, being kept while it runs."""

    def __init__(self, keeper: Keeper, request: Submission) -> None:
        self._keeper = keeper
        self._request = request
        self._task: asyncio.Task[None] | None = None
        self.prepared: Prepared | None = None

    def begin(self, prepared: Prepared) -> None:
        self.prepared = prepared
        sent = _sent(self._request, prepared)
        self._task = asyncio.ensure_future(self._keeper.keep(sent))

    async def ended(self) -> None:
        if self._task:
            await self._task

    def cancel(self) -> None:
        if self._task and not self._task.cancel() and not self._task.cancelled():
            self._task.exception()  # seen; what the checks raised goes before it


def _named(request: Submission) -> list[str]:
    """Digests of the documents that it names, in their order."""
    digests = (names.parse_digest(attachment.stored) for attachment in request.attachments)
    return [digest for digest in digests if digest]


def _sent(request: Submission, prepared: Prepared) -> list[tuple[str, bytes]]:
    """Digests and contents of the documents that were sent, not named."""
    pairs = zip(request.attachments, prepared.documents, strict=True)
    return [(document.digest, document.content) for a, document in pairs if not a.stored]


def _artifacts(results: Sequence[CheckResult]) -> list[tuple[str, bytes]]:
    return [
        (record.digest, artifact.content)
        for result in results
        for record, artifact in zip(result.artifacts, result.result.artifacts, strict=True)
    ]


def _entry(caller: Caller, request: Submission, prepared: Prepared, value: Validation) -> Entry:
    digests = [document.digest for document in prepared.documents]
    pairs = list(zip(request.attachments, digests, strict=True))
    return Entry(
        id=prepared.id,
        caller=caller,
        digest=requesting.digest(request, digests),
        request=Request(
            policy=prepared.policy_reference,
            checkers=tuple(request.checkers),
            documents=[
                RequestedDocument(
                    role=a.role, filename=a.filename, digest=digest, is_text=a.text is not None
                )
                for a, digest in pairs
            ],
            claims=request.claims,
            priority=request.priority,
        ),
        validation=value,
        stored=frozenset(digest for a, digest in pairs if a.stored),
        trace=tracing.carried(),
    )
