"""A running server: whether it answers, and the health of each of its services."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

import absah
from absah.admin.v1 import admin_service_pb2
from absah.v1 import (
    checker_service_pb2,
    document_service_pb2,
    policy_service_pb2,
    review_service_pb2,
    validation_service_pb2,
)
from absah_ops.diagnosing.diagnosis import LOOK_SECONDS, Diagnosis, Look

FILES = (
    validation_service_pb2,
    document_service_pb2,
    review_service_pb2,
    policy_service_pb2,
    checker_service_pb2,
    admin_service_pb2,
)
STATUS = health_pb2.HealthCheckResponse.ServingStatus


def looks(address: str) -> Iterator[Look]:
    """How to look at a server."""
    yield Look(what="server", at=lambda: _checkers(address))
    yield Look(what="health", at=lambda: _health(address))


def _checkers(address: str) -> Diagnosis:
    with absah.Client(address, timeout_seconds=LOOK_SECONDS) as client:
        names = ", ".join(c.name.removeprefix("checkers/") for c in client.checkers())
    return Diagnosis(what="server", ok=True, found=f"{address} answers, with {names}")


def _health(address: str) -> Sequence[Diagnosis]:
    services = [
        service.full_name for file in FILES for service in file.DESCRIPTOR.services_by_name.values()
    ]
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        return [_service(stub, name) for name in services]


def _service(stub: health_pb2_grpc.HealthStub, name: str) -> Diagnosis:
    short, optional = name.rpartition(".")[2], False
    try:
        request = health_pb2.HealthCheckRequest(service=name)
        status = STATUS.Name(stub.Check(request, timeout=LOOK_SECONDS).status)
    except grpc.RpcError as exc:
        # A server that keeps nothing has no such service.
        status = exc.code().name
        optional = exc.code() is grpc.StatusCode.NOT_FOUND
    return Diagnosis(
        what="health",
        ok=status == "SERVING",
        found=f"{short}: {status}",
        mend="the server's log says what it waits for: the database, or a model",
        optional=optional,
    )
