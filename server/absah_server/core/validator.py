"""Validate a submission: admit, plan, run, weigh, record."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from absah_sdk import Document
from absah_server.core import names, planning, submission, verdict
from absah_server.core.admission import Admission
from absah_server.core.errors import DocumentsUnexpected
from absah_server.core.planning import Plan, Step
from absah_server.core.policy import Policy
from absah_server.core.policy_file import Policies
from absah_server.core.registry import Registry
from absah_server.core.running import Runner
from absah_server.core.submission import SizeLimits, Submission
from absah_server.core.validation import (
    CheckResult,
    DocumentRecord,
    ModelRecord,
    Record,
    State,
    Validation,
    Verdict,
)
from absah_server.telemetry import metrics, tracing

LARGE_BYTES = 2**20
RESERVE_PART = 0.05
RESERVE_SECONDS = 0.5
"""Of the time left, this part, at most this long, is kept for the verdict and the way back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A submission that was found in order: what there is to run, and on what."""

    id: uuid.UUID
    request_id: str
    policy: Policy | None
    documents: Sequence[Document]
    claims: Mapping[str, Any]
    plan: Plan
    create_time: datetime.datetime

    @property
    def name(self) -> str:
        return names.validation_name(self.id)

    @property
    def policy_reference(self) -> str:
        """As "field-report@1"; empty where checkers were listed."""
        return self.policy.reference if self.policy else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Validator:
    """Validates submissions, a bounded number at a time.

    `identify` tells a media type from bytes, `read_text` decodes text of unknown encoding.
    """

    registry: Registry
    policies: Policies
    runner: Runner
    admission: Admission
    limits: SizeLimits
    identify: Callable[[bytes], str]
    read_text: Callable[[bytes], str]
    server_version: str

    async def validate(
        self,
        request: Submission,
        *,
        deadline: float,
        whole: Callable[[], Awaitable[Submission]] | None = None,
        begun: Callable[[Prepared], None] = lambda prepared: None,
        tenant: str | None = None,
    ) -> Validation:
        """Validate, and have an answer by `deadline`, an event loop time.

        `whole` is asked for the same request with the contents of the documents that it names once
        there is a place. `begun` is told what is about to run, and must not block; `tenant` as in
        `run`.

        Raises `RequestInvalid`, `LimitExceeded`, `PolicyNotFound`, `CheckerNotFound`,
        `Overloaded`, `ShuttingDown` or `DeadlinePassed`, all before any check began, and what
        `whole` raises.
        """
        submission.verify(request, self.limits)
        if request.policy:
            self.policies.get(request.policy)
        waiting_since = time.perf_counter()
        async with self.admission.place(
            request.priority, deadline=deadline, size_bytes=request.size_bytes
        ):
            metrics.admitted(time.perf_counter() - waiting_since)
            prepared = self.prepare(await whole() if whole else request)
            begun(prepared)
            made = await self.run(prepared, deadline=deadline, tenant=tenant)
        decision = made.verdict.decision.value if made.verdict else ""
        metrics.validation_ended(made.record.policy, decision, time.perf_counter() - waiting_since)
        return made

    def prepare(self, request: Submission) -> Prepared:
        """Identify documents and read claims against the policy, and plan the checks.

        The contents must be at hand. Raises `RequestInvalid`, `LimitExceeded`, `PolicyNotFound` or
        `CheckerNotFound`.
        """
        submission.verify(request, self.limits)
        documents = submission.documents(
            request.attachments, identify=self.identify, read_text=self.read_text
        )
        claims = dict(request.claims)
        policy = None
        if request.policy:
            policy = self.policies.get(request.policy)
            policy.verify_documents(documents)
            claims = policy.read_claims(claims)
            plan = planning.plan_policy(policy, documents, self.registry)
        else:
            plan = planning.plan_checkers(request.checkers, documents, self.registry)
            _refuse_unchecked(documents, plan)
        made = names.new_id()
        return Prepared(
            id=made,
            request_id=request.request_id,
            policy=policy,
            documents=documents,
            claims=claims,
            plan=plan,
            create_time=names.time_of(made),
        )

    async def prepare_aside(self, request: Submission) -> Prepared:
        """As `prepare`, but others need not wait while what is large is digested."""
        if request.size_bytes > LARGE_BYTES:
            return await asyncio.to_thread(self.prepare, request)
        return self.prepare(request)

    def pending(self, prepared: Prepared) -> Validation:
        """The validation before any check ran."""
        return Validation(
            name=prepared.name,
            request_id=prepared.request_id,
            state=State.PENDING,
            record=self._record(prepared, ()),
            create_time=prepared.create_time,
            update_time=prepared.create_time,
        )

    async def run(
        self,
        prepared: Prepared,
        *,
        deadline: float,
        ended: Callable[[CheckResult], None] = lambda result: None,
        tenant: str | None = None,
    ) -> Validation:
        """Run the checks and weigh them, and have an answer by `deadline`, an event loop time.

        `ended` is told each result as its check ends. Results of earlier checks of `tenant` on the
        same are used again; without one, every check runs.
        """
        with tracing.span("validation") as span:
            results = await self._run(prepared, deadline, ended, tenant)
            reached = await self._weigh(prepared, results)
            if span.is_recording():
                span.set_attribute("absah.validation", prepared.name)
                span.set_attribute("absah.policy", prepared.policy_reference)
                span.set_attribute("absah.decision", reached.decision.value if reached else "")
        return Validation(
            name=prepared.name,
            request_id=prepared.request_id,
            check_results=results,
            verdict=reached,
            record=self._record(prepared, results),
            create_time=prepared.create_time,
            update_time=_now(),
        )

    async def _weigh(self, prepared: Prepared, results: Sequence[CheckResult]) -> Verdict | None:
        if prepared.policy is None:
            return None
        return await asyncio.to_thread(
            verdict.reach,
            prepared.policy,
            documents=prepared.documents,
            claims=prepared.claims,
            results=results,
            functions=self.registry.policy_functions,
        )

    async def _run(
        self,
        prepared: Prepared,
        deadline: float,
        ended: Callable[[CheckResult], None],
        tenant: str | None,
    ) -> list[CheckResult]:
        return await self.runner.run(
            prepared.plan,
            claims=prepared.claims,
            deadline=shortly_before(deadline),
            condition=verdict.condition_of(
                prepared.policy,
                documents=prepared.documents,
                claims=prepared.claims,
                functions=self.registry.policy_functions,
            )
            if prepared.policy
            else _unconditional,
            ended=ended,
            tenant=tenant,
        )

    def _record(self, prepared: Prepared, results: Sequence[CheckResult]) -> Record:
        models: dict[str, ModelRecord] = {m.model: m for r in results for m in r.models}
        policy = prepared.policy
        return Record(
            documents=[DocumentRecord.of(document) for document in prepared.documents],
            claims_digest=hashlib.sha256(submission.canonical_json(prepared.claims)).hexdigest(),
            policy=prepared.policy_reference,
            policy_digest=policy.digest if policy else "",
            checkers={result.checker: result.checker_version for result in results},
            models=list(models.values()),
            server_version=self.server_version,
        )


def shortly_before(deadline: float) -> float:
    """When to stop, an event loop time, so that there is time left to answer by `deadline`."""
    left = deadline - asyncio.get_running_loop().time()
    return deadline - min(left * RESERVE_PART, RESERVE_SECONDS)


def _refuse_unchecked(documents: Sequence[Document], plan: Plan) -> None:
    checked = {step.document.name for step in plan.steps}
    problems = [
        (f"documents[{index}].content", f"none of these checkers takes {document.media_type}")
        for index, document in enumerate(documents)
        if document.name not in checked
    ]
    if problems:
        raise DocumentsUnexpected(*problems)


def _unconditional(step: Step, results: list[CheckResult]) -> bool:
    return True


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
