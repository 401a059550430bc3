"""What one tenant keeps at the server, for others to be curious about, and good requests for it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from google.protobuf import timestamp_pb2
from google.protobuf.message import Message
from methods import Method
from serving import Server
from submissions import REPORT

import absah
from absah.admin.v1 import admin_service_pb2 as admin
from absah.v1 import document_service_pb2, validation_pb2
from absah.v1 import validation_service_pb2 as validations

OWNER = "dinas-a"
STRANGER = "dinas-b"
SECRET = f"Yang ini rahasia dinas A. {REPORT}"
SYSTEM = "sipd"
MODEL = "models/entities_ner"
WAIT_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Possessions:
    """Names of what `OWNER` keeps; `picture` is what its validations show."""

    validation: str
    review: str
    job: str
    document: str
    dead_letter: str
    head_sha256: str
    checker: str
    picture: bytes

    @property
    def names(self) -> tuple[str, ...]:
        """What nobody else may be told."""
        return (self.validation, self.document, self.dead_letter, SECRET, self.head_sha256)

    def good(self, method: Method) -> Message:
        """A request of a method that its owner may make, as it stands."""
        made = method.request()
        if isinstance(made, validations.ValidateRequest):
            made.CopyFrom(self.request())
        elif isinstance(
            made, validations.CreateValidationRequest | validations.ValidateStreamRequest
        ):
            made.request.CopyFrom(self.request())
            made.request.request_id = "a-stream" if method.client_streaming else ""
        elif isinstance(made, document_service_pb2.UploadDocumentRequest):
            made.header.sha256 = self.document.removeprefix("documents/")
            made.header.size_bytes = len(SECRET.encode())
        elif isinstance(made, admin.RecordMessageAttemptsRequest):
            made.attempts.append(attempt("robustness", "m-1"))
        else:
            _fill(made, self._name(method))
        return made

    def request(self) -> validations.ValidateRequest:
        """A request for a check of the document that is kept."""
        made = absah.request("", {"report": absah.Text(REPORT)}, checkers=[self.checker])
        made.documents.add(role="kept", name=self.document)
        return made

    def _name(self, method: Method) -> str:
        kinds = {
            "Validation": self.validation,
            "Review": self.review,
            "Job": self.job,
            "Document": self.document,
            "DeadLetter": self.dead_letter,
            "Policy": "policies/field-report",
            "Checker": f"checkers/{self.checker}",
        }
        return next((name for kind, name in kinds.items() if method.name.endswith(kind)), MODEL)


def _fill(message: Message, name: str) -> None:
    given = {
        "name": name,
        "reviewer": "siti",
        "decision": validation_pb2.DECISION_ACCEPT,
        "reason": "dilihat sendiri",
        "version": "1",
    }
    for field in message.DESCRIPTOR.fields:
        if field.name in given:
            setattr(message, field.name, given[field.name])
    if isinstance(message, admin.SetRolloutRequest):
        message.rollout.current = "1"


def keep(server: Server, checker: str, picture: bytes) -> Possessions:
    """Have the server keep two of everything, so that no list ends with its first page."""
    with (
        absah.Client(server.address, tenant=OWNER, client="robustness") as client,
        absah.AdminClient(server.address, tenant=OWNER, client="robustness") as operator,
    ):
        document = client.upload(SECRET.encode())
        for number in range(2):
            made = client.create_validation(
                "field-report",
                request_id=f"owned-{number}",
                photo=picture,
                report=absah.Text(SECRET),
                claims={"nik": "3201011508950001"},
            )
            client.wait_for_validation(made.name, timeout_seconds=WAIT_SECONDS)
            noted = attempt(SYSTEM, f"m-{number}", cause=f"C{number}", problem=SECRET)
            operator.record_message_attempts([noted])
        reviews = list(client.reviews())
        (job, *_) = operator.jobs(validation=made.name)
        dead_letter, *_ = operator.dead_letters(system=SYSTEM)
        time.sleep(2)  # until what happened is sealed
        return Possessions(
            validation=made.name,
            review=reviews[0].name if reviews else made.name.replace("validations", "reviews"),
            job=job.name,
            document=document.name,
            dead_letter=dead_letter.name,
            head_sha256=operator.audit_head().sha256,
            checker=checker,
            picture=picture,
        )


def attempt(
    system: str, key: str, *, cause: str = "SCHEMA_VIOLATION", problem: str = ""
) -> admin.MessageAttempt:
    """A note of a message that was parked."""
    now = timestamp_pb2.Timestamp()
    now.GetCurrentTime()
    return admin.MessageAttempt(
        note_id=f"{system}-{key}",
        system=system,
        message_key=key,
        queue="sipd.in",
        attempt=1,
        outcome=admin.MESSAGE_OUTCOME_PARKED,
        cause=cause,
        field="nik",
        position="3:14",
        problem=problem,
        event_time=now,
    )
