"""Let clients misbehave in one way after another, and observe what the server makes of it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import grpc
from asking import NEVER, Observation
from serving import Server

import absah
from absah.channels import CHANNEL_OPTIONS
from absah.errors import from_rpc_error

Tally = Counter[str]
"""How often a client was answered what, by code and reason."""
WRONG = "WRONG"
"""The word by which a way to misbehave tallies what must not happen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """The server, and checkers of it to be asked for."""

    server: Server
    text_checker: str
    picture_checkers: Sequence[str]


Way = Callable[[Target], Awaitable[Tally]]


def observe(target: Target, ways: Iterable[Way]) -> Iterator[Observation]:
    """Misbehave in each way."""
    return (_observed(target, way) for way in ways)


def _observed(target: Target, way: Way) -> Observation:
    began = time.perf_counter()
    with target.server.peak() as peak:
        tally = asyncio.run(_tallied(way, target))
    defects = [f"{code} × {count}" for code, count in tally.items() if _is_wrong(code)]
    if not target.server.alive:
        defects.append("the server died")
    return Observation(
        case=way.__name__.replace("_", " "),
        way="conduct",
        answer=", ".join(f"{code} × {count}" for code, count in sorted(tally.items())),
        seconds=time.perf_counter() - began,
        peak_bytes=peak[0],
        defects=defects,
    )


async def _tallied(way: Way, target: Target) -> Tally:
    try:
        return await way(target)
    except Exception as exc:  # a fault of one way loses nothing of the others
        return Counter({f"{WRONG}: the client failed, {type(exc).__name__}: {exc}": 1})


def _is_wrong(code: str) -> bool:
    """What gRPC said on its own, before the server's code was asked, is not the server's doing."""
    words = code.split()
    return words[0] != "said" and bool({*NEVER, WRONG}.intersection(words))


def channel(server: Server) -> grpc.aio.Channel:
    """A connection of its own."""
    options = [*CHANNEL_OPTIONS, ("grpc.use_local_subchannel_pool", 1)]
    return grpc.aio.insecure_channel(server.address, options)


async def tell(tally: Tally, call: Awaitable[object]) -> None:
    """Tally how a call ends."""
    try:
        await call
        tally["OK"] += 1
    except grpc.RpcError as exc:
        tally[code(exc)] += 1


def code(error: grpc.RpcError) -> str:
    """The code and reason of a failed call."""
    return told(from_rpc_error(error))


def told(failed: absah.CallFailed) -> str:
    """The code and reason of a failure."""
    return f"{failed.code.name} {failed.reason}".strip()
