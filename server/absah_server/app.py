"""Wire the server together; nothing else does."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import signal
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from absah.v1 import (
    checker_service_pb2,
    checker_service_pb2_grpc,
    policy_service_pb2,
    policy_service_pb2_grpc,
    validation_service_pb2,
    validation_service_pb2_grpc,
)
from absah_server import storage
from absah_server.core import policy_file, registry
from absah_server.core.admission import Admission
from absah_server.core.errors import PluginInvalid
from absah_server.core.ports import Inference, Sandbox
from absah_server.core.registry import Registry
from absah_server.core.running import Runner
from absah_server.core.validator import Validator
from absah_server.decode import media_types, text
from absah_server.decode.sandbox import ProcessSandbox
from absah_server.inference.local import LocalInference
from absah_server.rpc.checkers import CheckerServicer
from absah_server.rpc.policies import PolicyServicer
from absah_server.rpc.validations import ValidationServicer
from absah_server.settings import Settings
from absah_server.storage import Storage
from absah_server.telemetry import setup

log = logging.getLogger(__name__)
VERSION = metadata.version("absah")


@dataclass(frozen=True, kw_only=True, slots=True)
class Platform:
    """Checkers, models and sandbox, started: all but the gRPC server."""

    registry: Registry
    inference: Inference
    runner: Runner


def load_registry(settings: Settings) -> Registry:
    """The checkers that the settings allow, configured. Raises `PluginInvalid`."""
    return registry.build(registry.installed(settings.plugins), settings.checkers)


def load_policies(settings: Settings, loaded: Registry) -> policy_file.Policies:
    """The policies of the settings' folder. Raises `PolicyInvalid`."""
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
    inference: Inference = LocalInference(
        settings.inference.model_repository,
        engine=settings.inference.engine,
        only=only,
        concurrent_runs=settings.inference.concurrent_runs,
        threads_per_run=settings.inference.threads_per_run,
        on_invalid=settings.inference.on_invalid,
    )
    threads = ThreadPoolExecutor(settings.threads, thread_name_prefix="check")
    try:
        await _start(sandbox, inference)
        await asyncio.to_thread(_start_checkers, loaded, inference.models())
        yield Platform(
            registry=loaded,
            inference=inference,
            runner=Runner(
                inference=inference,
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


async def _start(sandbox: Sandbox, inference: Inference) -> None:
    """Start both at once, and fail only when both are done, so that neither is closed half open."""
    starts = await asyncio.gather(sandbox.start(), inference.start(), return_exceptions=True)
    for error in starts:
        if error is not None:
            raise error


def _start_checkers(loaded: Registry, models: Mapping[str, Any]) -> None:
    for name, registered in loaded.checkers.items():
        checker = registered.checker
        if missing := [model for model in checker.models if model not in models]:
            raise PluginInvalid(
                f"checker {name!r} needs model {', '.join(missing)}, which the model repository "
                f"does not hold; it holds {', '.join(sorted(models)) or 'none'}"
            )
        checker.start({model: models[model] for model in checker.models})


def validator(settings: Settings, parts: Platform, policies: policy_file.Policies) -> Validator:
    """The core's door over a started platform."""
    return Validator(
        registry=parts.registry,
        policies=policies,
        runner=parts.runner,
        admission=Admission(max_running=settings.max_running, max_waiting=settings.max_waiting),
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
        _stop_on_signals(stop)
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
            kept = None
            if settings.store.kind == "postgres":
                kept = await stack.enter_async_context(storage.opened(settings))
            await _serve(settings, validator(settings, parts, policies), kept, ready, stop)
    finally:
        stop_telemetry()


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """A gRPC service of this server. One that `needs_store` is healthy while the store answers."""

    name: str
    add: Callable[[Any, grpc.aio.Server], None]
    servicer: Any
    needs_store: bool = False


def _services(
    settings: Settings, door: Validator, kept: Storage | None, validations: ValidationServicer
) -> list[Service]:
    """What this server serves."""
    services = [
        Service(
            name=_full_name(validation_service_pb2, "ValidationService"),
            add=validation_service_pb2_grpc.add_ValidationServiceServicer_to_server,
            servicer=validations,
            needs_store=kept is not None,
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
    ]
    return services


def _full_name(module: Any, service: str) -> str:
    return str(module.DESCRIPTOR.services_by_name[service].full_name)


async def _serve(
    settings: Settings,
    door: Validator,
    kept: Storage | None,
    ready: Callable[[int], None],
    stop: asyncio.Event,
) -> None:
    server = grpc.aio.server(options=_options(settings))
    validations = ValidationServicer(
        door,
        default_deadline_seconds=settings.default_deadline_seconds,
        max_deadline_seconds=settings.max_deadline_seconds,
        stream_window=settings.max_running,
    )
    services = _services(settings, door, kept, validations)
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
    telling = asyncio.create_task(_tell_health(healths, services, kept))
    log.info("serving", extra={"host": settings.host, "port": port})
    ready(port)
    await stop.wait()
    log.info("draining", extra={"running": door.admission.running})
    telling.cancel()
    await healths.enter_graceful_shutdown()
    validations.close()
    await server.stop(settings.drain_seconds)
    log.info("stopped")


async def _tell_health(
    healths: health.aio.HealthServicer, services: Sequence[Service], kept: Storage | None
) -> None:
    """Keep health true: the server as a whole ("") is as healthy as its least healthy service."""
    while True:
        available = kept is None or kept.database.available
        for service in services:
            await healths.set(service.name, _status(available or not service.needs_store))
        await healths.set("", _status(available))
        if kept is None:
            return
        await kept.database.changed()


def _status(serving: bool) -> Any:
    status = health_pb2.HealthCheckResponse
    return status.SERVING if serving else status.NOT_SERVING


def _options(settings: Settings) -> list[tuple[str, Any]]:
    message_bytes = settings.limits.max_total_bytes + 4 * 2**20
    return [
        ("grpc.max_receive_message_length", message_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.so_reuseport", 0),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ]


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
