"""Kill the server, the worker and PostgreSQL, at chosen points and at any time."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from robustness.crashing.fleet import Fleet
from robustness.crashing.points import AFTER, BEFORE, WITHIN, Order

from absah_server.blobs.files import FileBlobs
from absah_server.blobs.partials import FilePartial
from absah_server.store.accepting import AcceptedWriter
from absah_server.store.cached_results import PostgresResultCache
from absah_server.store.documents import Documents
from absah_server.store.jobs import JobQueue
from absah_server.store.progress import ProgressWriter
from absah_server.store.purging import PostgresExpiry
from absah_server.store.sealing import Sealer
from absah_server.store.settling import Settling
from absah_server.store.sweeping import Sweeper
from absah_server.store.validation_store import PostgresValidations

SERVER, WORKER, POSTGRES = "server", "worker", "postgres"
PATIENCE_SECONDS = 4.0
"""How long a point is waited for; where it is not come to, the next kill has its turn."""
POSTGRES_SHARE = 0.3
"""Of the kills at random moments."""
BREATH_SECONDS = 1.0
"""At most, after all is up again and before the next kill."""

SERVER_COMMITS = (
    AcceptedWriter._write,
    PostgresValidations.cancel,
    Documents.begin_upload,
    Documents.finish_upload,
    Documents.delete,
    PostgresExpiry.erase_validations,
    PostgresExpiry.expire_documents,
    PostgresExpiry.remove_contents,
    Sealer.seal,
)
BOTH_COMMITS = (
    Settling._write,
    JobQueue._rows,
    Sweeper.take_over,
    PostgresResultCache._write,
    Documents._spare,
    ProgressWriter._write_later,
)
SERVER_FILES = (FileBlobs._adopt, FilePartial._append, FileBlobs._delete)
BOTH_FILES = (FileBlobs._rename,)
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


def commits(functions: Iterable[Callable[..., Any]]) -> list[str]:
    """The points around the commits of these."""
    return [
        f"{when} commit of {each.__qualname__}" for each in functions for when in (BEFORE, AFTER)
    ]


def files(functions: Iterable[Callable[..., Any]]) -> list[str]:
    """The points around what these do with a file."""
    return [f"{when} {each.__qualname__}" for each in functions for when in (BEFORE, AFTER)]


def plan(role: str, chance: random.Random) -> Iterator[Planned]:
    """Kills without end: in each round one at each point, and a fifth at random moments."""
    there = commits(BOTH_COMMITS) + files(BOTH_FILES) + list(CHECKS)
    if role == SERVER:
        there += commits(SERVER_COMMITS) + files(SERVER_FILES)
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


async def kill(
    fleet: Fleet,
    planned: Iterable[Planned],
    chance: random.Random,
    count: int,
    tally: Tally,
    *,
    until: float,
) -> None:
    """Carry out `count` kills of those that are planned, and see all up again each time.

    From `until` on, by the monotonic clock, no more are begun.
    """
    done = 0
    for each in planned:
        if done == count or time.monotonic() > until:
            return
        await fleet.victims[each.role].ready()
        await asyncio.sleep(chance.uniform(0, BREATH_SECONDS))
        done += await _carry_out(fleet, each, chance, tally)


async def _carry_out(fleet: Fleet, planned: Planned, chance: random.Random, tally: Tally) -> bool:
    """One kill; false if there was none."""
    if planned.order is None:
        await asyncio.sleep(chance.uniform(0, BREATH_SECONDS))
        return await _kill_now(fleet, planned.role, chance, tally)
    victim = fleet.victims[planned.role]
    victim.order(planned.order)
    if not await victim.struck(PATIENCE_SECONDS):
        victim.order(None)
        tally.missed[planned.role, planned.order.point] += 1
        return False
    tally.struck[planned.victim, planned.order.point] += 1
    await _after(fleet, planned)
    return True


async def _kill_now(fleet: Fleet, role: str, chance: random.Random, tally: Tally) -> bool:
    if chance.random() < POSTGRES_SHARE:
        if not await fleet.kill_postgres():
            return False
        tally.random[POSTGRES] += 1
        await fleet.postgres_ready()
    else:
        if not fleet.victims[role].kill():
            return False
        tally.random[role] += 1
        await fleet.victims[role].gone()
    return True


async def _after(fleet: Fleet, planned: Planned) -> None:
    if planned.victim == POSTGRES:
        await fleet.postgres_ready()
    else:
        await fleet.victims[planned.role].gone()


def short_plan(role: str) -> list[Planned]:
    """A few kills, at the points where most hangs on the moment."""
    if role == WORKER:
        chosen = [
            (f"{WITHIN} check", False),
            (f"{BEFORE} commit of Settling._write", False),
            (f"{AFTER} commit of Settling._write", True),
        ]
    else:
        chosen = [
            (f"{BEFORE} commit of AcceptedWriter._write", False),
            (f"{AFTER} commit of AcceptedWriter._write", False),
            (f"{AFTER} FilePartial._append", False),
            (f"{BEFORE} commit of AcceptedWriter._write", True),
        ]
    return [
        Planned(role=role, order=Order(point=point, count=2, postgres=postgres))
        for point, postgres in chosen
    ]


def points_of(roles: tuple[str, ...] = (SERVER, WORKER)) -> set[tuple[str, str]]:
    """All victims and points that a plan has."""
    found: set[tuple[str, str]] = set()
    for role in roles:
        some = itertools.islice(plan(role, random.Random(0)), 1000)
        found |= {(each.victim, each.order.point) for each in some if each.order}
    return found
