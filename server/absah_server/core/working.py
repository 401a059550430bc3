"""Work at one attempt at an accepted validation, and say how it is to go on.

A failure is of one of four classes. What time may mend (a model overloaded, a check that found no
time, a damaged document that its sender may upload again) is tried again after a while, up to
`max_attempts`; then the validation ends with what there is. So is what this worker does not know (a
policy, a checker, the form of a request), as one of a newer version may; after the last attempt it
is FAILED for that reason. What time will not mend (a document is gone) ends it as FAILED at once. A
store out of reach is no fault of the validation: it is tried again for as long as that lasts.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import logging
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from absah_sdk import DeadlinePassed
from absah_server.core import errors, names
from absah_server.core.keeping import DocumentKeeper
from absah_server.core.requesting import Request
from absah_server.core.validation import (
    CheckResult,
    Fault,
    FaultReason,
    Record,
    State,
    Validation,
)
from absah_server.core.validator import Prepared, Validator
from absah_server.telemetry import metrics, tracing

log = logging.getLogger(__name__)

TRANSIENT_FAULTS = frozenset(
    {FaultReason.OVERLOADED, FaultReason.NO_TIME_LEFT, FaultReason.MODEL_UNAVAILABLE}
)
"""Of checks: those that are likely to end otherwise at another time."""
TRANSIENT_ERRORS = (errors.Overloaded, errors.ShuttingDown, DeadlinePassed)
UNKNOWN_HERE: Mapping[type[Exception], FaultReason] = {
    errors.PolicyNotFound: FaultReason.POLICY_NOT_FOUND,
    errors.CheckerNotFound: FaultReason.CHECKER_NOT_FOUND,
}
"""A server that knows it accepted the validation: workers of its version can run it."""
PERMANENT_ERRORS: Mapping[type[Exception], FaultReason] = {
    errors.DocumentNotFound: FaultReason.DOCUMENT_NOT_FOUND,
    errors.RequestInvalid: FaultReason.INVALID_REQUEST,
    errors.LimitExceeded: FaultReason.INVALID_REQUEST,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One attempt at a validation. `broken` earlier ones count against `max_attempts`.

    `request` is None where this version cannot read what was asked. `trace` are the fields of the
    trace that it was accepted in.
    """

    validation_id: uuid.UUID
    tenant: str
    number: int
    broken: int
    job_id: int
    request_id: str
    request: Request | None
    record: Record
    create_time: datetime.datetime
    trace: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The validation's name."""
        return names.validation_name(self.validation_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Concluded:
    """The validation has ended, as SUCCEEDED or FAILED."""

    validation: Validation


@dataclass(frozen=True, kw_only=True, slots=True)
class Again:
    """The validation is to be tried again after `delay_seconds`, because of `fault`.

    It counts against `max_attempts` unless the fault is STORE_UNAVAILABLE.
    """

    fault: Fault
    delay_seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenBack:
    """The worker stops, and another is to take the validation; this attempt does not count."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dropped:
    """The validation was cancelled, or taken over by another worker: there is nothing to write."""


Settlement = Concluded | Again | GivenBack | Dropped


@dataclass(frozen=True, kw_only=True, slots=True)
class Retrying:
    """How often a validation is tried, and how long after each failure."""

    max_attempts: int = 5
    backoff_seconds: float = 1.0
    max_backoff_seconds: float = 60.0

    def delay_seconds(self, failures: int, *, chance: float) -> float:
        """Doubling with each failure, and between half and all of that as `chance` (0 to 1) says.

        The spread keeps those that failed together from coming back together.
        """
        whole = min(self.backoff_seconds * 2.0 ** min(failures - 1, 30), self.max_backoff_seconds)
        return whole * (0.5 + 0.5 * chance)


class Worker:
    """Works at attempts; several at a time may be under way."""

    def __init__(
        self,
        *,
        validator: Validator,
        keeper: DocumentKeeper,
        retrying: Retrying,
        deadline_seconds: float,
    ) -> None:
        self._validator = validator
        self._keeper = keeper
        self._retrying = retrying
        self._deadline_seconds = deadline_seconds

    async def work(
        self, attempt: Attempt, *, ended: Callable[[int, CheckResult], None]
    ) -> Concluded | Again:
        """Run the validation and say how it ended, or when to try it again.

        `ended` is told each result as its check ends, with its position in the plan. Contents of
        artifacts are durable once this returns. Carries on the attempt's trace to the end of the
        current task.
        """
        tracing.carry_on(attempt.trace.items())
        if attempt.broken >= self._retrying.max_attempts:
            return _failed(attempt, self._exhausted())
        if attempt.request is None:
            message = "the request is not in a form that this version reads"
            return self._elsewhere(
                attempt, Fault(reason=FaultReason.INVALID_REQUEST, message=message)
            )
        try:
            made = await self._run(attempt, attempt.request, ended)
            await self._keep_artifacts(made.check_results)
        except errors.StoreUnavailable as exc:
            fault = Fault(reason=FaultReason.STORE_UNAVAILABLE, message=str(exc))
            return Again(fault=fault, delay_seconds=self._delay_seconds(attempt.number))
        except TRANSIENT_ERRORS as exc:
            return self._again(attempt, Fault(reason=FaultReason.OVERLOADED, message=str(exc)))
        except errors.ContentDamaged as exc:
            # Who uploads it again mends it.
            return self._again(attempt, Fault(reason=FaultReason.CONTENT_DAMAGED, message=str(exc)))
        except tuple(UNKNOWN_HERE) as exc:
            return self._elsewhere(attempt, _fault(exc, UNKNOWN_HERE))
        except tuple(PERMANENT_ERRORS) as exc:
            return _failed(attempt, _fault(exc, PERMANENT_ERRORS))
        except Exception:
            # The traceback goes to the log alone: it may hold parts of the document.
            log.exception("attempt broke", extra={"validation": attempt.name})
            message = "it broke at this; the server's log says where"
            fault = Fault(reason=FaultReason.CHECKER_FAILED, message=message)
            return self._again(attempt, fault)
        doubt = _transient(made.check_results)
        if doubt and attempt.broken + 1 < self._retrying.max_attempts:
            return self._again(attempt, doubt)
        return Concluded(validation=made)

    def unwritable(self, attempt: Attempt) -> Concluded | Again:
        """How to go on where the store refused what was made, as it may hold what no store can."""
        message = "its outcome could not be recorded; the server's log says why"
        return self._again(attempt, Fault(reason=FaultReason.CHECKER_FAILED, message=message))

    async def _run(
        self, attempt: Attempt, request: Request, ended: Callable[[int, CheckResult], None]
    ) -> Validation:
        began = asyncio.get_running_loop().time()
        prepared = await self._prepare(attempt, request)
        positions = {step.key: position for position, step in enumerate(prepared.plan.steps)}
        made = await self._validator.run(
            prepared,
            deadline=began + self._deadline_seconds,
            ended=lambda result: ended(positions[result.checker, result.document], result),
            tenant=attempt.tenant,
        )
        decision = made.verdict.decision.value if made.verdict else ""
        seconds = asyncio.get_running_loop().time() - began
        metrics.validation_ended(made.record.policy, decision, seconds)
        return made

    async def _prepare(self, attempt: Attempt, request: Request) -> Prepared:
        """The accepted submission once more, under the id and the time of its acceptance.

        Its documents stay while it has not ended, so that their tenant need not be asked again.
        """
        contents: dict[str, bytes] = {}
        for digest in {document.digest for document in request.documents}:
            contents[digest] = await self._keeper.blobs.get(digest)
        submission = request.submission(attempt.request_id, contents)
        return dataclasses.replace(
            await self._validator.prepare_aside(submission),
            id=attempt.validation_id,
            create_time=attempt.create_time,
        )

    async def _keep_artifacts(self, results: Sequence[CheckResult]) -> None:
        await self._keeper.keep(
            (record.digest, artifact.content)
            for result in results
            for record, artifact in zip(result.artifacts, result.result.artifacts, strict=True)
        )

    def _again(self, attempt: Attempt, fault: Fault) -> Concluded | Again:
        return self._unless_last(attempt, fault, at_last=self._exhausted(because=fault.message))

    def _elsewhere(self, attempt: Attempt, fault: Fault) -> Concluded | Again:
        """Leave it to another worker, if there is one that can do it."""
        return self._unless_last(attempt, fault, at_last=fault)

    def _unless_last(self, attempt: Attempt, fault: Fault, *, at_last: Fault) -> Concluded | Again:
        failures = attempt.broken + 1
        if failures >= self._retrying.max_attempts:
            return _failed(attempt, at_last)
        return Again(fault=fault, delay_seconds=self._delay_seconds(failures))

    def _delay_seconds(self, failures: int) -> float:
        return self._retrying.delay_seconds(failures, chance=random.random())  # noqa: S311

    def _exhausted(self, *, because: str = "") -> Fault:
        message = f"{self._retrying.max_attempts} attempts at it failed or were lost"
        return Fault(
            reason=FaultReason.ATTEMPTS_EXHAUSTED,
            message=f"{message}; the last: {because}" if because else message,
        )


def _transient(results: Sequence[CheckResult]) -> Fault | None:
    """Why another attempt may end better, None if it would not."""
    return next((r.fault for r in results if r.fault and r.fault.reason in TRANSIENT_FAULTS), None)


def _fault(error: Exception, reasons: Mapping[type[Exception], FaultReason]) -> Fault:
    kind = next(kind for kind in reasons if isinstance(error, kind))
    return Fault(reason=reasons[kind], message=str(error))


def _failed(attempt: Attempt, fault: Fault) -> Concluded:
    return Concluded(
        validation=Validation(
            name=attempt.name,
            request_id=attempt.request_id,
            state=State.FAILED,
            record=attempt.record,
            create_time=attempt.create_time,
            update_time=datetime.datetime.now(datetime.UTC),
            error=fault,
        )
    )
