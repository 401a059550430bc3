"""Start what validates: checkers, models, the sandbox, and what remembers earlier results."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import json
import logging
from collections.abc import AsyncIterator, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import metadata

from absah_sdk import AbsahError
from absah_server import storage
from absah_server.core import policy_file, registry
from absah_server.core.acceptance import Acceptance
from absah_server.core.admission import Admission
from absah_server.core.availability import Availability
from absah_server.core.caching import Recent, Reuse
from absah_server.core.ports import Inference, Sandbox
from absah_server.core.registry import Registry
from absah_server.core.running import Runner
from absah_server.core.validator import Validator
from absah_server.decode import media_types, text
from absah_server.decode.sandbox import ProcessSandbox
from absah_server.inference.local import LocalInference
from absah_server.inference.traffic import Traffic
from absah_server.inference.versions import VersionedInference
from absah_server.settings import InferenceSettings, Settings
from absah_server.storage import Storage
from absah_server.store.cached_results import PostgresResultCache

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
async def opened(
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
