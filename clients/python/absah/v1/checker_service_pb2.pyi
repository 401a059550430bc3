from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Checker(_message.Message):
    __slots__ = ("name", "version", "title", "media_types", "requires", "models", "plugin")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPES_FIELD_NUMBER: _ClassVar[int]
    REQUIRES_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    title: str
    media_types: _containers.RepeatedScalarFieldContainer[str]
    requires: _containers.RepeatedScalarFieldContainer[str]
    models: _containers.RepeatedScalarFieldContainer[str]
    plugin: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., title: _Optional[str] = ..., media_types: _Optional[_Iterable[str]] = ..., requires: _Optional[_Iterable[str]] = ..., models: _Optional[_Iterable[str]] = ..., plugin: _Optional[str] = ...) -> None: ...

class ListCheckersRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCheckersResponse(_message.Message):
    __slots__ = ("checkers", "next_page_token")
    CHECKERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    checkers: _containers.RepeatedCompositeFieldContainer[Checker]
    next_page_token: str
    def __init__(self, checkers: _Optional[_Iterable[_Union[Checker, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetCheckerRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetCheckerResponse(_message.Message):
    __slots__ = ("checker",)
    CHECKER_FIELD_NUMBER: _ClassVar[int]
    checker: Checker
    def __init__(self, checker: _Optional[_Union[Checker, _Mapping]] = ...) -> None: ...
