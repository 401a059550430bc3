"""The methods of all services: how each is called, and which codes its contract names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from absah.admin.v1 import admin_service_pb2
from absah.v1 import (
    checker_service_pb2,
    document_service_pb2,
    policy_service_pb2,
    review_service_pb2,
    validation_service_pb2,
)

PROTOS = Path(__file__).parents[2] / "protos"
FILES = (
    validation_service_pb2,
    document_service_pb2,
    review_service_pb2,
    policy_service_pb2,
    checker_service_pb2,
    admin_service_pb2,
)
CODE = re.compile(
    r"\b(INVALID_ARGUMENT|NOT_FOUND|ALREADY_EXISTS|RESOURCE_EXHAUSTED|FAILED_PRECONDITION"
    r"|OUT_OF_RANGE|DEADLINE_EXCEEDED|UNAVAILABLE|DATA_LOSS)\b"
)
ELSEWHERE = re.compile(r"codes are those of (\w+)")
RPC = re.compile(r"((?:  //[^\n]*\n)*)  rpc (\w+)\(")


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """A method of a service. `codes` are those that its comment names, and INVALID_ARGUMENT.

    Every method may find a request, or what says who calls, to be malformed.
    """

    service: str
    name: str
    path: str
    request: type[Message]
    response: type[Message]
    codes: frozenset[str]
    client_streaming: bool


def every() -> Sequence[Method]:
    """All methods of all services."""
    return [
        _method(method, codes[method.name])
        for file in FILES
        for codes in [_documented(PROTOS / file.DESCRIPTOR.name)]
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]


def _method(found: MethodDescriptor, codes: frozenset[str]) -> Method:
    service = found.containing_service
    return Method(
        service=service.name,
        name=found.name,
        path=f"/{service.full_name}/{found.name}",
        request=message_factory.GetMessageClass(found.input_type),
        response=message_factory.GetMessageClass(found.output_type),
        codes=codes | {"INVALID_ARGUMENT"},
        client_streaming=found.client_streaming,
    )


def _documented(file: Path) -> dict[str, frozenset[str]]:
    """The codes that each method of a file is said to answer with."""
    found = RPC.findall(file.read_text())
    comments = {name: " ".join(comment.replace("//", " ").split()) for comment, name in found}
    return {name: frozenset(_codes(name, comments)) for name in comments}


def _codes(name: str, comments: dict[str, str]) -> Iterator[str]:
    comment = comments[name]
    yield from CODE.findall(comment)
    if other := ELSEWHERE.search(comment):
        yield from CODE.findall(comments[other[1]])
