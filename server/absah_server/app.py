"""Wire the server together; nothing else does."""

from __future__ import annotations

import asyncio
import functools
import logging
import signal
from collections.abc import AsyncIterator, Callable, Collection, Mapping
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
from absah_server.telemetry import setup

log = logging.getLogger(__name__)
VERSION = metadata.version("absah")
SERVICES = (
    validation_service_pb2.DESCRIPTOR.services_by_name["ValidationService"].full_name,
    checker_service_pb2.DESCRIPTOR.services_by_name["CheckerService"].full_name,
    policy_service_pb2.DESCRIPTOR.services_by_name["PolicyService"].full_name,
)


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
        async with platform(settings, loaded) as parts:
            door = validator(settings, parts, policies)
            await _serve(settings, door, ready, stop)
    finally:
        stop_telemetry()


async def _serve(
    settings: Settings,
    door: Validator,
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
    validation_service_pb2_grpc.add_ValidationServiceServicer_to_server(validations, server)
    checker_service_pb2_grpc.add_CheckerServiceServicer_to_server(
        CheckerServicer(door.registry), server
    )
    policy_service_pb2_grpc.add_PolicyServiceServicer_to_server(
        PolicyServicer(door.policies), server
    )
    healths = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(healths, server)
    if settings.reflection:
        reflection.enable_server_reflection(
            (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server
        )
    address = f"{settings.host}:{settings.port}"
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as exc:
        raise OSError(f"{address} cannot be bound; is another server running there?") from exc
    await server.start()
    await _tell_health(healths, health_pb2.HealthCheckResponse.SERVING)
    log.info("serving", extra={"host": settings.host, "port": port})
    ready(port)
    await stop.wait()
    log.info("draining", extra={"running": door.admission.running})
    await _tell_health(healths, health_pb2.HealthCheckResponse.NOT_SERVING)
    validations.close()
    await server.stop(settings.drain_seconds)
    log.info("stopped")


async def _tell_health(healths: health.aio.HealthServicer, status: Any) -> None:
    for service in ("", *SERVICES):
        await healths.set(service, status)


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
