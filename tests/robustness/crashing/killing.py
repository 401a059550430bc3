"""Kill the server, the worker and PostgreSQL, at chosen points and at any time."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from robustness.crashing.fleet import Fleet
from robustness.crashing.points import AFTER, BEFORE, WITHIN, Order

SERVER, WORKER, POSTGRES = "server", "worker", "postgres"
PATIENCE_SECONDS = 4.0
"""How long a point is waited for; what never comes to it is killed there and then."""
BREATH_SECONDS = 1.0
"""At most, after all is up again and before the next kill."""

SERVER_COMMITS = (
    "AcceptedWriter._write",
    "PostgresValidations.cancel",
    "Documents.begin_upload",
    "Documents.finish_upload",
    "Documents.delete",
    "PostgresExpiry.erase_validations",
    "PostgresExpiry.expire_documents",
    "PostgresExpiry.remove_contents",
)
BOTH_COMMITS = (
    "Settling._write",
    "JobQueue._rows",
    "Sweeper.take_over",
    "PostgresResultCache._write",
    "Documents._spare",
    "ProgressWriter._write_later",
)
SERVER_FILES = ("FileBlobs._adopt", "FilePartial._append", "FileBlobs._delete")
BOTH_FILES = ("FileBlobs._rename",)
CHECKS = (f"{WITHIN} check", f"{AFTER} check", f"{BEFORE} Worker.work", f"{AFTER} Worker.work")


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """A kill: of `victim`, by an order that `role` carries out, or at random without one."""

    role: str
    order: Order | None = None

    @property
    def victim(self) -> str:
        """Who is to die."""
        return POSTGRES if self.order and self.order.postgres else self.role


@dataclass(kw_only=True, slots=True)
class Tally:
    """Kills so far: `struck` by victim and point, `random` by victim, `missed` by point."""

    struck: Counter[tuple[str, str]] = field(default_factory=Counter)
    random: Counter[str] = field(default_factory=Counter)
    missed: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def kills(self) -> int:
        """All of them."""
        return self.struck.total() + self.random.total()


def commits(names: tuple[str, ...]) -> list[str]:
    """The points around the commits of these."""
    return [f"{when} commit of {name}" for name in names for when in (BEFORE, AFTER)]


def files(names: tuple[str, ...]) -> list[str]:
    """The points around what these do with a file."""
    return [f"{when} {name}" for name in names for when in (BEFORE, AFTER)]


def plan(role: str, chance: random.Random) -> Iterator[Planned]:
    """Kills without end: each point for each victim in every round, and as many at random."""
    there = commits(BOTH_COMMITS) + files(BOTH_FILES) + list(CHECKS)
    if role == SERVER:
        there += commits((*SERVER_COMMITS, "Sealer.seal")) + files(SERVER_FILES)
    while True:
        # PostgreSQL dies around commits alone: elsewhere nothing of it hangs on the moment.
        chosen = [(point, False) for point in there]
        chosen += [(point, True) for point in there if "commit" in point]
        planned = [
            Planned(
                role=role,
                order=Order(point=point, count=chance.randint(1, 3), postgres=postgres),
            )
            for point, postgres in chosen
        ]
        planned += [Planned(role=role)] * (len(planned) // 4)
        chance.shuffle(planned)
        yield from planned


async def kill(fleet: Fleet, role: str, chance: random.Random, count: int, tally: Tally) -> None:
    """Kill `count` times what a role may kill, and see it up again each time."""
    done = 0
    for planned in plan(role, chance):
        if done == count:
            return
        await fleet.victims[role].ready()
        await asyncio.sleep(chance.uniform(0, BREATH_SECONDS))
        done += await _carry_out(fleet, planned, chance, tally)


async def _carry_out(fleet: Fleet, planned: Planned, chance: random.Random, tally: Tally) -> int:
    """One kill; 0 if there was none as the victim had died of something else."""
    victim = fleet.victims[planned.role]
    if planned.order is None:
        await asyncio.sleep(chance.uniform(0, BREATH_SECONDS))
    else:
        victim.order(planned.order)
        if await victim.struck(PATIENCE_SECONDS):
            tally.struck[planned.victim, planned.order.point] += 1
            await _after(fleet, planned)
            return 1
        victim.order(None)
        tally.missed[planned.role, planned.order.point] += 1
        return 0
    if chance.random() < 0.3:
        await fleet.kill_postgres()
        tally.random[POSTGRES] += 1
        await fleet.postgres_ready()
    else:
        victim.kill()
        tally.random[planned.role] += 1
        await victim.gone()
    return 1


async def _after(fleet: Fleet, planned: Planned) -> None:
    if planned.victim == POSTGRES:
        await fleet.postgres_ready()
    else:
        await fleet.victims[planned.role].gone()


def points_of(roles: tuple[str, ...] = (SERVER, WORKER)) -> set[tuple[str, str]]:
    """All victims and points that a plan has."""
    found: set[tuple[str, str]] = set()
    for role in roles:
        some = itertools.islice(plan(role, random.Random(0)), 1000)
        found |= {(each.victim, each.order.point) for each in some if each.order}
    return found
