"""Errors that the core knows: each carries its facts and nothing about transport."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from absah_sdk.errors import AbsahError


class ModelInvalid(AbsahError):
    """A model of the repository cannot be served as its files stand.

    `file` is the file at fault, `field` the place in it ("input[0].dims", "line 7"), empty where
    the whole file is meant; `hint` says what to do about it.
    """

    def __init__(
        self, *, model: str, file: str, field: str = "", problem: str, hint: str = ""
    ) -> None:
        self.name = self.model = model
        self.file = file
        self.field = field
        self.problem = problem
        self.hint = hint
        place = f"{file}: {field}" if field else file
        advice = f" ({hint})" if hint else ""
        super().__init__(f"model {model!r}: {place}: {problem}{advice}")


class ModelUnknown(AbsahError):
    """No such model, or version of it, is here."""

    def __init__(self, *, model: str) -> None:
        self.name = self.model = model
        super().__init__(f"there is no model {model!r} here, or it is not loaded")


class ModelInUse(AbsahError):
    """A version answers requests, so it cannot be unloaded."""

    def __init__(self, *, model: str, version: str) -> None:
        self.name = self.model = model
        self.version = version
        super().__init__(
            f"version {version} of model {model!r} answers requests; promote another, or roll back"
        )


class RolloutRefused(AbsahError):
    """A model's rollout cannot be changed as asked."""

    def __init__(self, *, model: str, problem: str) -> None:
        self.name = self.model = model
        super().__init__(f"model {model!r}: {problem}")


class Overloaded(AbsahError):
    """A queue is full; trying again after `retry_after_seconds` is likely to succeed."""

    def __init__(self, *, retry_after_seconds: float) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"overloaded, try again in {retry_after_seconds:.2f} s")


class ShuttingDown(AbsahError):
    """The server takes no new work."""


class RequestInvalid(AbsahError):
    """A request is malformed; `violations` are pairs of a field's path and what is wrong there."""

    def __init__(self, *violations: tuple[str, str]) -> None:
        self.violations = violations
        super().__init__("; ".join(f"{field}: {problem}" for field, problem in violations))


class DocumentsUnexpected(RequestInvalid):
    """The documents are not those that the policy expects."""


class ClaimsUnexpected(RequestInvalid):
    """The claims are not those that the policy expects."""


class LimitExceeded(AbsahError):
    """A request is larger than the setting `limit` allows."""

    def __init__(self, *, limit: str, allowed: int, actual: int, unit: str) -> None:
        self.limit = limit
        self.allowed = allowed
        self.actual = actual
        self.unit = unit
        super().__init__(f"{actual:,} {unit}, where at most {allowed:,} are accepted ({limit})")


class PolicyNotFound(AbsahError):
    """No policy has this name and version."""

    def __init__(self, *, name: str) -> None:
        self.name = name
        super().__init__(f"there is no policy {name!r}")


class CheckerNotFound(AbsahError):
    """No checker has this name."""

    def __init__(self, *, name: str) -> None:
        self.name = name
        super().__init__(f"there is no checker {name!r}")


class PolicyInvalid(AbsahError):
    """A policy file has a mistake; `line` counts from 1."""

    def __init__(self, *, file: str, line: int, problem: str) -> None:
        self.file = file
        self.line = line
        self.problem = problem
        super().__init__(f"{file}, line {line}: {problem}")


class PolicyFolderMissing(AbsahError):
    """The folder that policies are to be read from is not there."""

    def __init__(self, *, folder: str) -> None:
        self.folder = folder
        super().__init__(
            f"there is no folder {folder} to read policies from (setting policies); "
            "name one that exists, which may be empty"
        )


class PluginInvalid(AbsahError):
    """A plugin cannot be used: its settings, its models or what it requires do not fit."""


class StoreUnavailable(AbsahError):
    """What keeps validations or documents cannot be reached; nothing was accepted for certain."""

    def __init__(
        self, *, retry_after_seconds: float, what: str = "the database", why: str = ""
    ) -> None:
        self.retry_after_seconds = retry_after_seconds
        self.what = what
        advice = why or f"try again in {retry_after_seconds:.0f} s"
        super().__init__(f"{what} cannot be reached; {advice}")


class StoreFull(StoreUnavailable):
    """No space is left for documents; nothing was kept."""

    def __init__(self, *, retry_after_seconds: float, what: str) -> None:
        super().__init__(retry_after_seconds=retry_after_seconds, what=what)
        self.args = (f"{what} has no space left; its operator must make room",)


class StoreHindered(StoreUnavailable):
    """The database answers, but cannot do what it was asked just now; `problem` is why."""

    def __init__(self, *, retry_after_seconds: float, problem: str) -> None:
        super().__init__(retry_after_seconds=retry_after_seconds)
        self.args = (f"the database {problem}; try again in {retry_after_seconds:.0f} s",)


class ValidationNotFound(AbsahError):
    """No validation has this name, or it is another tenant's."""

    def __init__(self, *, name: str) -> None:
        self.name = name
        super().__init__(f"there is no validation {name!r}")


class DocumentNotFound(AbsahError):
    """No such document is kept, or its content is deleted."""

    def __init__(self, *, name: str) -> None:
        self.name = name
        super().__init__(f"there is no document {name!r}; upload it first")


class DocumentInUse(AbsahError):
    """A validation that has not ended needs the document."""

    def __init__(self, *, name: str) -> None:
        self.name = name
        super().__init__(f"{name!r} is needed by a validation that has not ended")


class ContentDamaged(AbsahError):
    """What is stored is not what its digest says: a disk or a person altered it."""

    def __init__(self, *, name: str) -> None:
        self.name = name
        super().__init__(f"the stored content of {name!r} is damaged; upload it again")


class ContentMismatch(RequestInvalid):
    """What was uploaded is not what its digest or size says."""


class OffsetBeyondEnd(RequestInvalid):
    """A download is to begin where the document has ended."""


class UploadGap(RequestInvalid):
    """An upload does not go on where it broke off."""


class RequestIdReused(AbsahError):
    """The same client sent other content under the same request id before."""

    def __init__(self, *, request_id: str, name: str) -> None:
        self.request_id = request_id
        self.name = name
        super().__init__(f"request id {request_id!r} was used for {name}, whose content is another")


class WrongState(AbsahError):
    """The state of `name` does not allow what was asked."""

    def __init__(self, *, name: str, state: str, wanted: str) -> None:
        self.name = name
        self.state = state
        super().__init__(f"{name} is {state}; {wanted}")


class JobInWrongState(WrongState):
    """The state of a job does not allow what was asked."""


class JobNotFound(AbsahError):
    """No such job is kept, or it is another tenant's."""

    def __init__(self, *, name: str) -> None:
        self.name = name
        super().__init__(f"there is no job {name!r}; it may have been purged")


class DeadLetterNotFound(AbsahError):
    """No dead letter has this name, or it is another tenant's."""

    def __init__(self, *, name: str) -> None:
        self.name = name
        super().__init__(f"there is no dead letter {name!r}")


class NothingKept(AbsahError):
    """The server has no store, by its settings."""

    def __init__(self) -> None:
        super().__init__('this server keeps nothing (store.kind = "none")')


class ReviewNotFound(AbsahError):
    """No review has this name, or it is another tenant's."""

    def __init__(self, *, name: str) -> None:
        self.name = name
        super().__init__(f"there is no review {name!r}")


class ReviewClaimed(AbsahError):
    """Somebody else has claimed the review; `until` is when that ends by itself."""

    def __init__(self, *, name: str, reviewer: str, until: datetime.datetime) -> None:
        self.name = name
        self.reviewer = reviewer
        self.until = until
        super().__init__(f"{name} is claimed by {reviewer} until {until:%Y-%m-%d %H:%M:%S} UTC")


class ReviewNotClaimed(AbsahError):
    """What was asked is only for whoever has claimed the review, while the claim lasts."""

    def __init__(self, *, name: str, reviewer: str) -> None:
        self.name = name
        self.reviewer = reviewer
        super().__init__(f"{name} is not claimed by {reviewer}, or no longer; claim it first")


class ReviewDecided(AbsahError):
    """A person has decided the review already, which is final."""

    def __init__(self, *, name: str, reviewer: str, decision: str) -> None:
        self.name = name
        self.reviewer = reviewer
        self.decision = decision
        super().__init__(f"{name} is decided: {decision}, by {reviewer}")


class ChainBroken(AbsahError):
    """The audit log is not as it was sealed; this is the first place where that shows.

    `line` counts from 1 in an export, and is 0 in the database.
    """

    def __init__(self, *, sequence: int, problem: str, line: int = 0) -> None:
        self.sequence = sequence
        self.problem = problem
        self.line = line
        place = f"line {line}, sequence {sequence}" if line else f"sequence {sequence}"
        super().__init__(f"{place}: {problem}")


class ContentStoreUnknown(AbsahError):
    """The documents of the database are not in the store that the settings name, `where`."""

    def __init__(self, *, where: str) -> None:
        self.where = where
        super().__init__(
            f"the documents of this database are not in {where}; all servers and workers of one "
            "database need the same folder (`data`) or bucket (`blobs`). If the documents are lost "
            "for good, start once with ABSAH_BLOBS__ADOPT=true"
        )


class SchemaOutdated(AbsahError):
    """The database lacks migrations that this version needs."""

    def __init__(self, *, missing: Sequence[int]) -> None:
        self.missing = missing
        numbers = ", ".join(f"{version:04}" for version in missing)
        super().__init__(f"the database lacks migration {numbers}; run: absah db migrate")


class SchemaBusy(AbsahError):
    """A migration gave way to what holds the locks that it needs; nothing of it was done."""

    def __init__(self, *, version: int, name: str) -> None:
        self.version = version
        super().__init__(
            f"migration {version:04} ({name}) gave way, since others are using what it changes; "
            "what came before it is applied. Run it again, at a quieter time if need be"
        )


class SchemaUnknown(AbsahError):
    """The database holds a migration that is not the one of this number here."""

    def __init__(self, *, version: int, name: str) -> None:
        self.version = version
        super().__init__(
            f"migration {version:04} ({name}) of the database is not the one of this version; "
            "is it the database of another program, or of a build that was never released?"
        )
