"""One tenant's curiosity about another: each name that it may have heard of, in every method."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from calling import Call
from methods import Method
from possessions import SECRET, STRANGER, Possessions

import absah
from absah.v1 import document_service_pb2, validation_service_pb2

METADATA = (("absah-tenant", STRANGER), ("absah-client", "curious"))
NOT_FOUND = {
    "Validation": "NOT_FOUND VALIDATION_NOT_FOUND",
    "Review": "NOT_FOUND REVIEW_NOT_FOUND",
    "Job": "NOT_FOUND JOB_NOT_FOUND",
    "Document": "NOT_FOUND DOCUMENT_NOT_FOUND",
    "DeadLetter": "NOT_FOUND DEAD_LETTER_NOT_FOUND",
}
OF_ALL = ("AdminService/PurgeDocuments",)
"""What an operator does to all tenants at once."""


def calls(methods: Sequence[Method], held: Possessions) -> Iterator[Call]:
    """Each method, asked for what is another's: it is not found, and nothing of it is told."""
    # Uploads come last: what the stranger has begun to upload, it may see.
    for method in sorted(methods, key=lambda method: method.client_streaming):
        if f"{method.service}/{method.name}" in OF_ALL:
            continue
        message = held.good(method)
        for variant, expected in _questions(method, message, held):
            yield Call(
                case=f"of another tenant{variant}",
                method=method,
                messages=[message],
                metadata=METADATA,
                expected=frozenset(expected),
                unseen=_untold(method, held),
            )


def _questions(
    method: Method, message: object, held: Possessions
) -> Iterator[tuple[str, Sequence[str]]]:
    if isinstance(message, document_service_pb2.UploadDocumentRequest):
        # Who knows a digest alone must not get the content by it.
        yield ", by its digest alone", ["INVALID_ARGUMENT UPLOAD_GAP"]
    elif isinstance(
        message,
        validation_service_pb2.ValidateRequest
        | validation_service_pb2.ValidateStreamRequest
        | validation_service_pb2.CreateValidationRequest,
    ):
        yield " as a document", [NOT_FOUND["Document"]]
    elif not method.name.startswith("List") and "name" in method.request.DESCRIPTOR.fields_by_name:
        kinds = [kind for kind in NOT_FOUND if method.name.endswith(kind)]
        yield "", [NOT_FOUND[kind] for kind in kinds[-1:]]
    else:
        yield "", ()


def _untold(method: Method, held: Possessions) -> list[bytes]:
    """Words of the owner; refusals name what was asked for, which is no news."""
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    asked = {held.validation, held.document, held.dead_letter}
    words = [SECRET, held.head_sha256]
    if method.name.startswith(("List", "Export", "Verify")):
        words += [*asked, digest]
    return [word.encode() for word in words]


def is_silent(address: str, held: Possessions) -> list[str]:
    """What lists of the stranger hold that is not its own."""
    with (
        absah.Client(address, tenant=STRANGER) as client,
        absah.AdminClient(address, tenant=STRANGER) as operator,
    ):
        seen = [
            *(each.name for each in client.validations()),
            *(each.name for each in client.reviews()),
            *(each.name for each in operator.jobs()),
            *(each.name for each in operator.dead_letters()),
            *(each.subject for each in operator.audit_events()),
        ]
    owned = {*held.names, held.review, held.job}
    return [f"another tenant saw {name}" for name in seen if name in owned]
