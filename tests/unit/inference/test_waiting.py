"""The waiting line: which units come next, whatever came before."""

from __future__ import annotations

import math

import numpy as np
import pytest

from absah_server.inference.portions import Portion
from absah_server.inference.units import Unit
from absah_server.inference.waiting import BatchRules, WaitingLine


def make_unit(since: float = 0.0, *, items: int = 1, size: int = 1, deadline: float = 1e9) -> Unit:
    tensors = {"x": np.zeros((items, size), np.float32)}
    portion = Portion(tensors=tensors, items=items)
    return Unit(portion, ((size,),), since=since, deadline=deadline, caller=None)


def make_line(*units: Unit, delay: float = 0.0, preferred: tuple[int, ...] = ()) -> WaitingLine:
    line = WaitingLine(
        BatchRules(max_items=8, joins=True, preferred_sizes=preferred, queue_delay_seconds=delay)
    )
    for unit in units:
        line.add(unit)
    return line


async def test_an_empty_line_has_nothing_ready() -> None:
    line = make_line()
    assert (line.ready_since(0), line.ready_at(), line.take(0)) == (None, None, ([], []))


async def test_a_unit_is_ready_once_it_has_waited_the_delay() -> None:
    line = make_line(make_unit(since=5), delay=2)
    assert line.ready_at() == 7
    assert line.ready_since(6.9) is None
    assert line.ready_since(7) == 5


async def test_a_full_kind_is_ready_before_an_older_one_that_still_waits() -> None:
    old = make_unit(since=0, size=1)
    many = [make_unit(since=n, size=2) for n in range(1, 5)]
    line = make_line(old, *many, delay=100, preferred=(4,))
    assert line.ready_since(5) == 1
    assert line.take(5) == (many, [])
    assert line.ready_since(5) is None


async def test_a_batch_never_outgrows_its_bound_and_keeps_the_order() -> None:
    units = [make_unit(since=n, items=3) for n in range(5)]
    line = make_line(*units)
    assert line.take(9) == (units[:2], [])
    assert line.take(9) == (units[2:4], [])
    assert line.take(9) == (units[4:], [])
    assert (len(line), line.items) == (0, 0)


async def test_a_unit_larger_than_the_preferred_size_runs_alone() -> None:
    units = [make_unit(items=6), make_unit(items=1)]
    line = make_line(*units, preferred=(2, 4))
    assert line.take(1) == (units[:1], [])


async def test_units_past_their_deadline_are_taken_apart() -> None:
    units = [make_unit(deadline=3), make_unit(), make_unit(deadline=3), make_unit()]
    line = make_line(*units)
    assert line.take(3) == ([units[1], units[3]], [units[0], units[2]])
    assert len(line) == 0


async def test_discarding_twice_is_no_harm() -> None:
    unit, other = make_unit(items=2), make_unit(items=3)
    line = make_line(unit, other)
    line.discard(unit)
    line.discard(unit)
    assert (len(line), line.items) == (1, 3)


@pytest.mark.parametrize("seed", range(20))
async def test_every_unit_leaves_the_line_once_whatever_comes(seed: int) -> None:
    random = np.random.default_rng(seed)
    rules = BatchRules(
        max_items=8,
        joins=bool(random.integers(2)),
        preferred_sizes=tuple(sorted({int(n) for n in random.integers(1, 9, 2)})),
        queue_delay_seconds=float(random.choice([0.0, 3.0])),
    )
    line = WaitingLine(rules)
    came: list[Unit] = []
    left: list[Unit] = []
    for now in range(200):
        if random.random() < 0.7:
            unit = make_unit(
                float(now),
                items=int(random.integers(1, 9)),
                size=int(random.integers(1, 4)),
                deadline=now + float(random.choice([2.0, math.inf])),
            )
            came.append(unit)
            line.add(unit)
        if random.random() < 0.1 and came:
            gone = came[int(random.integers(len(came)))]
            if gone not in left:
                line.discard(gone)
                left.append(gone)
        if random.random() < 0.4:
            ready_since = line.ready_since(now)
            units, expired = line.take(now)
            assert (ready_since is None) == (not units and not expired)
            assert sum(unit.items for unit in units) <= 8
            assert len({unit.shapes for unit in units}) <= 1
            left += units + expired
    while len(line):
        units, expired = line.take(1e6)
        assert units or expired
        left += units + expired
    assert len(left) == len(set(left)) == len(came)
    assert line.items == 0
