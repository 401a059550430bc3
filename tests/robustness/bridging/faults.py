"""What is done to a platform while messages are on their way."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from robustness.bridging.parts import Platform
from robustness.bridging.victim import STEPS

MOST_PASSES = 60
RARE = ("noting", "noted")
"""Steps that few messages come to."""
LONGEST_OUTAGE_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Something that goes wrong. `strike` tells whether it did, and returns when it is over."""

    name: str
    strike: Callable[[Platform, random.Random], Awaitable[bool]]


def kills_bridge(step: str) -> Fault:
    """The bridge is killed when it comes to a step."""

    async def strike(platform: Platform, chance: random.Random) -> bool:
        times = chance.randint(1, 3 if step in RARE else MOST_PASSES)
        return await platform.bridge.strike(f"{step} {times}")

    return Fault(name=f"bridge killed: {step}", strike=strike)


async def _cut(platform: Platform, chance: random.Random) -> bool:
    connections = platform.between.connections
    platform.between.cut_after(chance.randint(1, 20_000))
    async with asyncio.timeout(60):
        while platform.between.connections == connections:
            await asyncio.sleep(0.05)
    return True


async def _restart_broker(platform: Platform, chance: random.Random) -> bool:
    await asyncio.to_thread(platform.node.restart)
    return True


async def _kill_broker(platform: Platform, chance: random.Random) -> bool:
    await asyncio.to_thread(platform.node.kill)
    await asyncio.to_thread(platform.node.start)
    return True


async def _kill_core(platform: Platform, chance: random.Random) -> bool:
    await platform.core.kill()
    return True


async def _kill_database(platform: Platform, chance: random.Random) -> bool:
    platform.postgres.kill()
    await asyncio.sleep(chance.uniform(0, LONGEST_OUTAGE_SECONDS))
    await asyncio.to_thread(platform.postgres.revive)
    return True


KILLS = [kills_bridge(step) for step in STEPS]
CUT = Fault(name="connection cut midway", strike=_cut)
RESTARTED = Fault(name="broker restarted", strike=_restart_broker)
KILLED = Fault(name="broker killed", strike=_kill_broker)
NO_CORE = Fault(name="core killed", strike=_kill_core)
NO_DATABASE = Fault(name="database killed", strike=_kill_database)


def planned(count: int, chance: random.Random) -> list[Fault]:
    """So many faults: the broker is restarted first, then they come by lot, each kind in turn."""
    # A broker that was never stopped in order may forget its queues when it is killed.
    kinds = [*KILLS, *KILLS, CUT, CUT, CUT, CUT, KILLED, KILLED, RESTARTED]
    kinds += [NO_CORE, NO_CORE, NO_CORE, NO_DATABASE, NO_DATABASE, NO_DATABASE]
    plan = [RESTARTED]
    while len(plan) < count:
        plan += chance.sample(kinds, len(kinds))
    return plan[:count]
