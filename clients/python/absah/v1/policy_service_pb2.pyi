from absah.v1 import wording_pb2 as _wording_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DocumentSlot(_message.Message):
    __slots__ = ("role", "min_count", "max_count", "media_types", "title")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    MIN_COUNT_FIELD_NUMBER: _ClassVar[int]
    MAX_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPES_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    role: str
    min_count: int
    max_count: int
    media_types: _containers.RepeatedScalarFieldContainer[str]
    title: _wording_pb2.Wording
    def __init__(self, role: _Optional[str] = ..., min_count: _Optional[int] = ..., max_count: _Optional[int] = ..., media_types: _Optional[_Iterable[str]] = ..., title: _Optional[_Union[_wording_pb2.Wording, _Mapping]] = ...) -> None: ...

class ClaimSlot(_message.Message):
    __slots__ = ("claim", "type", "title")
    CLAIM_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    claim: str
    type: str
    title: _wording_pb2.Wording
    def __init__(self, claim: _Optional[str] = ..., type: _Optional[str] = ..., title: _Optional[_Union[_wording_pb2.Wording, _Mapping]] = ...) -> None: ...

class Policy(_message.Message):
    __slots__ = ("name", "title", "documents", "claims", "checkers", "source", "sha256")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    CHECKERS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: _wording_pb2.Wording
    documents: _containers.RepeatedCompositeFieldContainer[DocumentSlot]
    claims: _containers.RepeatedCompositeFieldContainer[ClaimSlot]
    checkers: _containers.RepeatedScalarFieldContainer[str]
    source: str
    sha256: str
    def __init__(self, name: _Optional[str] = ..., title: _Optional[_Union[_wording_pb2.Wording, _Mapping]] = ..., documents: _Optional[_Iterable[_Union[DocumentSlot, _Mapping]]] = ..., claims: _Optional[_Iterable[_Union[ClaimSlot, _Mapping]]] = ..., checkers: _Optional[_Iterable[str]] = ..., source: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...

class ListPoliciesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPoliciesResponse(_message.Message):
    __slots__ = ("policies", "next_page_token")
    POLICIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    policies: _containers.RepeatedCompositeFieldContainer[Policy]
    next_page_token: str
    def __init__(self, policies: _Optional[_Iterable[_Union[Policy, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetPolicyRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetPolicyResponse(_message.Message):
    __slots__ = ("policy",)
    POLICY_FIELD_NUMBER: _ClassVar[int]
    policy: Policy
    def __init__(self, policy: _Optional[_Union[Policy, _Mapping]] = ...) -> None: ...
