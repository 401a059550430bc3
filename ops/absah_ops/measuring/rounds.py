"""Let ways of doing the same thing take turns, so that a busy machine treats them alike."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Rate = Callable[[], float]
"""Does a round and returns how much it did a second."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rounds:
    """The rates of each way, round by round."""

    rates: Mapping[str, Sequence[float]]

    def median(self, way: str) -> float:
        """The median rate of a way."""
        return statistics.median(self.rates[way])

    def ratio(self, way: str, to: str) -> float:
        """The median, over rounds, of the ratio of two ways."""
        pairs = zip(self.rates[way], self.rates[to], strict=True)
        return statistics.median(one / other for one, other in pairs)


def alternate(
    ways: Mapping[str, Rate],
    *,
    rounds: int,
    told: Callable[[str], None] = lambda way: None,
) -> Rounds:
    """Every way once without counting, then in turn `rounds` times, backwards every other time."""
    for way, rate in ways.items():
        told(way)
        rate()
    rates: dict[str, list[float]] = {way: [] for way in ways}
    for index in range(rounds):
        order = list(ways.items())
        for way, rate in order if index % 2 == 0 else reversed(order):
            told(f"{way}, round {index + 1} of {rounds}")
            rates[way].append(rate())
    return Rounds(rates=rates)
