"""Wire the bridge together; nothing else does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import absah
from absah.v1 import validation_pb2
from absah_bridge import systems
from absah_bridge.attachments import Attachments
from absah_bridge.config import Bridge as Config
from absah_bridge.delivery import brokers, measures, tracing, watching
from absah_bridge.delivery.bridge import Bridge
from absah_bridge.delivery.core import Core
from absah_bridge.delivery.flow import Flow
from absah_bridge.delivery.handling import Handler
from absah_bridge.delivery.health import HealthEndpoint
from absah_bridge.delivery.ledger import CoreLedger
from absah_bridge.delivery.status import Status
from absah_bridge.requests import Request
from absah_bridge.systems import LegacySystem


async def serve(
    file: Path,
    *,
    stop: asyncio.Event | None = None,
    ready: Callable[[Status], None] = lambda status: None,
) -> None:
    """Serve the systems of bridge.yaml until SIGTERM, SIGINT or `stop`.

    `ready` is given how the bridge stands, before it connects; with `stop` given, signals are left
    alone. Raises `BridgeError` for what is wrong in bridge.yaml or with a queue, or OSError.
    """
    config, legacy = systems.load(file)
    # It tells each step of a failure as an error of its own; the bridge tells the loss once.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    if stop is None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    flow = Flow(most=config.core.in_flight)
    status = Status(limit=lambda: flow.limit)
    async with _opened(file, config, legacy, flow) as (cores, attachments, ledger):
        bridge = Bridge(
            systems=legacy,
            brokers=brokers.parameters(config.brokers),
            cores=cores,
            attachments=attachments,
            ledger=ledger,
            status=status,
        )
        looking = asyncio.create_task(watching.core(config.core.address, status))
        try:
            with HealthEndpoint(status, port=config.health_port), measures.watching(status):
                ready(status)
                await bridge.run(stop)
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)


async def validate(
    file: Path, system: LegacySystem, requests: Sequence[Request]
) -> list[validation_pb2.Validation]:
    """Have one message's requests validated, for people who try a mapping.

    Raises `MessageInvalid`, or what `Core.validate` and `Attachments.fetch` raise.
    """
    config, _ = systems.load(file)
    flow = Flow(most=config.core.in_flight)
    async with _opened(file, config, {system.name: system}, flow) as (cores, attachments, _):
        handler = Handler(system=system, core=cores[system.name], attachments=attachments)
        return await handler.validate(requests)


@asynccontextmanager
async def _opened(
    file: Path, config: Config, legacy: Mapping[str, LegacySystem], flow: Flow
) -> AsyncIterator[tuple[Mapping[str, Core], Attachments, CoreLedger]]:
    """Clients of the core, stores of attachments, the ledger; closed at the end."""
    async with contextlib.AsyncExitStack() as stack:
        attachments = Attachments(config.stores)
        stack.push_async_callback(attachments.close)

        async def client(name: str) -> absah.AsyncClient:
            made = absah.AsyncClient(
                config.core.address,
                tenant=config.core.tenant,
                client=name,
                metadata=tracing.metadata,
            )
            return await stack.enter_async_context(made)

        # The core knows each system as a client of its own, so that request ids need only be
        # unique within one.
        cores = {name: Core(await client(f"bridge:{name}"), flow) for name in legacy}
        ledger = CoreLedger(await client("bridge"))
        stack.push_async_callback(ledger.close)
        yield cores, attachments, ledger
