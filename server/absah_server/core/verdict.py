"""Weigh check results and claims by a policy's rules, and say why."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import cel

from absah_sdk import Document
from absah_server.core import expressions
from absah_server.core.planning import Step
from absah_server.core.policy import Decision, Each, Policy, Rule, Wording
from absah_server.core.validation import (
    Agreement,
    CheckResult,
    Comparison,
    FindingReference,
    Reason,
    Verdict,
)

log = logging.getLogger(__name__)
Functions = Mapping[str, Callable[..., Any]]
FAILED = Wording(
    id="Aturan ini tidak dapat dievaluasi, sehingga perlu diperiksa petugas.",
    en="This rule could not be evaluated, so a person must look.",
)
NOT_COMPARED = Wording(
    id="Pembandingan tidak dapat dilakukan.", en="The comparison could not be made."
)


def reach(
    policy: Policy,
    *,
    documents: Sequence[Document],
    claims: Mapping[str, Any],
    results: Sequence[CheckResult],
    functions: Functions,
) -> Verdict:
    """The verdict of a policy. A rule that cannot be evaluated sends the case to a person."""
    variables = _evidence(documents, claims, results, policy)
    context = expressions.context(variables, functions)
    comparisons = [_compare(policy, claim, context) for claim in policy.claims if claim in claims]
    shown = [_comparison_evidence(comparison, policy, claims) for comparison in comparisons]
    context.add_variable("comparisons", {item["claim"]: item for item in shown})
    subjects: dict[Each, Sequence[Mapping[str, Any]]] = {
        Each.ONCE: ({},),
        Each.COMPARISON: shown,
        Each.RESULT: variables["results"],
        Each.FINDING: [_with_place(r, i) for r in variables["results"] for i in _indices(r)],
    }
    reasons = [
        reason for rule in policy.rules for reason in _reasons(rule, subjects[rule.each], context)
    ]
    reasons.sort(key=lambda reason: -reason.decision.gravity)
    decision = reasons[0].decision if reasons else Decision.ACCEPT
    if decision is Decision.ACCEPT:
        everything = [reference for c in comparisons for reference in c.findings]
        accepted = Reason(
            rule="accepted", decision=decision, message=policy.accepted, findings=everything
        )
        reasons.insert(0, accepted)
    return Verdict(decision=decision, reasons=reasons, comparisons=comparisons)


def condition_of(
    policy: Policy,
    *,
    documents: Sequence[Document],
    claims: Mapping[str, Any],
    functions: Functions,
) -> Callable[[Step, list[CheckResult]], bool]:
    """A function that evaluates a step's `when` on the results so far."""
    by_name = {document.name: _document_evidence(document) for document in documents}

    def holds(step: Step, results: list[CheckResult]) -> bool:
        assert step.when is not None
        variables = _evidence(documents, claims, results, policy)
        variables["document"] = by_name[step.document.name]
        return bool(step.when.evaluate(expressions.context(variables, functions)))

    return holds


def _evidence(
    documents: Sequence[Document],
    claims: Mapping[str, Any],
    results: Sequence[CheckResult],
    policy: Policy,
) -> dict[str, Any]:
    shown = [result.as_evidence() for result in results]
    names = {rule.checker for rule in policy.checks} | {result["checker"] for result in shown}
    return {
        "claims": dict(claims),
        "documents": [_document_evidence(document) for document in documents],
        "results": shown,
        "checks": {name: [r for r in shown if r["checker"] == name] for name in names},
    }


def _document_evidence(document: Document) -> dict[str, Any]:
    return {
        "name": document.name,
        "role": document.role,
        "media_type": document.media_type,
        "digest": document.digest,
        "text": document.text or "",
    }


def _compare(policy: Policy, claim: str, context: cel.Context) -> Comparison:
    compare = policy.claims[claim].compare
    try:
        if compare:
            return _comparison(claim, compare.evaluate(context))
    except Exception:
        log.exception("comparison failed", extra={"policy": policy.reference, "claim": claim})
    return Comparison(claim=claim, agreement=Agreement.UNSETTLED, found="", detail=NOT_COMPARED)


def _comparison(claim: str, answer: Mapping[str, Any]) -> Comparison:
    """Read what a policy function answered; raises KeyError or ValueError for another form."""
    return Comparison(
        claim=claim,
        agreement=Agreement(answer["outcome"]),
        found=answer["found"],
        detail=Wording(id=answer["detail"]["id"], en=answer["detail"]["en"]),
        findings=[_reference(item) for item in answer["findings"]],
    )


def _comparison_evidence(
    comparison: Comparison, policy: Policy, claims: Mapping[str, Any]
) -> dict[str, Any]:
    slot = policy.claims[comparison.claim]
    return {
        "claim": comparison.claim,
        "title_id": slot.title.id,
        "title_en": slot.title.en,
        "claimed": claims[comparison.claim],
        "outcome": comparison.agreement.value,
        "found": comparison.found,
        "detail_id": comparison.detail.id,
        "detail_en": comparison.detail.en,
        "findings": [
            {"checker": f.checker, "document": f.document, "index": f.index}
            for f in comparison.findings
        ],
    }


def _indices(result: Mapping[str, Any]) -> range:
    return range(len(result["findings"]))


def _with_place(result: Mapping[str, Any], index: int) -> dict[str, Any]:
    place = {"checker": result["checker"], "document": result["document"], "index": index}
    return {**result["findings"][index], **place, "role": result["role"]}


def _reasons(
    rule: Rule, subjects: Sequence[Mapping[str, Any]], context: cel.Context
) -> Iterator[Reason]:
    for subject in subjects:
        context.add_variable(rule.each.value, subject)
        try:
            fired = bool(rule.when.evaluate(context))
            message = _message(rule, context) if fired else None
        except Exception:
            log.exception("rule failed", extra={"rule": rule.id})
            yield Reason(rule=rule.id, decision=Decision.REVIEW, message=FAILED)
            return
        if message:
            yield Reason(
                rule=rule.id,
                decision=rule.decision,
                message=message,
                claim=subject["claim"] if rule.each is Each.COMPARISON else "",
                findings=_grounds(rule.each, subject),
            )


def _message(rule: Rule, context: cel.Context) -> Wording:
    return Wording(id=rule.message.id.fill(context), en=rule.message.en.fill(context))


def _grounds(each: Each, subject: Mapping[str, Any]) -> list[FindingReference]:
    if each is Each.COMPARISON:
        return [_reference(item) for item in subject["findings"]]
    if each is Each.RESULT:
        return [
            FindingReference(checker=subject["checker"], document=subject["document"], index=index)
            for index in _indices(subject)
        ]
    return [_reference(subject)] if each is Each.FINDING else []


def _reference(item: Mapping[str, Any]) -> FindingReference:
    return FindingReference(
        checker=item["checker"], document=item["document"], index=int(item["index"])
    )
