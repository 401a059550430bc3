"""The only border between protobuf messages and the core's values."""

from __future__ import annotations

import datetime
import hashlib
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
from absah_sdk import Artifact, Finding, Outcome, Region, Severity
from absah_server.core.errors import RequestInvalid
from absah_server.core.policy import Decision, Policy, Wording
from absah_server.core.registry import RegisteredChecker
from absah_server.core.submission import Attachment, Priority, Submission
from absah_server.core.validation import (
    Agreement,
    CheckResult,
    FindingReference,
    ModelRecord,
    Record,
    Validation,
    Verdict,
)
from absah_server.rpc import errors

# Enum fields take their value's name.
OUTCOMES = {o: f"OUTCOME_{o.value}" for o in Outcome}
SEVERITIES = {s: f"SEVERITY_{s.value}" for s in Severity}
DECISIONS = {d: f"DECISION_{d.value}" for d in Decision}
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
    )


def _claims(pb: validation_service_pb2.ValidateRequest) -> dict[str, Any]:
    if not pb.HasField("claims"):
        return {}
    try:
        claims: dict[str, Any] = json_format.MessageToDict(pb.claims)
    except (ValueError, json_format.SerializeToJsonError, RecursionError) as exc:
        raise RequestInvalid(("claims", "must hold only values that JSON has")) from exc
    return claims


def validation_to_proto(value: Validation, *, return_artifacts: bool) -> validation_pb2.Validation:
    return validation_pb2.Validation(
        name=value.name,
        request_id=value.request_id,
        state=validation_pb2.STATE_SUCCEEDED,
        verdict=_verdict(value.verdict) if value.verdict else None,
        check_results=[check_result_to_proto(r, return_artifacts) for r in value.check_results],
        create_time=_timestamp(value.create_time),
        update_time=_timestamp(value.update_time),
        record=_record(value.record),
    )


def _verdict(value: Verdict) -> validation_pb2.Verdict:
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


def _record(value: Record) -> validation_pb2.Record:
    return validation_pb2.Record(
        documents=[
            validation_pb2.DocumentRecord(
                document=document.name,
                role=document.role,
                filename=document.filename,
                media_type=document.media_type,
                size_bytes=len(document.content),
                sha256=document.digest,
            )
            for document in value.documents
        ],
        claims_sha256=value.claims_digest,
        policy=value.policy,
        policy_sha256=value.policy_digest,
        checkers=[
            validation_pb2.CheckerRecord(checker=checker, version=version)
            for checker, version in value.checkers.items()
        ],
        models=_models(value.models),
        server_version=value.server_version,
    )


def check_result_to_proto(
    value: CheckResult, return_artifacts: bool = False
) -> check_result_pb2.CheckResult:
    result = value.result
    pb = check_result_pb2.CheckResult(
        checker=value.checker,
        checker_version=value.checker_version,
        document=value.document,
        outcome=OUTCOMES[result.outcome],
        score=result.score,
        findings=[finding_to_proto(finding) for finding in result.findings],
        artifacts=[_artifact(artifact, return_artifacts) for artifact in result.artifacts],
        model_versions=_models(value.models),
    )
    if result.facts:
        pb.facts.CopyFrom(_struct(result.facts))
    if value.fault:
        pb.error.CopyFrom(errors.fault_status(value.fault))
    pb.duration.FromTimedelta(datetime.timedelta(seconds=value.duration_seconds))
    return pb


def _models(values: Iterable[ModelRecord]) -> list[check_result_pb2.ModelVersion]:
    return [
        check_result_pb2.ModelVersion(model=v.model, version=v.version, sha256=v.digest)
        for v in values
    ]


def finding_to_proto(value: Finding) -> check_result_pb2.Finding:
    pb = check_result_pb2.Finding(
        code=value.code,
        message=value.message,
        severity=SEVERITIES[value.severity],
        confidence=value.confidence,
        region=_region(value.region) if value.region else None,
    )
    if value.span:
        pb.span.start, pb.span.end = value.span.start, value.span.end
    if value.attributes:
        pb.attributes.CopyFrom(_struct(value.attributes))
    return pb


def _region(value: Region) -> check_result_pb2.Region:
    box = value.box
    return check_result_pb2.Region(
        page=value.page,
        box=check_result_pb2.Box(left=box.left, top=box.top, width=box.width, height=box.height),
    )


def _artifact(value: Artifact, return_artifacts: bool) -> check_result_pb2.Artifact:
    return check_result_pb2.Artifact(
        name=value.name,
        media_type=value.media_type,
        page=value.page,
        size_bytes=len(value.content),
        sha256=hashlib.sha256(value.content).hexdigest(),
        content=value.content if return_artifacts else b"",
    )


def _struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """A Struct; numbers of numpy and tuples are welcome, NaN is not."""
    struct = struct_pb2.Struct()
    for key, value in values.items():
        struct.fields[key].CopyFrom(_value(value))
    return struct


def _value(value: Any) -> struct_pb2.Value:
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, Mapping):
        return struct_pb2.Value(struct_value=_struct(value))
    if isinstance(value, Sequence):
        items = [_value(item) for item in value]
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=items))
    return struct_pb2.Value(number_value=float(value))


def _timestamp(value: datetime.datetime) -> timestamp_pb2.Timestamp:
    pb = timestamp_pb2.Timestamp()
    pb.FromDatetime(value)
    return pb


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
