"""The only border between protobuf messages and the core's values."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.protobuf import json_format, struct_pb2, timestamp_pb2

from absah.v1 import (
    check_result_pb2,
    checker_service_pb2,
    policy_service_pb2,
    validation_pb2,
    validation_service_pb2,
    wording_pb2,
)
from absah_sdk import Finding, Outcome, Region, Severity
from absah_server.core.errors import RequestInvalid
from absah_server.core.policy import Decision, Policy, Wording
from absah_server.core.registry import RegisteredChecker
from absah_server.core.submission import Attachment, Priority, Submission
from absah_server.core.validation import (
    Agreement,
    CheckResult,
    FindingReference,
    HumanDecision,
    Record,
    State,
    Validation,
    Verdict,
)
from absah_server.rpc import errors

# Enum fields take their value's name in a constructor, their number where they are assigned to.
OUTCOMES = {o: getattr(check_result_pb2, f"OUTCOME_{o.value}") for o in Outcome}
SEVERITIES = {s: getattr(check_result_pb2, f"SEVERITY_{s.value}") for s in Severity}
DECISIONS = {d: f"DECISION_{d.value}" for d in Decision}
STATES = {s: getattr(validation_pb2, f"STATE_{s.value}") for s in State}
AGREEMENTS = {a: f"AGREEMENT_{a.value}" for a in Agreement}
PRIORITIES = {
    validation_service_pb2.PRIORITY_UNSPECIFIED: Priority.NORMAL,
    validation_service_pb2.PRIORITY_LOW: Priority.LOW,
    validation_service_pb2.PRIORITY_NORMAL: Priority.NORMAL,
    validation_service_pb2.PRIORITY_HIGH: Priority.HIGH,
}


def submission_from_proto(pb: validation_service_pb2.ValidateRequest) -> Submission:
    """Raises `RequestInvalid` for what a Struct can hold but JSON cannot, or an unknown enum."""
    if pb.priority not in PRIORITIES:
        raise RequestInvalid(("priority", f"{pb.priority} is no priority"))
    return Submission(
        request_id=pb.request_id,
        policy=pb.policy.removeprefix("policies/"),
        checkers=tuple(name.removeprefix("checkers/") for name in pb.checkers),
        attachments=[_attachment(document) for document in pb.documents],
        claims=_claims(pb),
        priority=PRIORITIES[pb.priority],
    )


def _attachment(pb: validation_service_pb2.Document) -> Attachment:
    return Attachment(
        role=pb.role,
        filename=pb.filename,
        content=pb.content,
        text=pb.text if pb.WhichOneof("source") == "text" and pb.text else None,
        stored=pb.name,
    )


def _claims(pb: validation_service_pb2.ValidateRequest) -> dict[str, Any]:
    if not pb.HasField("claims"):
        return {}
    try:
        claims: dict[str, Any] = json_format.MessageToDict(pb.claims)
    except (ValueError, json_format.SerializeToJsonError, RecursionError) as exc:
        raise RequestInvalid(("claims", "must hold only values that JSON has")) from exc
    return claims


def fill_validation(
    pb: validation_pb2.Validation, value: Validation, *, return_artifacts: bool
) -> None:
    """Write a validation into an empty message.

    A message that is handed to another one's constructor is copied by way of its bytes, at each
    level anew; what may be large is therefore filled in place, here and below.
    """
    pb.name = value.name
    pb.request_id = value.request_id
    pb.state = STATES[value.state]
    if value.error:
        pb.error.CopyFrom(errors.fault_status(value.error))
    if value.human_decision:
        fill_human_decision(pb.human_decision, value.human_decision)
    if value.verdict:
        pb.verdict.CopyFrom(verdict_to_proto(value.verdict))
    for result in value.check_results:
        _fill_check_result(pb.check_results.add(), result, return_artifacts=return_artifacts)
    _fill_timestamp(pb.create_time, value.create_time)
    _fill_timestamp(pb.update_time, value.update_time)
    _fill_record(pb.record, value.record)


def fill_human_decision(pb: validation_pb2.HumanDecision, value: HumanDecision) -> None:
    pb.decision = getattr(validation_pb2, DECISIONS[value.decision])
    pb.reason = value.reason
    pb.reviewer = value.reviewer
    _fill_timestamp(pb.decide_time, value.decide_time)


def verdict_to_proto(value: Verdict) -> validation_pb2.Verdict:
    return validation_pb2.Verdict(
        decision=DECISIONS[value.decision],
        reasons=[
            validation_pb2.Reason(
                rule=reason.rule,
                decision=DECISIONS[reason.decision],
                message=_wording(reason.message),
                claim=reason.claim,
                findings=_references(reason.findings),
            )
            for reason in value.reasons
        ],
        claim_comparisons=[
            validation_pb2.ClaimComparison(
                claim=comparison.claim,
                agreement=AGREEMENTS[comparison.agreement],
                found=comparison.found,
                detail=_wording(comparison.detail),
                findings=_references(comparison.findings),
            )
            for comparison in value.comparisons
        ],
    )


def _wording(value: Wording) -> wording_pb2.Wording:
    return wording_pb2.Wording(id=value.id, en=value.en)


def _references(
    values: Iterable[FindingReference],
) -> list[validation_pb2.FindingReference]:
    return [
        validation_pb2.FindingReference(checker=v.checker, document=v.document, index=v.index)
        for v in values
    ]


def _fill_record(pb: validation_pb2.Record, value: Record) -> None:
    for document in value.documents:
        pb.documents.add(
            document=document.document,
            role=document.role,
            filename=document.filename,
            media_type=document.media_type,
            size_bytes=document.size_bytes,
            sha256=document.digest,
        )
    pb.claims_sha256 = value.claims_digest
    pb.policy = value.policy
    pb.policy_sha256 = value.policy_digest
    for checker, version in value.checkers.items():
        pb.checkers.add(checker=checker, version=version)
    for model in value.models:
        pb.models.add(model=model.model, version=model.version, sha256=model.digest)
    pb.server_version = value.server_version


def check_result_to_proto(value: CheckResult) -> check_result_pb2.CheckResult:
    pb = check_result_pb2.CheckResult()
    _fill_check_result(pb, value, return_artifacts=False)
    return pb


def _fill_check_result(
    pb: check_result_pb2.CheckResult, value: CheckResult, *, return_artifacts: bool
) -> None:
    result = value.result
    pb.checker = value.checker
    pb.checker_version = value.checker_version
    pb.document = value.document
    pb.outcome = OUTCOMES[result.outcome]
    if result.score is not None:
        pb.score = result.score
    for finding in result.findings:
        _fill_finding(pb.findings.add(), finding)
    for artifact in value.artifacts:
        pb.artifacts.add(
            name=artifact.name,
            media_type=artifact.media_type,
            page=artifact.page,
            size_bytes=artifact.size_bytes,
            sha256=artifact.digest,
        )
    if return_artifacts:
        for filled, made in zip(pb.artifacts, result.artifacts, strict=False):
            filled.content = made.content
    for model in value.models:
        pb.model_versions.add(model=model.model, version=model.version, sha256=model.digest)
    if result.facts:
        _fill_struct(pb.facts, result.facts)
    if value.fault:
        pb.error.CopyFrom(errors.fault_status(value.fault))
    pb.duration.FromTimedelta(datetime.timedelta(seconds=value.duration_seconds))


def _fill_finding(pb: check_result_pb2.Finding, value: Finding) -> None:
    pb.code = value.code
    pb.message = value.message
    pb.severity = SEVERITIES[value.severity]
    if value.confidence is not None:
        pb.confidence = value.confidence
    if value.region:
        _fill_region(pb.region, value.region)
    if value.span:
        pb.span.start, pb.span.end = value.span.start, value.span.end
    if value.attributes:
        _fill_struct(pb.attributes, value.attributes)


def _fill_region(pb: check_result_pb2.Region, value: Region) -> None:
    pb.page = value.page
    pb.box.left, pb.box.top = value.box.left, value.box.top
    pb.box.width, pb.box.height = value.box.width, value.box.height


def _fill_struct(pb: struct_pb2.Struct, values: Mapping[str, Any]) -> None:
    """Write values that fit JSON; numbers of numpy and tuples are welcome, NaN is not."""
    fields = pb.fields
    for key, value in values.items():
        _fill_value(fields[key], value)


def _fill_value(pb: struct_pb2.Value, value: Any) -> None:
    if value is None:
        pb.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, bool):
        pb.bool_value = value
    elif isinstance(value, str):
        pb.string_value = value
    elif isinstance(value, int | float):
        pb.number_value = value
    elif isinstance(value, Mapping):
        pb.struct_value.SetInParent()  # an empty one is still there
        _fill_struct(pb.struct_value, value)
    elif isinstance(value, Sequence):
        pb.list_value.SetInParent()
        values = pb.list_value.values
        for item in value:
            _fill_value(values.add(), item)
    else:
        pb.number_value = float(value)


def _fill_timestamp(pb: timestamp_pb2.Timestamp, value: datetime.datetime) -> None:
    """`FromDatetime` does the same by way of the calendar."""
    pb.seconds = int(value.timestamp())
    pb.nanos = value.microsecond * 1000


def checker_to_proto(value: RegisteredChecker) -> checker_service_pb2.Checker:
    checker = value.checker
    return checker_service_pb2.Checker(
        name=f"checkers/{checker.name}",
        version=checker.version,
        title=checker.title,
        media_types=checker.capabilities.media_types,
        requires=checker.capabilities.requires,
        models=checker.models,
        plugin=value.plugin,
    )


def policy_to_proto(value: Policy, *, with_source: bool) -> policy_service_pb2.Policy:
    return policy_service_pb2.Policy(
        name=f"policies/{value.reference}",
        title=_wording(value.title),
        documents=[
            policy_service_pb2.DocumentSlot(
                role=slot.role,
                min_count=slot.min_count,
                max_count=slot.max_count,
                media_types=slot.media_types,
                title=_wording(slot.title),
            )
            for slot in value.documents.values()
        ],
        claims=[
            policy_service_pb2.ClaimSlot(
                claim=slot.claim,
                type=slot.type.value,
                title=_wording(slot.title),
            )
            for slot in value.claims.values()
        ],
        checkers=[rule.checker for rule in value.checks],
        source=value.source if with_source else "",
        sha256=value.digest,
    )
