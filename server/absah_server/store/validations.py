"""Write how validations ended: their results, artifacts, reviews and audit events.

Statements take many validations at once, as arrays, so that a transaction that holds several costs
little more than one that holds a single one.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from absah_server.core.audit import AuditEvent
from absah_server.core.policy import Decision
from absah_server.core.validation import ArtifactRecord, CheckResult, Record, State, Validation
from absah_server.store import archive, documents, queries
from absah_server.store.database import Connection
from absah_server.store.documents import KeptContent

SQL = queries.load("validations")
CHANNEL = "absah_validations"
"""Where the id (32 hexadecimal digits) of a validation that changed is told."""


def ending(validation: Validation) -> dict[str, Any]:
    """The columns that the end of a validation sets."""
    return {
        "state": validation.state.value,
        "decision": validation.verdict.decision.value if validation.verdict else None,
        "record": archive.record.write(validation.record),
        "verdict": archive.verdict.write(validation.verdict) if validation.verdict else None,
        "error": archive.fault.write(validation.error) if validation.error else None,
        "update_time": validation.update_time,
    }


async def write_outcome(
    connection: Connection, ended: Sequence[tuple[uuid.UUID, str, Validation]]
) -> None:
    """Write check results, artifacts and reviews of validations, each with its id and tenant.

    Contents of artifacts must be kept before.
    """
    await _write_results(
        connection,
        [
            (validation_id, position, result, validation.update_time)
            for validation_id, _, validation in ended
            for position, result in enumerate(validation.check_results)
        ],
    )
    await _keep_artifacts(connection, ended)
    waiting = [
        (validation_id, tenant, validation.record.policy)
        for validation_id, tenant, validation in ended
        if validation.verdict and validation.verdict.decision is Decision.REVIEW
    ]
    if waiting:
        names = ("validation_id", "tenant", "policy")
        await connection.execute(SQL["await_review"], columns(names, waiting))


async def _keep_artifacts(
    connection: Connection, ended: Sequence[tuple[uuid.UUID, str, Validation]]
) -> None:
    artifacts: dict[str, list[KeptContent]] = defaultdict(list)
    references = []
    for validation_id, tenant, validation in ended:
        for name, artifact in artifact_names(validation.check_results).items():
            references.append((validation_id, name, tenant, bytes.fromhex(artifact.digest), True))
            artifacts[tenant].append(
                KeptContent(
                    digest=artifact.digest,
                    size_bytes=artifact.size_bytes,
                    media_type=artifact.media_type,
                )
            )
    for tenant in sorted(artifacts):
        await documents.keep(connection, tenant, artifacts[tenant])
    await refer(connection, references)


async def refer(
    connection: Connection, references: Sequence[tuple[uuid.UUID, str, str, bytes, bool]]
) -> None:
    """Write which validations refer to which contents.

    Each reference is a validation, the content's name in it, the tenant, the digest, and whether it
    is an artifact.
    """
    if references:
        names = ("validation_id", "document", "tenant", "sha256", "artifact")
        await connection.execute(SQL["refer"], columns(names, references))


async def _write_results(
    connection: Connection, results: Sequence[tuple[uuid.UUID, int, CheckResult, Any]]
) -> None:
    """Write check results, each with its validation, its position in the plan and its end time."""
    if not results:
        return
    names = (
        "validation_id", "position", "checker", "document", "outcome", "result", "end_time",
    )  # fmt: skip
    rows = [
        (
            validation_id,
            position,
            result.checker,
            result.document,
            result.result.outcome.value,
            archive.check_result.write(result),
            end_time,
        )
        for validation_id, position, result, end_time in results
    ]
    await connection.execute(SQL["write_results"], columns(names, rows))


def artifact_names(results: Sequence[CheckResult]) -> Mapping[str, ArtifactRecord]:
    """All artifacts by names within the validation, as 'authenticity photo-2 heatmap 1'."""
    found: dict[str, ArtifactRecord] = {}
    for result in results:
        for artifact in result.artifacts:
            name = f"{result.checker} {result.document} {artifact.name} {artifact.page}"
            if found.get(name, artifact).digest != artifact.digest:
                name = f"{name} {artifact.digest}"
            found[name] = artifact
    return found


def ended_event(validation: Validation, *, tenant: str, actor: str) -> AuditEvent:
    """The audit event of a validation's end: states, decisions and digests alone."""
    details: dict[str, Any] = {
        "state": validation.state.value,
        **inputs(validation.record),
        "outcomes": {
            f"{r.checker} {r.document}": r.result.outcome.value for r in validation.check_results
        },
    }
    if validation.verdict:
        details["decision"] = validation.verdict.decision.value
        details["rules"] = [reason.rule for reason in validation.verdict.reasons]
    if validation.error:
        details["reason"] = validation.error.reason.value
    return AuditEvent(
        tenant=tenant,
        actor=actor,
        action=_ACTIONS[validation.state] if not validation.verdict else "validation.decided",
        subject=validation.name,
        details=details,
    )


def inputs(record: Record) -> dict[str, Any]:
    """What an audit event tells of what a validation is about: names and digests."""
    return {
        "policy": record.policy,
        "policy_sha256": record.policy_digest,
        "claims_sha256": record.claims_digest,
        "documents": {document.document: document.digest for document in record.documents},
    }


_ACTIONS = {
    State.SUCCEEDED: "validation.ended",
    State.FAILED: "validation.failed",
    State.CANCELLED: "validation.cancelled",
}


async def notify(connection: Connection, ids: Sequence[uuid.UUID]) -> None:
    """Tell on `CHANNEL`, once the transaction commits, that these validations changed."""
    await connection.execute(SQL["notify"], {"id": list(ids)})


def columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    """Rows as one array a column, which is how a statement takes many of them."""
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
