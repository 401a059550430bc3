"""Validate a submission: admit, plan, run, weigh, record."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from absah_sdk import Document
from absah_server.core import planning, submission, verdict
from absah_server.core.admission import Admission
from absah_server.core.errors import DocumentsUnexpected
from absah_server.core.planning import Plan, Step
from absah_server.core.policy import Policy
from absah_server.core.policy_file import Policies
from absah_server.core.registry import Registry
from absah_server.core.running import Runner
from absah_server.core.submission import SizeLimits, Submission
from absah_server.core.validation import CheckResult, ModelRecord, Record, Validation
from absah_server.telemetry import metrics, tracing

RESERVE_PART = 0.05
RESERVE_SECONDS = 0.5
"""Of the time left, this part, at most this long, is kept for the verdict and the way back."""


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

    async def validate(self, request: Submission, *, deadline: float) -> Validation:
        """Validate, and have an answer by `deadline`, an event loop time.

        Raises `RequestInvalid`, `LimitExceeded`, `PolicyNotFound`, `CheckerNotFound`,
        `Overloaded`, `ShuttingDown` or `DeadlinePassed`, all before any check began.
        """
        submission.verify(request, self.limits)
        policy = self.policies.get(request.policy) if request.policy else None
        waiting_since = time.perf_counter()
        async with self.admission.place(request.priority, deadline=deadline):
            metrics.admitted(time.perf_counter() - waiting_since)
            with tracing.span("validation") as span:
                made = await self._validate(request, policy, deadline)
                decision = made.verdict.decision.value if made.verdict else ""
                if span.is_recording():
                    span.set_attribute("absah.validation", made.name)
                    span.set_attribute("absah.policy", made.record.policy)
                    span.set_attribute("absah.decision", decision)
        metrics.validation_ended(made.record.policy, decision, time.perf_counter() - waiting_since)
        return made

    async def _validate(
        self, request: Submission, policy: Policy | None, deadline: float
    ) -> Validation:
        create_time = _now()
        documents = submission.documents(
            request.attachments, identify=self.identify, read_text=self.read_text
        )
        claims = dict(request.claims)
        if policy:
            policy.verify_documents(documents)
            claims = policy.read_claims(claims)
            plan = planning.plan_policy(policy, documents, self.registry)
        else:
            plan = planning.plan_checkers(request.checkers, documents, self.registry)
            _refuse_unchecked(documents, plan)
        results = await self._run(plan, policy, documents, claims, deadline)
        reached = None
        if policy:
            reached = await asyncio.to_thread(
                verdict.reach,
                policy,
                documents=documents,
                claims=claims,
                results=results,
                functions=self.registry.policy_functions,
            )
        return Validation(
            name=f"validations/{secrets.token_hex(16)}",
            request_id=request.request_id,
            check_results=results,
            verdict=reached,
            record=self._record(documents, claims, policy, results),
            create_time=create_time,
            update_time=_now(),
        )

    async def _run(
        self,
        plan: Plan,
        policy: Policy | None,
        documents: Sequence[Document],
        claims: Mapping[str, Any],
        deadline: float,
    ) -> list[CheckResult]:
        left = deadline - asyncio.get_running_loop().time()
        return await self.runner.run(
            plan,
            claims=claims,
            deadline=deadline - min(left * RESERVE_PART, RESERVE_SECONDS),
            condition=verdict.condition_of(
                policy,
                documents=documents,
                claims=claims,
                functions=self.registry.policy_functions,
            )
            if policy
            else _unconditional,
        )

    def _record(
        self,
        documents: Sequence[Document],
        claims: Mapping[str, Any],
        policy: Policy | None,
        results: Sequence[CheckResult],
    ) -> Record:
        models: dict[str, ModelRecord] = {m.model: m for r in results for m in r.models}
        return Record(
            documents=documents,
            claims_digest=hashlib.sha256(submission.canonical_json(claims)).hexdigest(),
            policy=policy.reference if policy else "",
            policy_digest=policy.digest if policy else "",
            checkers={result.checker: result.checker_version for result in results},
            models=list(models.values()),
            server_version=self.server_version,
        )


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
