import datetime

from absah.v1 import check_result_pb2 as _check_result_pb2
from absah.v1 import wording_pb2 as _wording_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Decision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_UNSPECIFIED: _ClassVar[Decision]
    DECISION_ACCEPT: _ClassVar[Decision]
    DECISION_REVIEW: _ClassVar[Decision]
    DECISION_REJECT: _ClassVar[Decision]

class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATE_UNSPECIFIED: _ClassVar[State]
    STATE_PENDING: _ClassVar[State]
    STATE_RUNNING: _ClassVar[State]
    STATE_SUCCEEDED: _ClassVar[State]
    STATE_FAILED: _ClassVar[State]
    STATE_CANCELLED: _ClassVar[State]

class Agreement(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGREEMENT_UNSPECIFIED: _ClassVar[Agreement]
    AGREEMENT_AGREES: _ClassVar[Agreement]
    AGREEMENT_CONTRADICTS: _ClassVar[Agreement]
    AGREEMENT_UNSETTLED: _ClassVar[Agreement]
DECISION_UNSPECIFIED: Decision
DECISION_ACCEPT: Decision
DECISION_REVIEW: Decision
DECISION_REJECT: Decision
STATE_UNSPECIFIED: State
STATE_PENDING: State
STATE_RUNNING: State
STATE_SUCCEEDED: State
STATE_FAILED: State
STATE_CANCELLED: State
AGREEMENT_UNSPECIFIED: Agreement
AGREEMENT_AGREES: Agreement
AGREEMENT_CONTRADICTS: Agreement
AGREEMENT_UNSETTLED: Agreement

class FindingReference(_message.Message):
    __slots__ = ("checker", "document", "index")
    CHECKER_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    checker: str
    document: str
    index: int
    def __init__(self, checker: _Optional[str] = ..., document: _Optional[str] = ..., index: _Optional[int] = ...) -> None: ...

class Reason(_message.Message):
    __slots__ = ("rule", "decision", "message", "claim", "findings")
    RULE_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CLAIM_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    rule: str
    decision: Decision
    message: _wording_pb2.Wording
    claim: str
    findings: _containers.RepeatedCompositeFieldContainer[FindingReference]
    def __init__(self, rule: _Optional[str] = ..., decision: _Optional[_Union[Decision, str]] = ..., message: _Optional[_Union[_wording_pb2.Wording, _Mapping]] = ..., claim: _Optional[str] = ..., findings: _Optional[_Iterable[_Union[FindingReference, _Mapping]]] = ...) -> None: ...

class ClaimComparison(_message.Message):
    __slots__ = ("claim", "agreement", "found", "detail", "findings")
    CLAIM_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    claim: str
    agreement: Agreement
    found: str
    detail: _wording_pb2.Wording
    findings: _containers.RepeatedCompositeFieldContainer[FindingReference]
    def __init__(self, claim: _Optional[str] = ..., agreement: _Optional[_Union[Agreement, str]] = ..., found: _Optional[str] = ..., detail: _Optional[_Union[_wording_pb2.Wording, _Mapping]] = ..., findings: _Optional[_Iterable[_Union[FindingReference, _Mapping]]] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("decision", "reasons", "claim_comparisons")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    CLAIM_COMPARISONS_FIELD_NUMBER: _ClassVar[int]
    decision: Decision
    reasons: _containers.RepeatedCompositeFieldContainer[Reason]
    claim_comparisons: _containers.RepeatedCompositeFieldContainer[ClaimComparison]
    def __init__(self, decision: _Optional[_Union[Decision, str]] = ..., reasons: _Optional[_Iterable[_Union[Reason, _Mapping]]] = ..., claim_comparisons: _Optional[_Iterable[_Union[ClaimComparison, _Mapping]]] = ...) -> None: ...

class DocumentRecord(_message.Message):
    __slots__ = ("document", "role", "filename", "media_type", "size_bytes", "sha256")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    FILENAME_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    document: str
    role: str
    filename: str
    media_type: str
    size_bytes: int
    sha256: str
    def __init__(self, document: _Optional[str] = ..., role: _Optional[str] = ..., filename: _Optional[str] = ..., media_type: _Optional[str] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class CheckerRecord(_message.Message):
    __slots__ = ("checker", "version")
    CHECKER_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    checker: str
    version: str
    def __init__(self, checker: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class Record(_message.Message):
    __slots__ = ("documents", "claims_sha256", "policy", "policy_sha256", "checkers", "models", "server_version")
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_SHA256_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    POLICY_SHA256_FIELD_NUMBER: _ClassVar[int]
    CHECKERS_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    SERVER_VERSION_FIELD_NUMBER: _ClassVar[int]
    documents: _containers.RepeatedCompositeFieldContainer[DocumentRecord]
    claims_sha256: str
    policy: str
    policy_sha256: str
    checkers: _containers.RepeatedCompositeFieldContainer[CheckerRecord]
    models: _containers.RepeatedCompositeFieldContainer[_check_result_pb2.ModelVersion]
    server_version: str
    def __init__(self, documents: _Optional[_Iterable[_Union[DocumentRecord, _Mapping]]] = ..., claims_sha256: _Optional[str] = ..., policy: _Optional[str] = ..., policy_sha256: _Optional[str] = ..., checkers: _Optional[_Iterable[_Union[CheckerRecord, _Mapping]]] = ..., models: _Optional[_Iterable[_Union[_check_result_pb2.ModelVersion, _Mapping]]] = ..., server_version: _Optional[str] = ...) -> None: ...

class HumanDecision(_message.Message):
    __slots__ = ("decision", "reason", "reviewer", "decide_time")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REVIEWER_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    decision: Decision
    reason: str
    reviewer: str
    decide_time: _timestamp_pb2.Timestamp
    def __init__(self, decision: _Optional[_Union[Decision, str]] = ..., reason: _Optional[str] = ..., reviewer: _Optional[str] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Validation(_message.Message):
    __slots__ = ("name", "request_id", "state", "verdict", "check_results", "create_time", "update_time", "error", "record", "human_decision")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    CHECK_RESULTS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    HUMAN_DECISION_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    state: State
    verdict: Verdict
    check_results: _containers.RepeatedCompositeFieldContainer[_check_result_pb2.CheckResult]
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    error: _status_pb2.Status
    record: Record
    human_decision: HumanDecision
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ..., state: _Optional[_Union[State, str]] = ..., verdict: _Optional[_Union[Verdict, _Mapping]] = ..., check_results: _Optional[_Iterable[_Union[_check_result_pb2.CheckResult, _Mapping]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., record: _Optional[_Union[Record, _Mapping]] = ..., human_decision: _Optional[_Union[HumanDecision, _Mapping]] = ...) -> None: ...
