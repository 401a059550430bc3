"""Models and their manifests, checkers and policies over them, Triton where it runs them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from absah_ops.diagnosing.diagnosis import LOOK_SECONDS, Diagnosis, Look
from absah_server import platform
from absah_server.inference.engines import opening
from absah_server.settings import Settings


def looks(settings: Settings) -> Iterator[Look]:
    """How to look at what validates."""
    yield Look(what="models", at=lambda: _models(settings))
    yield Look(what="checkers", at=lambda: _checkers(settings))
    yield Look(what="policies", at=lambda: _policies(settings))
    if settings.inference.backend == "triton":
        yield Look(what="triton", at=lambda: asyncio.run(_triton(settings)))


def _models(settings: Settings) -> Sequence[Diagnosis]:
    """The files against their configs and manifests; what has no manifest cannot be compared."""
    reading = opening.verify_repository(settings.inference.model_repository)
    problems = "; ".join(str(error) for error in reading.errors)
    names = ", ".join(dict.fromkeys(model.name for model in reading.models))
    bare = [f"{model.name}@{model.version}" for model in reading.models if model.manifest is None]
    return [
        Diagnosis(
            what="models",
            ok=not problems,
            found=problems or names,
            mend="restore the model repository, or name another: inference.model_repository",
        ),
        Diagnosis(
            what="manifests",
            ok=not bare,
            found=f"none of {', '.join(bare)}" if bare else "every file is as its manifest says",
            mend="`absah models verify --write` writes down what is there, once it is trusted",
            optional=True,
        ),
    ]


def _checkers(settings: Settings) -> Diagnosis:
    names = ", ".join(sorted(platform.load_registry(settings).checkers))
    return Diagnosis(what="checkers", ok=True, found=names)


def _policies(settings: Settings) -> Diagnosis:
    loaded = platform.load_policies(settings, platform.load_registry(settings)).all()
    return Diagnosis(
        what="policies", ok=True, found=", ".join(policy.reference for policy in loaded)
    )


async def _triton(settings: Settings) -> Sequence[Diagnosis]:
    triton = settings.inference.triton
    found = await asyncio.gather(
        *(_answer(settings, address) for address in triton.addresses),
    )
    reached = any(each.ok for each in found)
    # One that answers is enough to serve; the others are told all the same.
    return [
        Diagnosis(
            what=each.what,
            ok=each.ok,
            found=each.found,
            mend=each.mend,
            optional=reached,
        )
        for each in found
    ]


async def _answer(settings: Settings, address: str) -> Diagnosis:
    # Imported here: it is an extra.
    from absah_server.inference.triton.failures import ServerFailure
    from absah_server.inference.triton.server import Server

    server = Server(
        address, changed=lambda: None, tls_ca_file=settings.inference.triton.tls_ca_file
    )
    try:
        with server.calling():
            ready = await server.client.is_server_ready(client_timeout=LOOK_SECONDS)
        found = "is ready" if ready else "is starting or stopping"
    except ServerFailure as exc:
        ready, found = False, f"{exc.kind.value}: {exc.said}"
    finally:
        await server.close()
    return Diagnosis(
        what="triton",
        ok=ready,
        found=f"{address} {found}",
        mend="`absah triton serve` starts one; inference.triton.addresses says where they are",
    )
