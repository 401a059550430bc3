"""Run the checks of a plan: in parallel, within the time there is, each on its own risk."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from absah_sdk import (
    Artifact,
    DeadlinePassed,
    Document,
    DocumentUnreadable,
    Finding,
    Form,
    Outcome,
    Result,
    Severity,
)
from absah_sdk.checking import Array
from absah_server.core import errors, validation
from absah_server.core.availability import Availability
from absah_server.core.caching import Reuse, Reused
from absah_server.core.pages import PageSupply
from absah_server.core.planning import Key, Plan, Step
from absah_server.core.ports import LoadedModel, ModelTraffic, ModelUse, Sandbox
from absah_server.core.validation import (
    UNREADABLE,
    ArtifactRecord,
    CheckResult,
    Fault,
    FaultReason,
    ModelRecord,
)
from absah_server.telemetry import metrics, tracing

log = logging.getLogger(__name__)

T = TypeVar("T")
ENOUGH_SECONDS = 0.02
"""A check is not begun with less time than this."""


class Context:
    """What a checker may ask for during one check; satisfies the SDK's CheckContext."""

    def __init__(
        self,
        *,
        runner: Runner,
        models: ModelUse,
        results: Mapping[str, Result],
        claims: Mapping[str, Any],
        deadline: float,
    ) -> None:
        self._runner = runner
        self._models = models
        self._loop = asyncio.get_running_loop()
        self._deadline = deadline
        self.results = results
        self.claims = claims

    def remaining_seconds(self) -> float:
        return max(self._deadline - self._loop.time(), 0.0)

    def infer(self, model: str, inputs: Mapping[str, Array]) -> Awaitable[Mapping[str, Array]]:
        return self._models.infer(model, inputs, deadline=self._deadline)

    def isolate(self, function: Callable[..., T], *args: Any) -> Awaitable[T]:
        return self._runner.sandbox.isolate(function, args, deadline=self._deadline)

    def wait(self, awaitable: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await awaitable

        waiting = awaited()
        try:
            future = asyncio.run_coroutine_threadsafe(waiting, self._loop)
            return future.result(self.remaining_seconds())
        except TimeoutError as exc:
            future.cancel()
            raise DeadlinePassed("the time for this check ran out") from exc
        finally:
            # What the loop never began, as the check was cancelled meanwhile, nobody else ends.
            for each in (waiting, awaitable):
                if inspect.iscoroutine(each) and inspect.getcoroutinestate(each) == "CORO_CREATED":
                    each.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class Runner:
    """Runs plans. `threads` is where sync checks run."""

    inference: ModelTraffic
    availability: Availability
    sandbox: Sandbox
    threads: Executor
    max_decoded_documents: asyncio.Semaphore
    reuse: Reuse | None = None

    async def run(
        self,
        plan: Plan,
        *,
        claims: Mapping[str, Any],
        deadline: float,
        condition: Callable[[Step, list[CheckResult]], bool],
        ended: Callable[[CheckResult], None] = lambda result: None,
        tenant: str | None = None,
    ) -> list[CheckResult]:
        """Run every step and return the results in the plan's order.

        `deadline` is an event loop time by which all of it has ended: what has not is SKIPPED.
        `condition` evaluates a step's `when`; `ended` is told each result as its check ends, and
        must not block. Cancelling this cancels every step. Results of earlier checks on the same
        stand for checks of this `tenant`; without one, every check runs.
        """
        run = _Run(
            runner=self,
            claims=claims,
            deadline=deadline,
            condition=condition,
            plan=plan,
            ended=ended,
        )
        return await run.all(tenant)


class _Run:
    """One plan under way."""

    def __init__(
        self,
        *,
        runner: Runner,
        plan: Plan,
        claims: Mapping[str, Any],
        deadline: float,
        condition: Callable[[Step, list[CheckResult]], bool],
        ended: Callable[[CheckResult], None],
    ) -> None:
        self._tell_ended = ended
        self._runner = runner
        self._plan = plan
        self._claims = claims
        self._deadline = deadline
        self._condition = condition
        self._loop = asyncio.get_running_loop()
        self._ended: dict[Key, CheckResult] = {}
        self._met: dict[Key, Mapping[str, LoadedModel]] = {}
        self._pages = PageSupply(runner.sandbox, runner.max_decoded_documents)
        self._reused: Reused | None = None

    async def all(self, tenant: str | None) -> list[CheckResult]:
        if self._runner.reuse and tenant is not None:
            self._reused = await self._runner.reuse.begin(
                self._plan,
                tenant=tenant,
                claims=self._claims,
                models=self._runner.inference.models(),
                deadline=self._deadline,
            )
        steps = self._plan.steps
        if len(steps) == 1:
            await self._step(steps[0])
        else:
            await self._parallel()
        return [self._ended[step.key] for step in steps]

    async def _parallel(self) -> None:
        tasks: dict[Key, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            for step in self._plan.steps:
                before = [tasks[key] for key in step.waits_for]
                tasks[step.key] = group.create_task(self._step_after(before, step))

    async def _step_after(self, before: list[asyncio.Task[None]], step: Step) -> None:
        if before:
            await asyncio.wait(before)
        await self._step(step)

    async def _step(self, step: Step) -> None:
        began = time.perf_counter()
        with tracing.span("check") as span:
            ended = await self._outcome(step)
            made = ended if isinstance(ended, CheckResult) else self._made(step, *ended, began)
            if span.is_recording():
                span.set_attribute("absah.checker", step.checker.name)
                span.set_attribute("absah.document", step.document.name)
                span.set_attribute("absah.outcome", made.result.outcome.value)
                span.set_attribute("absah.reused", ended is made)
        if ended is made:
            metrics.check_reused(step.checker.name)
        else:
            metrics.check_ended(step.checker.name, made.result.outcome.value, made.duration_seconds)
            if self._reused:
                self._reused.keep(step, made)
        self._ended[step.key] = made
        self._tell_ended(made)

    def _made(self, step: Step, result: Result, fault: Fault | None, began: float) -> CheckResult:
        return CheckResult(
            checker=step.checker.name,
            checker_version=step.checker.version,
            document=step.document.name,
            role=step.document.role,
            result=result,
            models=self._models(step),
            artifacts=[_artifact_record(made) for made in result.artifacts],
            fault=fault,
            duration_seconds=time.perf_counter() - began,
        )

    def _models(self, step: Step) -> tuple[ModelRecord, ...]:
        if not step.checker.models:
            return ()
        loaded = {**self._runner.inference.models(), **self._met.get(step.key, {})}
        return tuple(
            ModelRecord(model=name, version=loaded[name].version, digest=loaded[name].digest)
            for name in step.checker.models
            if name in loaded
        )

    async def _outcome(self, step: Step) -> tuple[Result, Fault | None] | CheckResult:
        """How the check came out, or the whole of an earlier one that answers for it."""
        if missing := [key for key in step.requires if not _usable(self._ended[key])]:
            return validation.skipped(
                FaultReason.REQUIREMENT_MISSING,
                f"it builds on {', '.join(name for name, _ in missing)}, which has no result here",
            )
        if unreadable := _unread(self._ended[key] for key in step.requires):
            return unreadable, None
        if problem := self._runner.availability.problem(step.checker.name):
            return validation.skipped(FaultReason.MODEL_UNAVAILABLE, problem)
        if step.when and not self._condition(step, list(self._ended.values())):
            return validation.skipped(
                FaultReason.CONDITION_NOT_MET, "the policy's condition for it did not hold"
            )
        if earlier := self._reused and self._reused.find(step):
            return replace(earlier, document=step.document.name, duration_seconds=0.0)
        now = self._loop.time()
        left = self._deadline - now
        if left < ENOUGH_SECONDS:
            return validation.skipped(FaultReason.NO_TIME_LEFT, "no time was left for it")
        share = left * self._plan.shares[step.key]
        timeout = step.checker.capabilities.timeout_seconds
        return await self._guarded(step, now + min(share, timeout), short_of_time=share < timeout)

    async def _guarded(
        self, step: Step, deadline: float, *, short_of_time: bool
    ) -> tuple[Result, Fault | None]:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._check(step, deadline), None
        except DocumentUnreadable as exc:
            return _unreadable(exc), None
        except (TimeoutError, DeadlinePassed):
            if short_of_time:
                return validation.skipped(
                    FaultReason.NO_TIME_LEFT, "it did not end within its share of the time"
                )
            return _failed(f"it took more than {step.checker.capabilities.timeout_seconds:g} s")
        except errors.Overloaded:
            return validation.skipped(FaultReason.OVERLOADED, "a model that it needs is overloaded")
        except Exception:
            # The traceback goes to the log alone: it may hold parts of the document.
            log.exception("check failed", extra={"checker": step.checker.name})
            return _failed("it broke; the server's log says where")

    async def _check(self, step: Step, deadline: float) -> Result:
        results = {key[0]: self._ended[key].result for key in step.requires if key in self._ended}
        with self._runner.inference.use() as models:
            context = Context(
                runner=self._runner,
                models=models,
                results=results,
                claims=self._claims if Form.CLAIMS in step.checker.capabilities.reads else {},
                deadline=deadline,
            )
            try:
                if Form.PAGES not in step.checker.capabilities.reads:
                    return await self._call(step, step.document, context)
                async with self._pages.lend(step.document, deadline) as document:
                    return await self._call(step, document, context)
            finally:
                self._met[step.key] = models.used()

    async def _call(self, step: Step, document: Document, context: Context) -> Result:
        check = step.checker.check
        if inspect.iscoroutinefunction(check):
            result = await check(document, context)
        else:
            result = await self._loop.run_in_executor(
                self._runner.threads, check, document, context
            )
        if not isinstance(result, Result):
            raise TypeError(f"{step.checker.name} answered {type(result).__name__}, not a Result")
        return result


def _artifact_record(artifact: Artifact) -> ArtifactRecord:
    return ArtifactRecord(
        name=artifact.name,
        media_type=artifact.media_type,
        page=artifact.page,
        size_bytes=len(artifact.content),
        digest=hashlib.sha256(artifact.content).hexdigest(),
    )


def _usable(result: CheckResult) -> bool:
    return result.result.outcome in (Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE)


def _unreadable(error: DocumentUnreadable) -> Result:
    finding = Finding(code=UNREADABLE, message=str(error), severity=Severity.WARNING)
    return Result(outcome=Outcome.INCONCLUSIVE, findings=(finding,))


def _unread(required: Iterable[CheckResult]) -> Result | None:
    """The result of a required check that could not read the document, if there is one."""
    return next((r.result for r in required if _is_unreadable(r.result)), None)


def _is_unreadable(result: Result) -> bool:
    return any(finding.code == UNREADABLE for finding in result.findings)


def _failed(message: str) -> tuple[Result, Fault]:
    return Result(outcome=Outcome.ERROR), Fault(reason=FaultReason.CHECKER_FAILED, message=message)
