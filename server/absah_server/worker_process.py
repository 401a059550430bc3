"""A process that works at jobs and serves nobody."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from absah_server import platform, signals, storage, workers
from absah_server.core.registry import Registry
from absah_server.settings import Settings
from absah_server.telemetry import setup

log = logging.getLogger(__name__)


async def work(
    settings: Settings,
    *,
    ready: Callable[[], None] = lambda: None,
    stop: asyncio.Event | None = None,
    on_signals: bool = True,
    loaded: Registry | None = None,
) -> None:
    """Work at jobs until SIGTERM, SIGINT or `stop`, then drain.

    `on_signals` must be false outside the main thread; `loaded` replaces the installed checkers.
    Raises what `platform.opened` and `storage.opened` raise.
    """
    stop = stop or asyncio.Event()
    if on_signals:
        signals.stop_on(stop)
    stop_telemetry = setup.start(
        otlp_endpoint=settings.telemetry.otlp_endpoint,
        prometheus_port=settings.telemetry.prometheus_port,
        prometheus_host=settings.telemetry.prometheus_host,
        version=platform.VERSION,
    )
    try:
        loaded = loaded or platform.load_registry(settings)
        policies = platform.load_policies(settings, loaded)
        async with contextlib.AsyncExitStack() as stack:
            parts = await stack.enter_async_context(platform.opened(settings, loaded))
            kept = await stack.enter_async_context(storage.opened(settings))
            parts = await stack.enter_async_context(platform.reusing(settings, parts, kept))
            crew = workers.make(settings, platform.validator(settings, parts, policies), kept)
            crew.start(drain_seconds=settings.drain_seconds)
            log.info("working", extra={"workers": settings.jobs.workers})
            ready()
            await stop.wait()
            log.info("draining", extra={"running": crew.running})
            await crew.stop()
    finally:
        stop_telemetry()
    log.info("stopped")
