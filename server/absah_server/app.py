"""Wire the server together; nothing else does."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import json
import logging
import signal
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

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
from absah_sdk import AbsahError
from absah_server import storage, workers
from absah_server.core import policy_file, registry
from absah_server.core.acceptance import Acceptance
from absah_server.core.admission import Admission
from absah_server.core.auditing import Auditor
from absah_server.core.availability import Availability
from absah_server.core.caching import Recent, Reuse
from absah_server.core.ports import Dependency, Inference, Sandbox
from absah_server.core.purging import Purger, Retention
from absah_server.core.registry import Registry
from absah_server.core.replaying import Replayer
from absah_server.core.reviewing import Desk
from absah_server.core.running import Runner
from absah_server.core.uploading import Uploader
from absah_server.core.validator import Validator
from absah_server.core.watching import Watcher
from absah_server.decode import media_types, text
from absah_server.decode.sandbox import ProcessSandbox
from absah_server.inference.life import RepositoryLife
from absah_server.inference.local import LocalInference
from absah_server.inference.traffic import Traffic
from absah_server.inference.versions import VersionedInference
from absah_server.rpc.admin.servicer import AdminServicer
from absah_server.rpc.checkers import CheckerServicer
from absah_server.rpc.documents import DocumentServicer
from absah_server.rpc.policies import PolicyServicer
from absah_server.rpc.reading import RequestReader
from absah_server.rpc.reviews import ReviewServicer
from absah_server.rpc.validations import ValidationServicer
from absah_server.settings import InferenceSettings, Settings
from absah_server.storage import Storage
from absah_server.store.audit import PostgresAuditLog
from absah_server.store.cached_results import PostgresResultCache
from absah_server.store.dead_letters import PostgresDeadLetters
from absah_server.store.job_office import PostgresJobs
from absah_server.store.purging import PostgresExpiry
from absah_server.store.replays import PostgresRecords
from absah_server.store.reviews import PostgresReviews
from absah_server.store.sealing import Sealer
from absah_server.store.workers import Workers
from absah_server.telemetry import setup

log = logging.getLogger(__name__)
VERSION = metadata.version("absah")


@dataclass(frozen=True, kw_only=True, slots=True)
class Platform:
    """Checkers, models and sandbox, started: all but the gRPC server."""

    registry: Registry
    inference: Traffic
    availability: Availability
    runner: Runner


def load_registry(settings: Settings) -> Registry:
    """The checkers that the settings allow, configured. Raises `PluginInvalid`."""
    return registry.build(registry.installed(settings.plugins), settings.checkers)


def load_policies(settings: Settings, loaded: Registry) -> policy_file.Policies:
    """The policies of the settings' folder. Raises `PolicyInvalid` or `PolicyFolderMissing`."""
    reader = policy_file.Reader(checkers=loaded.checkers.keys(), functions=loaded.policy_functions)
    return policy_file.Policies(policy_file.read_folder(settings.policies, reader))


@asynccontextmanager
async def platform(
    settings: Settings, loaded: Registry, *, only: Collection[str] | None = None
) -> AsyncIterator[Platform]:
    """Start the checkers and what they need, and close all of it at the end.

    `only` names the models to load; None loads all of the repository.

    Raises `PluginInvalid` or `ModelInvalid`.
    """
    sandbox: Sandbox = ProcessSandbox(settings.decode, workers=settings.decode_workers)
    inference = Traffic(
        _runtime(settings.inference, only),
        settings.inference.model_repository,
        pins=settings.inference.pins,
    )
    availability = Availability(loaded)
    threads = ThreadPoolExecutor(settings.threads, thread_name_prefix="check")
    try:
        await _start(sandbox, inference)
        await asyncio.to_thread(availability.start, inference.models(), inference.problems())
        inference.loaded = functools.partial(_start_waiting_checkers, availability, inference)
        yield Platform(
            registry=loaded,
            inference=inference,
            availability=availability,
            runner=Runner(
                inference=inference,
                availability=availability,
                sandbox=sandbox,
                threads=threads,
                max_decoded_documents=asyncio.Semaphore(settings.max_decoded_documents),
            ),
        )
    finally:
        for registered in loaded.checkers.values():
            registered.checker.close()
        threads.shutdown(wait=False, cancel_futures=True)
        await inference.close()
        await sandbox.close()


def _runtime(chosen: InferenceSettings, only: Collection[str] | None) -> VersionedInference:
    """What runs the models. Raises `AbsahError` where its client is not installed."""
    if chosen.backend == "local":
        return LocalInference(
            chosen.model_repository,
            engine=chosen.engine,
            only=only,
            pins=chosen.pins,
            concurrent_runs=chosen.concurrent_runs,
            threads_per_run=chosen.threads_per_run,
            on_invalid=chosen.on_invalid,
        )
    try:
        from absah_server.inference.triton.inference import TritonInference
        from absah_server.inference.triton.watching import Watching
    except (ImportError, RuntimeError) as exc:
        raise AbsahError(
            f"inference.backend is triton, and its client is missing ({exc}): "
            "pip install absah[triton]"
        ) from exc
    return TritonInference(
        chosen.model_repository,
        addresses=chosen.triton.addresses,
        tls_ca_file=chosen.triton.tls_ca_file,
        only=only,
        pins=chosen.pins,
        max_in_flight=chosen.triton.max_in_flight,
        patience_seconds=chosen.triton.patience_seconds,
        start_seconds=chosen.triton.start_seconds,
        watching=Watching(
            interval_seconds=chosen.triton.probe_interval_seconds,
            shared_memory_bytes=chosen.triton.shared_memory_bytes,
        ),
        on_invalid=chosen.on_invalid,
    )


async def _start(sandbox: Sandbox, inference: Inference) -> None:
    """Start both at once, and fail only when both are done, so that neither is closed half open."""
    starts = await asyncio.gather(sandbox.start(), inference.start(), return_exceptions=True)
    for error in starts:
        if error is not None:
            raise error


def _start_waiting_checkers(availability: Availability, inference: Traffic) -> None:
    """Start, in a thread, the checkers whose models have come."""

    def start() -> None:
        try:
            availability.start(inference.models(), inference.problems())
        except Exception:
            log.exception("a checker could not be started")

    asyncio.get_running_loop().run_in_executor(None, start)


def validator(settings: Settings, parts: Platform, policies: policy_file.Policies) -> Validator:
    """The core's door over a started platform."""
    return Validator(
        registry=parts.registry,
        policies=policies,
        runner=parts.runner,
        admission=Admission(
            max_running=settings.max_running,
            max_waiting=settings.max_waiting,
            max_held_bytes=settings.max_held_bytes,
        ),
        limits=settings.limits,
        identify=media_types.sniff,
        read_text=functools.partial(text.decode, limits=settings.decode),
        server_version=VERSION,
    )


async def serve(
    settings: Settings,
    *,
    ready: Callable[[int], None] = lambda port: None,
    stop: asyncio.Event | None = None,
    on_signals: bool = True,
    loaded: Registry | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT or `stop`, then drain. `ready` is told the bound port.

    `on_signals` must be false outside the main thread; `loaded` replaces the installed checkers.

    Raises OSError if the address cannot be bound, and what `platform` raises.
    """
    stop = stop or asyncio.Event()
    if on_signals:
        stop_on_signals(stop)
    stop_telemetry = setup.start(
        otlp_endpoint=settings.telemetry.otlp_endpoint,
        prometheus_port=settings.telemetry.prometheus_port,
        prometheus_host=settings.telemetry.prometheus_host,
        version=VERSION,
    )
    try:
        loaded = loaded or load_registry(settings)
        policies = load_policies(settings, loaded)
        async with contextlib.AsyncExitStack() as stack:
            parts = await stack.enter_async_context(platform(settings, loaded))
            kept = purger = None
            if settings.store.kind == "postgres":
                kept = await stack.enter_async_context(storage.opened(settings))
                stack.callback(_sealing(settings, kept).cancel)
                parts = await stack.enter_async_context(reusing(settings, parts, kept))
                purger = _purger(settings, policies, kept)
                stack.callback(asyncio.create_task(purger.run()).cancel)
            admin = _admin(settings, parts, kept, purger)
            door = validator(settings, parts, policies)
            inner = parts.inference.inner
            models = inner if isinstance(inner, Dependency) else None
            crew = workers.make(settings, door, kept) if kept and settings.jobs.workers else None
            await _serve(settings, door, admin, kept, models, crew, ready, stop)
    finally:
        stop_telemetry()


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


def _admin(
    settings: Settings, parts: Platform, kept: Storage | None, purger: Purger | None
) -> AdminServicer:
    """What operators may do."""
    return AdminServicer(
        models=RepositoryLife(parts.inference, settings.inference.model_repository),
        availability=parts.availability,
        auditor=Auditor(PostgresAuditLog(kept.database)) if kept else None,
        purger=purger,
        jobs=PostgresJobs(database=kept.database, validations=kept.validations) if kept else None,
        dead_letters=PostgresDeadLetters(kept.database) if kept else None,
    )


def _purger(settings: Settings, policies: policy_file.Policies, kept: Storage) -> Purger:
    """What removes contents that have been kept long enough."""
    default = settings.blobs.documents_days
    days = {policy.reference: policy.documents_days or default for policy in policies.all()}
    return Purger(
        expiry=PostgresExpiry(database=kept.database),
        blobs=kept.blobs,
        partials=kept.partials,
        retention=Retention(default_days=default, by_policy=days),
        grace_seconds=settings.blobs.grace_seconds,
        partial_seconds=settings.blobs.partial_hours * storage.HOUR_SECONDS,
        interval_seconds=settings.blobs.purge_seconds,
    )


@asynccontextmanager
async def reusing(settings: Settings, parts: Platform, kept: Storage) -> AsyncIterator[Platform]:
    """The platform with results of earlier checks at hand, unless the settings say otherwise."""
    if not settings.cache.enabled:
        yield parts
        return
    cache = PostgresResultCache(
        kept.database,
        kept.keeper,
        max_age_seconds=settings.cache.max_age_days * storage.DAY_SECONDS,
    )
    writing = asyncio.create_task(cache.run())
    # All that a result may depend on besides its checker, its models and its document.
    environment = {
        "version": VERSION,
        "decode": dataclasses.asdict(settings.decode),
        "backend": settings.inference.backend,
        "engine": settings.inference.engine,
    }
    recent = Recent(cache, max_results=settings.cache.recent_results)
    reuse = Reuse(cache=recent, environment=json.dumps(environment, sort_keys=True, default=str))
    try:
        yield dataclasses.replace(parts, runner=dataclasses.replace(parts.runner, reuse=reuse))
    finally:
        writing.cancel()


def _sealing(settings: Settings, kept: Storage) -> asyncio.Task[None]:
    """Seal the audit log in the background."""
    sealer = Sealer(kept.database, interval_seconds=settings.audit.seal_interval_seconds)
    return asyncio.create_task(sealer.run())


def _services(
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


def _full_name(module: Any, service: str) -> str:
    return str(module.DESCRIPTOR.services_by_name[service].full_name)


def acceptance(settings: Settings, door: Validator, kept: Storage) -> Acceptance:
    """The door for what is kept."""
    return Acceptance(
        validator=door,
        validations=kept.validations,
        keeper=kept.keeper,
        admission=Admission(
            max_running=settings.max_accepting,
            max_waiting=4 * settings.max_accepting,
            max_held_bytes=settings.max_held_bytes,
        ),
    )


def _replayer(door: Validator, kept: Storage) -> Replayer:
    """What runs ended validations again."""
    records = PostgresRecords(kept.database)
    return Replayer(validator=door, records=records, keeper=kept.keeper)


async def _serve(
    settings: Settings,
    door: Validator,
    admin: AdminServicer,
    kept: Storage | None,
    models: Dependency | None,
    crew: Workers | None,
    ready: Callable[[int], None],
    stop: asyncio.Event,
) -> None:
    server = grpc.aio.server(interceptors=[RequestReader()], options=_options(settings))
    validations = ValidationServicer(
        door,
        default_deadline_seconds=settings.default_deadline_seconds,
        max_deadline_seconds=settings.max_deadline_seconds,
        stream_window=settings.max_running,
        acceptance=acceptance(settings, door, kept) if kept else None,
        history=kept.validations if kept else None,
        watcher=Watcher(history=kept.validations, changes=kept.changes) if kept else None,
        replayer=_replayer(door, kept) if kept else None,
    )
    services = _services(settings, door, admin, kept, validations)
    for service in services:
        service.add(service.servicer, server)
    healths = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(healths, server)
    if settings.reflection:
        names = [service.name for service in services]
        reflection.enable_server_reflection(
            (*names, health.SERVICE_NAME, reflection.SERVICE_NAME), server
        )
    address = f"{settings.host}:{settings.port}"
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as exc:
        raise OSError(f"{address} cannot be bound; is another server running there?") from exc
    await server.start()
    telling = asyncio.create_task(
        _tell_health(healths, services, kept.database if kept else None, models)
    )
    if crew:
        crew.start(drain_seconds=settings.drain_seconds)
    log.info("serving", extra={"host": settings.host, "port": port})
    ready(port)
    await stop.wait()
    log.info("draining", extra={"running": door.admission.running})
    telling.cancel()
    await healths.enter_graceful_shutdown()
    validations.close()
    await asyncio.gather(server.stop(settings.drain_seconds), *([crew.stop()] if crew else []))
    log.info("stopped")


async def _tell_health(
    healths: health.aio.HealthServicer,
    services: Sequence[Service],
    store: Dependency | None,
    models: Dependency | None,
) -> None:
    """Keep health true: the server as a whole ("") is as healthy as its least healthy service."""
    outside = [each for each in (store, models) if each is not None]
    while True:
        # Waited for from before the look on, so that no change falls between the two.
        changes = [asyncio.ensure_future(each.changed()) for each in outside]
        try:
            await asyncio.sleep(0)
            stored = store is None or store.available
            served = models is None or models.available
            for service in services:
                healthy = (stored or not service.needs_store) and (
                    served or not service.needs_models
                )
                await healths.set(service.name, _status(healthy))
            await healths.set("", _status(stored and served))
            if not changes:
                return
            await asyncio.wait(changes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for change in changes:
                change.cancel()


def _status(serving: bool) -> Any:
    status = health_pb2.HealthCheckResponse
    return status.SERVING if serving else status.NOT_SERVING


def _options(settings: Settings) -> list[tuple[str, Any]]:
    message_bytes = settings.limits.max_total_bytes + 4 * 2**20
    return [
        ("grpc.max_receive_message_length", message_bytes),
        ("grpc.max_send_message_length", -1),
        # gRPC unpacks a compressed message to its end before it looks at its length, so that 64 MiB
        # could become 64 GiB. Identity alone is accepted; pictures would not shrink anyway.
        ("grpc.compression_enabled_algorithms_bitset", 1 << grpc.Compression.NoCompression),
        ("grpc.so_reuseport", 0),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ]


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` at SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
