"""Wire the server together and serve; nothing else does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from absah_server import platform, services, signals, storage, workers
from absah_server.core import policy_file
from absah_server.core.ports import Dependency
from absah_server.core.purging import Purger, Retention
from absah_server.core.registry import Registry
from absah_server.platform import VERSION
from absah_server.rpc.health import HealthServicer
from absah_server.rpc.reading import RequestReader
from absah_server.services import Service
from absah_server.settings import Settings
from absah_server.storage import Storage
from absah_server.store.purging import PostgresExpiry
from absah_server.store.sealing import Sealer
from absah_server.store.workers import Workers
from absah_server.telemetry import setup

log = logging.getLogger(__name__)


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

    Raises OSError if the address cannot be bound, and what `platform.opened` and `storage.opened`
    raise.
    """
    stop = stop or asyncio.Event()
    if on_signals:
        signals.stop_on(stop)
    stop_telemetry = setup.start(
        otlp_endpoint=settings.telemetry.otlp_endpoint,
        prometheus_port=settings.telemetry.prometheus_port,
        prometheus_host=settings.telemetry.prometheus_host,
        version=VERSION,
    )
    try:
        loaded = loaded or platform.load_registry(settings)
        policies = platform.load_policies(settings, loaded)
        async with AsyncExitStack() as stack:
            await _open_and_serve(settings, loaded, policies, stack, ready, stop)
    finally:
        stop_telemetry()


async def _open_and_serve(
    settings: Settings,
    loaded: Registry,
    policies: policy_file.Policies,
    stack: AsyncExitStack,
    ready: Callable[[int], None],
    stop: asyncio.Event,
) -> None:
    parts = await stack.enter_async_context(platform.opened(settings, loaded))
    kept = purger = None
    if settings.store.kind == "postgres":
        kept = await stack.enter_async_context(storage.opened(settings))
        parts = await stack.enter_async_context(platform.reusing(settings, parts, kept))
        purger = _purger(settings, policies, kept)
        for task in (_sealing(settings, kept), asyncio.create_task(purger.run())):
            stack.callback(task.cancel)
    door = platform.validator(settings, parts, policies)
    validations = services.validation_servicer(settings, door, kept)
    made = services.make(
        settings, door, services.admin_servicer(settings, parts, kept, purger), kept, validations
    )
    models = parts.inference.inner
    outside = [kept.database if kept else None, models if isinstance(models, Dependency) else None]
    crew = workers.make(settings, door, kept) if kept and settings.jobs.workers else None
    server, healths, port = await _start(settings, made)
    telling = asyncio.create_task(_tell_health(healths, made, *outside))
    if crew:
        crew.start(drain_seconds=settings.drain_seconds)
    log.info("serving", extra={"host": settings.host, "port": port})
    ready(port)
    await stop.wait()
    log.info("draining", extra={"running": door.admission.running})
    telling.cancel()
    await healths.close()
    validations.close()
    await _stop(server, crew, settings.drain_seconds)
    log.info("stopped")


async def _start(
    settings: Settings, made: Sequence[Service]
) -> tuple[grpc.aio.Server, HealthServicer, int]:
    """A gRPC server of these services, and the port that it has. Raises OSError."""
    # gRPC's thread for asyncio ends with its last user, and may be waited for then for ever: it
    # stays as long as the process lives. https://github.com/grpc/grpc/pull/40989
    grpc.aio.init_grpc_aio()
    server = grpc.aio.server(interceptors=[RequestReader()], options=_options(settings))
    for service in made:
        service.add(service.servicer, server)
    healths = HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(healths, server)
    if settings.reflection:
        names = [service.name for service in made]
        reflection.enable_server_reflection(
            (*names, health.SERVICE_NAME, reflection.SERVICE_NAME), server
        )
    address = f"{settings.host}:{settings.port}"
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as exc:
        raise OSError(f"{address} cannot be bound; is another server running there?") from exc
    await server.start()
    return server, healths, port


async def _stop(server: grpc.aio.Server, crew: Workers | None, drain_seconds: float) -> None:
    await asyncio.gather(server.stop(drain_seconds), *([crew.stop()] if crew else []))


async def _tell_health(
    healths: HealthServicer,
    made: Sequence[Service],
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
            for service in made:
                await healths.tell(
                    service.name,
                    serving=(stored or not service.needs_store)
                    and (served or not service.needs_models),
                )
            await healths.tell("", serving=stored and served)
            if not changes:
                return
            await asyncio.wait(changes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for change in changes:
                change.cancel()


def _purger(settings: Settings, policies: policy_file.Policies, kept: Storage) -> Purger:
    """What removes contents that have been kept long enough."""
    default = settings.blobs.documents_days
    days = {policy.reference: policy.documents_days or default for policy in policies.all()}
    for name in {policy.name for policy in policies.all()}:
        days[name] = policies.get(name).documents_days or default
    return Purger(
        expiry=PostgresExpiry(database=kept.database),
        blobs=kept.blobs,
        partials=kept.partials,
        retention=Retention(default_days=default, by_policy=days),
        grace_seconds=settings.blobs.grace_seconds,
        partial_seconds=settings.blobs.partial_hours * storage.HOUR_SECONDS,
        interval_seconds=settings.blobs.purge_seconds,
    )


def _sealing(settings: Settings, kept: Storage) -> asyncio.Task[None]:
    """Seal the audit log in the background."""
    sealer = Sealer(kept.database, interval_seconds=settings.audit.seal_interval_seconds)
    return asyncio.create_task(sealer.run())


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
