"""Keep the units that wait for one model in order, and choose which form the next batch.

Units of equal item shapes may share a batch; each such kind has a line of its own, and the kind
whose oldest unit came first is served first, so that no kind is starved by a more frequent one.
A kind is ready when it has reached a preferred size, or when its oldest unit has waited the queue
delay.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from absah_server.inference.portions import ItemShapes
from absah_server.inference.units import Unit


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchRules:
    """How the units of a model are joined.

    `max_items` bounds a batch; `joins` says whether units may share one; `preferred_sizes` are in
    ascending order and at most `max_items`.
    """

    max_items: int
    joins: bool
    preferred_sizes: tuple[int, ...] = ()
    queue_delay_seconds: float = 0.0

    def is_enough(self, items: int) -> bool:
        """Whether this many waiting items need not wait for more."""
        return items >= (self.preferred_sizes[0] if self.preferred_sizes else self.max_items)

    def target(self, items: int) -> int:
        """How many of this many waiting items the next batch takes at most."""
        reached = [size for size in self.preferred_sizes if size <= items]
        return reached[-1] if reached else self.max_items


class _Kind:
    __slots__ = ("items", "units")

    def __init__(self) -> None:
        self.units: OrderedDict[Unit, None] = OrderedDict()
        self.items = 0


class WaitingLine:
    """Waiting units in the order of their arrival. Times are those of the event loop."""

    def __init__(self, rules: BatchRules) -> None:
        self._rules = rules
        self._units: OrderedDict[Unit, None] = OrderedDict()
        self._kinds: dict[ItemShapes, _Kind] = {}
        self.items = 0
        """Items of all waiting units."""

    def __len__(self) -> int:
        return len(self._units)

    def add(self, unit: Unit) -> None:
        """Let a unit wait; units come in the order of their `since`."""
        kind = self._kinds.setdefault(unit.shapes, _Kind())
        self._units[unit] = kind.units[unit] = None
        self.items += unit.items
        kind.items += unit.items

    def discard(self, unit: Unit) -> None:
        """Take a unit out, if it waits."""
        if unit not in self._units:
            return
        del self._units[unit]
        self.items -= unit.items
        kind = self._kinds[unit.shapes]
        del kind.units[unit]
        kind.items -= unit.items
        if not kind.units:
            del self._kinds[unit.shapes]

    def clear(self) -> list[Unit]:
        """Take all units out."""
        units = list(self._units)
        for unit in units:
            self.discard(unit)
        return units

    def ready_since(self, now: float) -> float | None:
        """When the oldest unit of those that are ready came, None where none is."""
        kind = self._ready_kind(now)
        return None if kind is None else _oldest(kind.units).since

    def ready_at(self) -> float | None:
        """When the oldest unit will have waited the queue delay, None where none waits."""
        if not self._units:
            return None
        return _oldest(self._units).since + self._rules.queue_delay_seconds

    def take(self, now: float) -> tuple[list[Unit], list[Unit]]:
        """Take out the units of the next batch, and those met whose deadline has passed."""
        kind = self._ready_kind(now)
        units: list[Unit] = []
        expired: list[Unit] = []
        if kind is None:
            return units, expired
        target = self._rules.target(kind.items)
        items = 0
        for unit in list(kind.units):
            if unit.deadline <= now:
                expired.append(unit)
            elif not units or (self._rules.joins and items + unit.items <= target):
                units.append(unit)
                items += unit.items
            else:
                break
        for unit in units + expired:
            self.discard(unit)
        return units, expired

    def _ready_kind(self, now: float) -> _Kind | None:
        if not self._units:
            return None
        oldest = _oldest(self._units)
        if now >= oldest.since + self._rules.queue_delay_seconds:
            return self._kinds[oldest.shapes]
        enough = (kind for kind in self._kinds.values() if self._rules.is_enough(kind.items))
        return min(enough, key=lambda kind: _oldest(kind.units).since, default=None)


def _oldest(units: OrderedDict[Unit, None]) -> Unit:
    return next(iter(units))
