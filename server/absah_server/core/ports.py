"""What the core needs from the outside: a way to run models and a way to decode hostile bytes."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from absah_sdk import Model, Page
from absah_sdk.checking import Array
from absah_server.core.audit import AuditEvent, AuditFilter, Head, Place, SealedEvent, Waiting
from absah_server.core.callers import Caller
from absah_server.core.documents import StoredDocument
from absah_server.core.review import Review, ReviewFilter, Ruling
from absah_server.core.validation import CheckResult


class LoadedModel(Model, Protocol):
    """A loaded model with the digest of its files."""

    @property
    def digest(self) -> str:
        """SHA-256 in lower-case hexadecimal."""


class Inference(Protocol):
    """Runs the models of one model repository."""

    async def start(self) -> None:
        """Load and warm up every model; raises `ModelInvalid` naming file and field."""

    def models(self) -> Mapping[str, LoadedModel]:
        """The loaded models by name."""

    async def infer(
        self, model: str, inputs: Mapping[str, Array], *, deadline: float
    ) -> Mapping[str, Array]:
        """Run one batch (first axis: items).

        `deadline` is an event loop time (`loop.time()`); a queued item whose deadline has passed,
        or whose caller was cancelled, is dropped without being run. Raises `InferenceFailed`,
        `DeadlinePassed`, `ModelUnknown` or, when the model's queue is full, `Overloaded`.
        """

    async def close(self) -> None:
        """Finish what is running and let go of the models."""


class ModelUse(Protocol):
    """The models as one check sees them: each in the one version that the check met first."""

    async def infer(
        self, model: str, inputs: Mapping[str, Array], *, deadline: float
    ) -> Mapping[str, Array]:
        """As `Inference.infer`."""

    def used(self) -> Mapping[str, LoadedModel]:
        """The versions that the check met so far, by model."""


class ModelTraffic(Inference, Protocol):
    """Leads each check to one version of a model, while versions come and go."""

    def use(self) -> AbstractContextManager[ModelUse]:
        """The models for the length of one check."""


@runtime_checkable
class Dependency(Protocol):
    """Something outside this process that goes away and comes back; health follows it."""

    @property
    def available(self) -> bool:
        """Whether it was there when it was last looked at."""

    async def changed(self) -> None:
        """Wait for a change, of `available` maybe."""


class Sandbox(Protocol):
    """Runs code over hostile bytes in processes that may be killed and replaced."""

    async def start(self) -> None: ...

    async def decode(self, content: bytes, media_type: str, *, deadline: float) -> DecodedPages:
        """Decode an image or PDF to pixels; raises `DocumentUnreadable` or `DeadlinePassed`."""

    async def isolate(
        self, function: Callable[..., Any], args: Sequence[Any], *, deadline: float
    ) -> Any:
        """Run a module-level function; raises what it raises, or `DocumentUnreadable` when the
        process dies or uses too much memory or time."""

    async def close(self) -> None: ...


class DecodedPages(Protocol):
    """Pages of pixels in memory shared with the process that decoded them."""

    @property
    def pages(self) -> Sequence[Page]: ...
    @property
    def frames(self) -> int: ...
    def release(self) -> None:
        """Let go of the shared memory; the pages must not be read after this."""


class Blobs(Protocol):
    """Keeps contents by their SHA-256 (lower-case hexadecimal), each once.

    All raise `StoreUnavailable` when the store cannot be reached. Who keeps what a row is to refer
    to goes by way of `keeping.DocumentKeeper`, which also holds off who purges.
    """

    async def start(self) -> None:
        """Make ready."""

    async def put(self, digest: str, content: bytes) -> None:
        """Keep a content; it is durable once this returns. Putting what is there is cheap, and
        mends what is damaged."""

    async def adopt(self, digest: str, path: Path) -> None:
        """Keep a file's content, which was verified; durable once this returns.

        The file is the store's from then on: it is moved or removed.
        """

    async def get(self, digest: str) -> bytes:
        """The whole content, verified; raises `DocumentNotFound` or `ContentDamaged`."""

    async def delete(self, digest: str) -> None:
        """Remove a content; removing what is not there changes nothing."""

    def digests(self, *, older_than_seconds: float) -> AsyncIterator[str]:
        """What is there and was not put for so long."""

    async def close(self) -> None:
        """Finish what is being written."""


class DocumentIndex(Protocol):
    """Knows which tenant has which content, and in what state. All raise `StoreUnavailable`."""

    async def is_ready(self, tenant: str, digest: str) -> bool:
        """Whether the tenant has this document, with its content."""

    async def sizes(self, tenant: str, digests: Collection[str]) -> Mapping[str, int]:
        """The bytes of those that the tenant has, by digest."""

    async def find(self, tenant: str, digest: str) -> StoredDocument | None:
        """The tenant's document; `received_bytes` is 0 until it is READY."""

    async def spare(self, digests: Collection[str]) -> None:
        """Let nobody purge these contents for the next minutes, in which a row may refer to them.

        Waits for a purge of one of them that is under way.
        """

    async def begin_upload(self, tenant: str, digest: str, size_bytes: int) -> None:
        """Write that a document is coming. One that is READY stays so."""

    async def finish_upload(
        self, tenant: str, digest: str, size_bytes: int, media_type: str
    ) -> StoredDocument:
        """Write that it is there. Its content must be kept already."""

    async def renew(self, tenant: str, digest: str) -> StoredDocument | None:
        """Keep what is READY for as long as if it were uploaded now; None where it is not."""

    async def delete(self, caller: Caller, digest: str) -> StoredDocument:
        """Delete a tenant's document; its content goes once no tenant has it.

        What was read from it goes from the records of validations at once. Deleting what is deleted
        changes nothing. Raises `DocumentNotFound` or `DocumentInUse`.
        """


class Partial(Protocol):
    """One upload under way."""

    @property
    def size_bytes(self) -> int:
        """How much of it is there."""

    @property
    def path(self) -> Path:
        """The file that it is in."""

    def digest(self) -> str:
        """The SHA-256 of what is there."""

    async def append(self, chunk: bytes) -> None:
        """Write a chunk at the end. Raises `StoreFull` or `StoreUnavailable`."""

    async def head(self, size_bytes: int) -> bytes:
        """What it begins with, at most so much."""

    async def discard(self) -> None:
        """Remove it."""

    async def release(self) -> None:
        """Let go of it; unless it was discarded or adopted, it can be gone on with."""


class Partials(Protocol):
    """Uploads that are not whole yet. All raise `StoreFull` or `StoreUnavailable`."""

    async def open(self, tenant: str, digest: str, *, offset_bytes: int) -> Partial:
        """Go on where one broke off, or begin anew at byte 0. Raises `UploadGap`."""

    async def received_bytes(self, tenant: str, digest: str) -> int:
        """How much has arrived of one that broke off; 0 where none did."""

    async def discard(self, tenant: str, digest: str) -> None:
        """Remove what broke off of this content."""

    async def purge(self, *, older_than_seconds: float, tenant: str | None = None) -> int:
        """Remove what broke off so long ago, and tell how many the tenant, or all, had."""


class AuditLog(Protocol):
    """The audit log of every tenant. All raise `StoreUnavailable`."""

    async def append(self, events: Sequence[AuditEvent]) -> None:
        """Add events that come with no other change."""

    async def head(self, tenant: str) -> Head:
        """Where the tenant's chain ends; sequence 0 and zeros where it has not begun."""

    async def at(self, tenant: str, sequence: int) -> Head | None:
        """The sequence and hash of one sealed event, None where there is none."""

    async def waiting(self, tenant: str) -> Waiting:
        """What is not sealed yet."""

    async def untold(self, tenant: str, *, limit: int) -> list[str]:
        """Names of validations that were decided without an event that tells of it."""

    def sealed(self, tenant: str, *, after: int) -> AsyncIterator[list[SealedEvent]]:
        """The sealed events with a sequence above `after`, in order, some at a time."""

    async def listed(
        self, tenant: str, wanted: AuditFilter, *, after: Place | None, limit: int
    ) -> Sequence[SealedEvent]:
        """The newest first, those that come after a place: those that wait to be sealed, which
        have sequence 0, and then by their sequence."""


class Reviews(Protocol):
    """Reviews of each tenant; every change is written with its audit event.

    All raise `StoreUnavailable`, and those that name a review `ReviewNotFound`.
    """

    async def get(self, tenant: str, review_id: uuid.UUID) -> Review:
        """One review, with the verdict that it is about."""

    async def listed(
        self, tenant: str, wanted: ReviewFilter, *, after: uuid.UUID | None, limit: int
    ) -> list[Review]:
        """Without verdicts, the oldest first, those after an id."""

    async def claim(
        self, caller: Caller, review_id: uuid.UUID, *, reviewer: str, seconds: float
    ) -> Review:
        """Raises `ReviewClaimed` or `ReviewDecided`."""

    async def release(self, caller: Caller, review_id: uuid.UUID, *, reviewer: str) -> Review:
        """Raises `ReviewNotClaimed` or `ReviewDecided`."""

    async def decide(self, caller: Caller, review_id: uuid.UUID, ruling: Ruling) -> Review:
        """Raises `ReviewNotClaimed` or `ReviewDecided`."""


class ResultCache(Protocol):
    """Keeps results of checks by keys that stand for all they depended on; see `caching`."""

    async def find(self, keys: Collection[bytes]) -> Mapping[bytes, CheckResult]:
        """Those that are kept, with the contents of their artifacts.

        Raises `StoreUnavailable`.
        """

    def keep(self, key: bytes, result: CheckResult, *, tenant: str, digest: str) -> None:
        """Keep a result soon, or not at all where there is too much to keep; never waits.

        `digest` is that of the document, with which the result is forgotten.
        """
