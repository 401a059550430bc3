import datetime

from absah.v1 import validation_service_pb2 as _validation_service_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CandidateMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CANDIDATE_MODE_UNSPECIFIED: _ClassVar[CandidateMode]
    CANDIDATE_MODE_SHADOW: _ClassVar[CandidateMode]
    CANDIDATE_MODE_CANARY: _ClassVar[CandidateMode]

class JobState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JOB_STATE_UNSPECIFIED: _ClassVar[JobState]
    JOB_STATE_WAITING: _ClassVar[JobState]
    JOB_STATE_RUNNING: _ClassVar[JobState]
    JOB_STATE_SUCCEEDED: _ClassVar[JobState]
    JOB_STATE_FAILED: _ClassVar[JobState]
    JOB_STATE_CANCELLED: _ClassVar[JobState]

class AttemptOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTEMPT_OUTCOME_UNSPECIFIED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_SUCCEEDED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_FAILED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_CANCELLED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_RETRIED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_LOST: _ClassVar[AttemptOutcome]

class MessageOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MESSAGE_OUTCOME_UNSPECIFIED: _ClassVar[MessageOutcome]
    MESSAGE_OUTCOME_RETRIED: _ClassVar[MessageOutcome]
    MESSAGE_OUTCOME_PARKED: _ClassVar[MessageOutcome]
    MESSAGE_OUTCOME_REDRIVEN: _ClassVar[MessageOutcome]
    MESSAGE_OUTCOME_DISCARDED: _ClassVar[MessageOutcome]
    MESSAGE_OUTCOME_ANSWERED: _ClassVar[MessageOutcome]
CANDIDATE_MODE_UNSPECIFIED: CandidateMode
CANDIDATE_MODE_SHADOW: CandidateMode
CANDIDATE_MODE_CANARY: CandidateMode
JOB_STATE_UNSPECIFIED: JobState
JOB_STATE_WAITING: JobState
JOB_STATE_RUNNING: JobState
JOB_STATE_SUCCEEDED: JobState
JOB_STATE_FAILED: JobState
JOB_STATE_CANCELLED: JobState
ATTEMPT_OUTCOME_UNSPECIFIED: AttemptOutcome
ATTEMPT_OUTCOME_SUCCEEDED: AttemptOutcome
ATTEMPT_OUTCOME_FAILED: AttemptOutcome
ATTEMPT_OUTCOME_CANCELLED: AttemptOutcome
ATTEMPT_OUTCOME_RETRIED: AttemptOutcome
ATTEMPT_OUTCOME_LOST: AttemptOutcome
MESSAGE_OUTCOME_UNSPECIFIED: MessageOutcome
MESSAGE_OUTCOME_RETRIED: MessageOutcome
MESSAGE_OUTCOME_PARKED: MessageOutcome
MESSAGE_OUTCOME_REDRIVEN: MessageOutcome
MESSAGE_OUTCOME_DISCARDED: MessageOutcome
MESSAGE_OUTCOME_ANSWERED: MessageOutcome

class Candidate(_message.Message):
    __slots__ = ("version", "mode", "share")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    version: str
    mode: CandidateMode
    share: float
    def __init__(self, version: _Optional[str] = ..., mode: _Optional[_Union[CandidateMode, str]] = ..., share: _Optional[float] = ...) -> None: ...

class Rollout(_message.Message):
    __slots__ = ("current", "previous", "candidate")
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    current: str
    previous: str
    candidate: Candidate
    def __init__(self, current: _Optional[str] = ..., previous: _Optional[str] = ..., candidate: _Optional[_Union[Candidate, _Mapping]] = ...) -> None: ...

class ModelStatistics(_message.Message):
    __slots__ = ("requests", "succeeded", "failed", "dropped", "refused", "items", "batches", "queue_time", "compute_time", "queued", "running")
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    SUCCEEDED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    QUEUE_TIME_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_TIME_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    requests: int
    succeeded: int
    failed: int
    dropped: int
    refused: int
    items: int
    batches: int
    queue_time: _duration_pb2.Duration
    compute_time: _duration_pb2.Duration
    queued: int
    running: int
    def __init__(self, requests: _Optional[int] = ..., succeeded: _Optional[int] = ..., failed: _Optional[int] = ..., dropped: _Optional[int] = ..., refused: _Optional[int] = ..., items: _Optional[int] = ..., batches: _Optional[int] = ..., queue_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., compute_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., queued: _Optional[int] = ..., running: _Optional[int] = ...) -> None: ...

class ModelVersion(_message.Message):
    __slots__ = ("version", "sha256", "engine", "statistics")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    STATISTICS_FIELD_NUMBER: _ClassVar[int]
    version: str
    sha256: str
    engine: str
    statistics: ModelStatistics
    def __init__(self, version: _Optional[str] = ..., sha256: _Optional[str] = ..., engine: _Optional[str] = ..., statistics: _Optional[_Union[ModelStatistics, _Mapping]] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("name", "rollout", "versions", "problem", "unavailable_checkers")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    UNAVAILABLE_CHECKERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    rollout: Rollout
    versions: _containers.RepeatedCompositeFieldContainer[ModelVersion]
    problem: str
    unavailable_checkers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., rollout: _Optional[_Union[Rollout, _Mapping]] = ..., versions: _Optional[_Iterable[_Union[ModelVersion, _Mapping]]] = ..., problem: _Optional[str] = ..., unavailable_checkers: _Optional[_Iterable[str]] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models", "next_page_token")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    next_page_token: str
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetModelRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetModelResponse(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: Model
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ...) -> None: ...

class LoadModelRequest(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class LoadModelResponse(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: Model
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ...) -> None: ...

class UnloadModelRequest(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class UnloadModelResponse(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: Model
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ...) -> None: ...

class SetRolloutRequest(_message.Message):
    __slots__ = ("name", "rollout", "reason", "sha256")
    class Sha256Entry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    rollout: Rollout
    reason: str
    sha256: _containers.ScalarMap[str, str]
    def __init__(self, name: _Optional[str] = ..., rollout: _Optional[_Union[Rollout, _Mapping]] = ..., reason: _Optional[str] = ..., sha256: _Optional[_Mapping[str, str]] = ...) -> None: ...

class SetRolloutResponse(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: Model
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ...) -> None: ...

class RollBackModelRequest(_message.Message):
    __slots__ = ("name", "reason")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    reason: str
    def __init__(self, name: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RollBackModelResponse(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: Model
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ...) -> None: ...

class OutputAgreement(_message.Message):
    __slots__ = ("output", "different_shapes", "within_tolerance", "max_difference", "mean_difference", "same_argmax")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    DIFFERENT_SHAPES_FIELD_NUMBER: _ClassVar[int]
    WITHIN_TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    MAX_DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    MEAN_DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    SAME_ARGMAX_FIELD_NUMBER: _ClassVar[int]
    output: str
    different_shapes: int
    within_tolerance: float
    max_difference: float
    mean_difference: float
    same_argmax: float
    def __init__(self, output: _Optional[str] = ..., different_shapes: _Optional[int] = ..., within_tolerance: _Optional[float] = ..., max_difference: _Optional[float] = ..., mean_difference: _Optional[float] = ..., same_argmax: _Optional[float] = ...) -> None: ...

class ShadowReport(_message.Message):
    __slots__ = ("model", "current", "candidate", "start_time", "drawn", "compared", "dropped", "failed", "outputs", "current_latency", "candidate_latency", "absolute_tolerance", "relative_tolerance")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    DRAWN_FIELD_NUMBER: _ClassVar[int]
    COMPARED_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    CURRENT_LATENCY_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_LATENCY_FIELD_NUMBER: _ClassVar[int]
    ABSOLUTE_TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    model: str
    current: str
    candidate: str
    start_time: _timestamp_pb2.Timestamp
    drawn: int
    compared: int
    dropped: int
    failed: int
    outputs: _containers.RepeatedCompositeFieldContainer[OutputAgreement]
    current_latency: _duration_pb2.Duration
    candidate_latency: _duration_pb2.Duration
    absolute_tolerance: float
    relative_tolerance: float
    def __init__(self, model: _Optional[str] = ..., current: _Optional[str] = ..., candidate: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., drawn: _Optional[int] = ..., compared: _Optional[int] = ..., dropped: _Optional[int] = ..., failed: _Optional[int] = ..., outputs: _Optional[_Iterable[_Union[OutputAgreement, _Mapping]]] = ..., current_latency: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., candidate_latency: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., absolute_tolerance: _Optional[float] = ..., relative_tolerance: _Optional[float] = ...) -> None: ...

class GetShadowReportRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetShadowReportResponse(_message.Message):
    __slots__ = ("report",)
    REPORT_FIELD_NUMBER: _ClassVar[int]
    report: ShadowReport
    def __init__(self, report: _Optional[_Union[ShadowReport, _Mapping]] = ...) -> None: ...

class AuditEvent(_message.Message):
    __slots__ = ("id", "sequence", "event_time", "actor", "action", "subject", "details", "sha256")
    ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    id: int
    sequence: int
    event_time: _timestamp_pb2.Timestamp
    actor: str
    action: str
    subject: str
    details: _struct_pb2.Struct
    sha256: str
    def __init__(self, id: _Optional[int] = ..., sequence: _Optional[int] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., actor: _Optional[str] = ..., action: _Optional[str] = ..., subject: _Optional[str] = ..., details: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., sha256: _Optional[str] = ...) -> None: ...

class AuditFilter(_message.Message):
    __slots__ = ("subject", "actor", "action")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    subject: str
    actor: str
    action: str
    def __init__(self, subject: _Optional[str] = ..., actor: _Optional[str] = ..., action: _Optional[str] = ...) -> None: ...

class AuditHead(_message.Message):
    __slots__ = ("sequence", "sha256")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    sha256: str
    def __init__(self, sequence: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class BrokenLink(_message.Message):
    __slots__ = ("sequence", "problem")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    problem: str
    def __init__(self, sequence: _Optional[int] = ..., problem: _Optional[str] = ...) -> None: ...

class ListAuditEventsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "filter")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    filter: AuditFilter
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[_Union[AuditFilter, _Mapping]] = ...) -> None: ...

class ListAuditEventsResponse(_message.Message):
    __slots__ = ("audit_events", "next_page_token")
    AUDIT_EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    audit_events: _containers.RepeatedCompositeFieldContainer[AuditEvent]
    next_page_token: str
    def __init__(self, audit_events: _Optional[_Iterable[_Union[AuditEvent, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetAuditHeadRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetAuditHeadResponse(_message.Message):
    __slots__ = ("head",)
    HEAD_FIELD_NUMBER: _ClassVar[int]
    head: AuditHead
    def __init__(self, head: _Optional[_Union[AuditHead, _Mapping]] = ...) -> None: ...

class VerifyAuditRequest(_message.Message):
    __slots__ = ("anchor_sha256",)
    ANCHOR_SHA256_FIELD_NUMBER: _ClassVar[int]
    anchor_sha256: str
    def __init__(self, anchor_sha256: _Optional[str] = ...) -> None: ...

class VerifyAuditResponse(_message.Message):
    __slots__ = ("head", "broken_link", "anchor_sequence", "unsealed_events", "unsealed_age", "untold_decisions")
    HEAD_FIELD_NUMBER: _ClassVar[int]
    BROKEN_LINK_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    UNSEALED_EVENTS_FIELD_NUMBER: _ClassVar[int]
    UNSEALED_AGE_FIELD_NUMBER: _ClassVar[int]
    UNTOLD_DECISIONS_FIELD_NUMBER: _ClassVar[int]
    head: AuditHead
    broken_link: BrokenLink
    anchor_sequence: int
    unsealed_events: int
    unsealed_age: _duration_pb2.Duration
    untold_decisions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, head: _Optional[_Union[AuditHead, _Mapping]] = ..., broken_link: _Optional[_Union[BrokenLink, _Mapping]] = ..., anchor_sequence: _Optional[int] = ..., unsealed_events: _Optional[int] = ..., unsealed_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., untold_decisions: _Optional[_Iterable[str]] = ...) -> None: ...

class ExportAuditRequest(_message.Message):
    __slots__ = ("first_sequence",)
    FIRST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    first_sequence: int
    def __init__(self, first_sequence: _Optional[int] = ...) -> None: ...

class ExportAuditResponse(_message.Message):
    __slots__ = ("content",)
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    def __init__(self, content: _Optional[bytes] = ...) -> None: ...

class PurgeDocumentsRequest(_message.Message):
    __slots__ = ("dry_run",)
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    dry_run: bool
    def __init__(self, dry_run: _Optional[bool] = ...) -> None: ...

class PurgeDocumentsResponse(_message.Message):
    __slots__ = ("erased_validations", "deleted_documents", "deleted_bytes", "removed_contents", "removed_uploads")
    ERASED_VALIDATIONS_FIELD_NUMBER: _ClassVar[int]
    DELETED_DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    DELETED_BYTES_FIELD_NUMBER: _ClassVar[int]
    REMOVED_CONTENTS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_UPLOADS_FIELD_NUMBER: _ClassVar[int]
    erased_validations: int
    deleted_documents: int
    deleted_bytes: int
    removed_contents: int
    removed_uploads: int
    def __init__(self, erased_validations: _Optional[int] = ..., deleted_documents: _Optional[int] = ..., deleted_bytes: _Optional[int] = ..., removed_contents: _Optional[int] = ..., removed_uploads: _Optional[int] = ...) -> None: ...

class Attempt(_message.Message):
    __slots__ = ("number", "worker", "start_time", "end_time", "outcome", "error")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    number: int
    worker: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    outcome: AttemptOutcome
    error: _status_pb2.Status
    def __init__(self, number: _Optional[int] = ..., worker: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., outcome: _Optional[_Union[AttemptOutcome, str]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class Job(_message.Message):
    __slots__ = ("name", "validation", "policy", "state", "priority", "schedule_time", "attempt_count", "last_attempt", "attempts", "create_time", "lock")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_TIME_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_COUNT_FIELD_NUMBER: _ClassVar[int]
    LAST_ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    LOCK_FIELD_NUMBER: _ClassVar[int]
    name: str
    validation: str
    policy: str
    state: JobState
    priority: _validation_service_pb2.Priority
    schedule_time: _timestamp_pb2.Timestamp
    attempt_count: int
    last_attempt: Attempt
    attempts: _containers.RepeatedCompositeFieldContainer[Attempt]
    create_time: _timestamp_pb2.Timestamp
    lock: str
    def __init__(self, name: _Optional[str] = ..., validation: _Optional[str] = ..., policy: _Optional[str] = ..., state: _Optional[_Union[JobState, str]] = ..., priority: _Optional[_Union[_validation_service_pb2.Priority, str]] = ..., schedule_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attempt_count: _Optional[int] = ..., last_attempt: _Optional[_Union[Attempt, _Mapping]] = ..., attempts: _Optional[_Iterable[_Union[Attempt, _Mapping]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lock: _Optional[str] = ...) -> None: ...

class JobFilter(_message.Message):
    __slots__ = ("state", "policy", "validation")
    STATE_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_FIELD_NUMBER: _ClassVar[int]
    state: JobState
    policy: str
    validation: str
    def __init__(self, state: _Optional[_Union[JobState, str]] = ..., policy: _Optional[str] = ..., validation: _Optional[str] = ...) -> None: ...

class ListJobsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "filter")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    filter: JobFilter
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[_Union[JobFilter, _Mapping]] = ...) -> None: ...

class ListJobsResponse(_message.Message):
    __slots__ = ("jobs", "next_page_token")
    JOBS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[Job]
    next_page_token: str
    def __init__(self, jobs: _Optional[_Iterable[_Union[Job, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetJobRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: Job
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ...) -> None: ...

class RetryJobRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class RetryJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: Job
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ...) -> None: ...

class CancelJobRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class CancelJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: Job
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ...) -> None: ...

class PurgeJobsRequest(_message.Message):
    __slots__ = ("older_than", "states")
    OLDER_THAN_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    older_than: _duration_pb2.Duration
    states: _containers.RepeatedScalarFieldContainer[JobState]
    def __init__(self, older_than: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., states: _Optional[_Iterable[_Union[JobState, str]]] = ...) -> None: ...

class PurgeJobsResponse(_message.Message):
    __slots__ = ("purged_jobs",)
    PURGED_JOBS_FIELD_NUMBER: _ClassVar[int]
    purged_jobs: int
    def __init__(self, purged_jobs: _Optional[int] = ...) -> None: ...

class MessageAttempt(_message.Message):
    __slots__ = ("note_id", "system", "message_key", "queue", "attempt", "outcome", "cause", "field", "position", "problem", "event_time")
    NOTE_ID_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_KEY_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    note_id: str
    system: str
    message_key: str
    queue: str
    attempt: int
    outcome: MessageOutcome
    cause: str
    field: str
    position: str
    problem: str
    event_time: _timestamp_pb2.Timestamp
    def __init__(self, note_id: _Optional[str] = ..., system: _Optional[str] = ..., message_key: _Optional[str] = ..., queue: _Optional[str] = ..., attempt: _Optional[int] = ..., outcome: _Optional[_Union[MessageOutcome, str]] = ..., cause: _Optional[str] = ..., field: _Optional[str] = ..., position: _Optional[str] = ..., problem: _Optional[str] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RecordMessageAttemptsRequest(_message.Message):
    __slots__ = ("attempts",)
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    attempts: _containers.RepeatedCompositeFieldContainer[MessageAttempt]
    def __init__(self, attempts: _Optional[_Iterable[_Union[MessageAttempt, _Mapping]]] = ...) -> None: ...

class RecordMessageAttemptsResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeadLetter(_message.Message):
    __slots__ = ("name", "system", "message_key", "queue", "state", "cause", "field", "position", "problem", "attempt_count", "create_time", "update_time", "attempts")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_KEY_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    system: str
    message_key: str
    queue: str
    state: MessageOutcome
    cause: str
    field: str
    position: str
    problem: str
    attempt_count: int
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    attempts: _containers.RepeatedCompositeFieldContainer[MessageAttempt]
    def __init__(self, name: _Optional[str] = ..., system: _Optional[str] = ..., message_key: _Optional[str] = ..., queue: _Optional[str] = ..., state: _Optional[_Union[MessageOutcome, str]] = ..., cause: _Optional[str] = ..., field: _Optional[str] = ..., position: _Optional[str] = ..., problem: _Optional[str] = ..., attempt_count: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attempts: _Optional[_Iterable[_Union[MessageAttempt, _Mapping]]] = ...) -> None: ...

class DeadLetterGroup(_message.Message):
    __slots__ = ("system", "cause", "field", "dead_letter_count", "oldest_time", "newest_time")
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTER_COUNT_FIELD_NUMBER: _ClassVar[int]
    OLDEST_TIME_FIELD_NUMBER: _ClassVar[int]
    NEWEST_TIME_FIELD_NUMBER: _ClassVar[int]
    system: str
    cause: str
    field: str
    dead_letter_count: int
    oldest_time: _timestamp_pb2.Timestamp
    newest_time: _timestamp_pb2.Timestamp
    def __init__(self, system: _Optional[str] = ..., cause: _Optional[str] = ..., field: _Optional[str] = ..., dead_letter_count: _Optional[int] = ..., oldest_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., newest_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListDeadLetterGroupsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "system")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    system: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., system: _Optional[str] = ...) -> None: ...

class ListDeadLetterGroupsResponse(_message.Message):
    __slots__ = ("groups", "next_page_token")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[DeadLetterGroup]
    next_page_token: str
    def __init__(self, groups: _Optional[_Iterable[_Union[DeadLetterGroup, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeadLetterFilter(_message.Message):
    __slots__ = ("system", "cause", "field", "state")
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    system: str
    cause: str
    field: str
    state: MessageOutcome
    def __init__(self, system: _Optional[str] = ..., cause: _Optional[str] = ..., field: _Optional[str] = ..., state: _Optional[_Union[MessageOutcome, str]] = ...) -> None: ...

class ListDeadLettersRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "filter")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    filter: DeadLetterFilter
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[_Union[DeadLetterFilter, _Mapping]] = ...) -> None: ...

class ListDeadLettersResponse(_message.Message):
    __slots__ = ("dead_letters", "next_page_token")
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    dead_letters: _containers.RepeatedCompositeFieldContainer[DeadLetter]
    next_page_token: str
    def __init__(self, dead_letters: _Optional[_Iterable[_Union[DeadLetter, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetDeadLetterRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetDeadLetterResponse(_message.Message):
    __slots__ = ("dead_letter",)
    DEAD_LETTER_FIELD_NUMBER: _ClassVar[int]
    dead_letter: DeadLetter
    def __init__(self, dead_letter: _Optional[_Union[DeadLetter, _Mapping]] = ...) -> None: ...
