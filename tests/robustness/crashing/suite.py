"""Run clients against a fleet, do harm to it, and check what came of it."""

from __future__ import annotations

import asyncio
import json
import math
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from robustness.crashing import clients, kept, killing, model
from robustness.crashing.fleet import MAX_ATTEMPTS, ROLES, Fleet, running
from robustness.crashing.history import History, Submitted, Told, Unexpected, Uploaded
from robustness.crashing.killing import Planned, Tally

REST_SECONDS = 120.0
END_SECONDS = 120.0
"""How long clients may take to end what they are at."""
CLIENTS_EACH = 3

Harm = Callable[[Fleet, History], Awaitable[None]]


@dataclass(kw_only=True, slots=True)
class Outcome:
    """What a run came to; `problems` is empty where all was as it must be."""

    problems: list[str]
    history: History
    kept: kept.Kept
    seconds: float
    rest_seconds: float
    not_started: int
    """How often a process gave up before it was ready, for PostgreSQL was away."""
    start_seconds: float
    """Mean time from starting a process to its being ready."""
    log: Path
    tally: Tally = field(default_factory=Tally)

    def errors_logged(self) -> Counter[str]:
        """Events that were logged as errors, with what was raised and where."""
        found: Counter[str] = Counter()
        for line in self.log.read_text(errors="replace").splitlines():
            if line.startswith("{") and (event := json.loads(line))["level"] == "error":
                raised = (
                    f": {event['error']} at {event['traceback'][-1]}" if "error" in event else ""
                )
                found[event["event"] + raised] += 1
        return found

    @property
    def acknowledged(self) -> int:
        """Requests of which a client was told."""
        return len({each.key for each in self.history.of(Told)})


async def crash(folder: Path, *, kills: int, seconds: float, seed: int) -> Outcome:
    """Kill so often: a third of it by orders to the worker, the rest by orders to the server.

    After so many `seconds` no more are begun.
    """
    chance = random.Random(seed)
    plans = {role: killing.plan(role, random.Random(f"{seed} {role}")) for role in ROLES}
    counts = {killing.SERVER: kills - kills // 3, killing.WORKER: kills // 3}
    return await _crash(folder, plans, counts, chance, seconds=seconds)


async def crash_shortly(folder: Path, *, seed: int) -> Outcome:
    """Kill at a few chosen points."""
    plans = {role: killing.short_plan(role) for role in ROLES}
    counts = {role: len(plan) for role, plan in plans.items()}
    return await _crash(folder, plans, counts, random.Random(seed))


async def _crash(
    folder: Path,
    plans: Mapping[str, Iterable[Planned]],
    counts: Mapping[str, int],
    chance: random.Random,
    *,
    seconds: float = math.inf,
) -> Outcome:
    tally = Tally()
    until = time.monotonic() + seconds

    async def harm(fleet: Fleet, history: History) -> None:
        await asyncio.gather(
            *(
                killing.kill(fleet, plans[role], chance, counts[role], tally, until=until)
                for role in plans
            )
        )

    outcome = await run(folder, harm, chance=chance)
    outcome.tally = tally
    return outcome


async def run(folder: Path, harm: Harm, *, chance: random.Random) -> Outcome:
    """Run clients while harm is done, let all come to rest, and check the history."""
    history = History()
    began = time.monotonic()
    # Not below `folder`, which may be closed to PostgreSQL's own user.
    with TemporaryDirectory(prefix="absah-crash-") as postgres_folder:
        async with running(folder, Path(postgres_folder) / "postgres") as fleet:
            await _work(fleet, history, harm, chance)
            stopped = time.monotonic()
            await fleet.all_ready()
            still = await kept.at_rest(fleet.postgres.url, timeout_seconds=REST_SECONDS)
            rest_seconds = time.monotonic() - stopped
            await clients.look_through(fleet.address, history)
            await fleet.stop()
            found = await kept.read(fleet.postgres.url, fleet.data / "blobs")
        left = fleet.left_behind()
    problems = model.problems(history, found, max_attempts=MAX_ATTEMPTS)
    if still:
        problems.append(f"after {REST_SECONDS:.0f} s without harm there were still {still}")
    if left:
        problems.append(f"{len(left)} processes outlived their server or worker")
    victims = fleet.victims.values()
    problems += [f"the {v.role} ended with {v.last_status}" for v in victims if v.last_status]
    problems += [
        f"the {v.role} fell over with {', '.join(map(str, v.fell))}" for v in victims if v.fell
    ]
    return Outcome(
        problems=problems,
        history=history,
        kept=found,
        seconds=time.monotonic() - began,
        rest_seconds=rest_seconds,
        not_started=sum(victim.not_started for victim in victims),
        start_seconds=sum(v.start_seconds for v in victims) / sum(v.starts for v in victims),
        log=fleet.log,
    )


async def _work(fleet: Fleet, history: History, harm: Harm, chance: random.Random) -> None:
    """Clients do things until the harm is done, and end what they are at."""
    stop = asyncio.Event()
    pool = clients.pool(chance)
    crew = [
        clients.Client(
            address=fleet.address,
            tenant=tenant,
            name=f"client-{number}",
            history=history,
            chance=random.Random(chance.random()),
            pool=pool,
        )
        for tenant in clients.TENANTS
        for number in range(CLIENTS_EACH)
    ]
    working = [asyncio.create_task(client.run(stop), name=client.name) for client in crew]
    try:
        await harm(fleet, history)
        stop.set()
        done, late = await asyncio.wait(working, timeout=END_SECONDS)
        for task in done:
            task.result()
        for task in late:
            history.add(
                Unexpected(tenant="", call=f"something of {task.get_name()}", answer="never")
            )
    finally:
        for task in working:
            task.cancel()
        await asyncio.wait(working, timeout=END_SECONDS)


def counts(outcome: Outcome) -> dict[str, int]:
    """How much was done."""
    return {
        "submitted": sum(1 for _ in outcome.history.of(Submitted)),
        "acknowledged": outcome.acknowledged,
        "uploads": sum(1 for _ in outcome.history.of(Uploaded)),
        "validations": len(outcome.kept.validations),
        "attempts": sum(each.attempt for each in outcome.kept.validations),
        "lost attempts": sum(each.attempts.count("LOST") for each in outcome.kept.validations),
        "cancelled": sum(each.state == "CANCELLED" for each in outcome.kept.validations),
        "erased": sum(each.erased for each in outcome.kept.validations),
    }
