"""Make the gRPC services of a server, from its settings and what it has opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc

from absah.admin.v1 import admin_service_pb2, admin_service_pb2_grpc
from absah.v1 import (
    checker_service_pb2,
    checker_service_pb2_grpc,
    document_service_pb2,
    document_service_pb2_grpc,
    policy_service_pb2,
    policy_service_pb2_grpc,
    review_service_pb2,
    review_service_pb2_grpc,
    validation_service_pb2,
    validation_service_pb2_grpc,
)
from absah_server import platform
from absah_server.core.auditing import Auditor
from absah_server.core.purging import Purger
from absah_server.core.replaying import Replayer
from absah_server.core.reviewing import Desk
from absah_server.core.uploading import Uploader
from absah_server.core.validator import Validator
from absah_server.core.watching import Watcher
from absah_server.decode import media_types
from absah_server.inference.life import RepositoryLife
from absah_server.platform import Platform
from absah_server.rpc.admin.servicer import AdminServicer
from absah_server.rpc.checkers import CheckerServicer
from absah_server.rpc.documents import DocumentServicer
from absah_server.rpc.policies import PolicyServicer
from absah_server.rpc.reviews import ReviewServicer
from absah_server.rpc.validations import ValidationServicer
from absah_server.settings import Settings
from absah_server.storage import Storage
from absah_server.store.audit import PostgresAuditLog
from absah_server.store.dead_letters import PostgresDeadLetters
from absah_server.store.job_office import PostgresJobs
from absah_server.store.replays import PostgresRecords
from absah_server.store.reviews import PostgresReviews


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """A gRPC service of this server.

    One that `needs_store` is healthy while the store answers, one that `needs_models` while any
    model is served.
    """

    name: str
    add: Callable[[Any, grpc.aio.Server], None]
    servicer: Any
    needs_store: bool = False
    needs_models: bool = False


def make(
    settings: Settings,
    door: Validator,
    admin: AdminServicer,
    kept: Storage | None,
    validations: ValidationServicer,
) -> list[Service]:
    """What this server serves."""
    services = [
        Service(
            name=_full_name(validation_service_pb2, "ValidationService"),
            add=validation_service_pb2_grpc.add_ValidationServiceServicer_to_server,
            servicer=validations,
            needs_store=kept is not None,
            needs_models=True,
        ),
        Service(
            name=_full_name(checker_service_pb2, "CheckerService"),
            add=checker_service_pb2_grpc.add_CheckerServiceServicer_to_server,
            servicer=CheckerServicer(door.registry),
        ),
        Service(
            name=_full_name(policy_service_pb2, "PolicyService"),
            add=policy_service_pb2_grpc.add_PolicyServiceServicer_to_server,
            servicer=PolicyServicer(door.policies),
        ),
        Service(
            name=_full_name(admin_service_pb2, "AdminService"),
            add=admin_service_pb2_grpc.add_AdminServiceServicer_to_server,
            servicer=admin,
        ),
    ]
    if kept:
        services.append(_document_service(settings, kept))
        services.append(_review_service(settings, kept))
    return services


def _document_service(settings: Settings, kept: Storage) -> Service:
    uploader = Uploader(
        blobs=kept.blobs,
        index=kept.documents,
        partials=kept.partials,
        identify=media_types.sniff,
        max_bytes=settings.limits.max_document_bytes,
        idle_seconds=settings.blobs.idle_seconds,
    )
    return Service(
        name=_full_name(document_service_pb2, "DocumentService"),
        add=document_service_pb2_grpc.add_DocumentServiceServicer_to_server,
        servicer=DocumentServicer(
            uploader,
            kept.keeper,
            max_uploads=settings.blobs.max_uploads,
            max_downloads=settings.blobs.max_downloads,
            idle_seconds=settings.blobs.idle_seconds,
        ),
        needs_store=True,
    )


def _review_service(settings: Settings, kept: Storage) -> Service:
    desk = Desk(
        reviews=PostgresReviews(kept.database), claim_seconds=60 * settings.reviews.claim_minutes
    )
    return Service(
        name=_full_name(review_service_pb2, "ReviewService"),
        add=review_service_pb2_grpc.add_ReviewServiceServicer_to_server,
        servicer=ReviewServicer(desk),
        needs_store=True,
    )


def validation_servicer(
    settings: Settings, door: Validator, kept: Storage | None
) -> ValidationServicer:
    """ValidationService, durable where something is kept."""
    return ValidationServicer(
        door,
        default_deadline_seconds=settings.default_deadline_seconds,
        max_deadline_seconds=settings.max_deadline_seconds,
        stream_window=settings.max_running,
        acceptance=platform.acceptance(settings, door, kept) if kept else None,
        history=kept.validations if kept else None,
        watcher=Watcher(history=kept.validations, changes=kept.changes) if kept else None,
        replayer=_replayer(door, kept) if kept else None,
    )


def admin_servicer(
    settings: Settings, parts: Platform, kept: Storage | None, purger: Purger | None
) -> AdminServicer:
    """What operators may do."""
    auditor = Auditor(PostgresAuditLog(kept.database)) if kept else None
    repository = settings.inference.model_repository
    return AdminServicer(
        models=RepositoryLife(parts.inference, repository, auditor=auditor),
        availability=parts.availability,
        auditor=auditor,
        purger=purger,
        jobs=PostgresJobs(database=kept.database, validations=kept.validations) if kept else None,
        dead_letters=PostgresDeadLetters(kept.database) if kept else None,
    )


def _replayer(door: Validator, kept: Storage) -> Replayer:
    """What runs ended validations again."""
    records = PostgresRecords(kept.database)
    return Replayer(validator=door, records=records, keeper=kept.keeper)


def _full_name(module: Any, service: str) -> str:
    return str(module.DESCRIPTOR.services_by_name[service].full_name)
