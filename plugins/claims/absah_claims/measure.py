"""Measure the comparisons on drawn claims and evidence: `python -m absah_claims.measure`.

Prints, for each kind of claim, how many true, false and slightly false claims agree, contradict or
stay unsettled, where readings hold mistakes of 1, 2 or 3 % of their characters.
"""

from __future__ import annotations

import collections
import datetime
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

from absah_claims import noise
from absah_claims.functions import policy_functions

DRAWS = 2_000
RATES = (0.01, 0.02, 0.03)
OUTCOMES = ("AGREES", "UNSETTLED", "CONTRADICTS")

Case = tuple[str, str, Any]
"""What the claim is (true, false, close), the claim, and the evidence."""


def main(draws: int = DRAWS, seed: int = 1) -> None:
    """Print the table in Markdown."""
    out = sys.stdout
    out.write(f"| claim | it is | n | {' | '.join(o.lower() for o in OUTCOMES)} |\n")
    out.write("|---|---|---|---|---|---|\n")
    for function, cases in KINDS.items():
        table = tally(function, cases, draws=draws, seed=seed)
        for truth, counts in sorted(table.items(), reverse=True):
            total = sum(counts.values())
            shares = " | ".join(f"{100 * counts[o] / total:.1f} %" for o in OUTCOMES)
            out.write(f"| {function} | {truth} | {total} | {shares} |\n")


def tally(
    function: str,
    cases: Callable[[random.Random, float], Iterator[Case]],
    *,
    draws: int,
    seed: int,
) -> dict[str, collections.Counter[str]]:
    """Outcomes by what the claim is."""
    draw = random.Random(seed)  # noqa: S311
    match = policy_functions()[function.partition(",")[0]]
    table: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for index in range(draws):
        for truth, claim, evidence in cases(draw, RATES[index % len(RATES)]):
            table[truth][match(claim, evidence)["outcome"]] += 1
    return table


def _names(draw: random.Random, rate: float) -> Iterator[Case]:
    name = noise.person(draw)
    evidence = _card(draw, rate, name=noise.spelled_otherwise(draw, name).upper())
    yield "true", noise.spelled_otherwise(draw, name), evidence
    yield "false", noise.other_person(draw, name), evidence
    yield "close", noise.sibling(draw, name), evidence


def _niks(draw: random.Random, rate: float) -> Iterator[Case]:
    born, sex = noise.birth_date(draw), draw.choice("LP")
    nik = noise.nik(draw, born, sex)
    evidence = _card(draw, rate, nik=nik, birth_date=born.isoformat(), sex=sex)
    yield "true", nik, evidence
    yield "false", noise.nik(draw, noise.birth_date(draw), draw.choice("LP")), evidence
    serial = (int(nik[12:]) + draw.choice((1, 2, 3))) % 9_999 + 1
    yield "close", f"{nik[:12]}{serial:04}", evidence


def _birth_dates(draw: random.Random, rate: float) -> Iterator[Case]:
    born, sex = noise.birth_date(draw), draw.choice("LP")
    nik = noise.nik(draw, born, sex)
    evidence = _card(draw, rate, nik=nik, birth_date=born.isoformat(), sex=sex)
    yield "true", born.isoformat(), evidence
    yield "false", noise.birth_date(draw).isoformat(), evidence
    yield "close", (born + datetime.timedelta(days=1)).isoformat(), evidence


def _numbers(draw: random.Random, rate: float) -> Iterator[Case]:
    number = noise.letter_number(draw)
    evidence = _fields("letter", draw, rate, number=number)
    yield "true", number, evidence
    yield "false", noise.letter_number(draw), evidence
    first, _, rest = number.partition("/")
    serial, _, rest = rest.partition("/")
    yield "close", f"{first}/{int(serial) + 1:03}/{rest}", evidence


def _letter_dates(draw: random.Random, rate: float) -> Iterator[Case]:
    date = datetime.date(2026, 1, 1) + datetime.timedelta(days=draw.randrange(360))
    evidence = _fields("letter", draw, rate, date=date.isoformat())
    yield "true", date.isoformat(), evidence
    other = date + datetime.timedelta(days=draw.choice((-400, -40, 35, 99, 366)))
    yield "false", other.isoformat(), evidence
    yield "close", (date + datetime.timedelta(days=1)).isoformat(), evidence


def _signatories(draw: random.Random, rate: float) -> Iterator[Case]:
    name = noise.person(draw)
    evidence = _fields("letter", draw, rate, signatory=noise.spelled_otherwise(draw, name).upper())
    yield "true", name, evidence
    yield "false", noise.other_person(draw, name), evidence
    yield "close", noise.sibling(draw, name), evidence


def _event_dates(draw: random.Random, _rate: float) -> Iterator[Case]:
    date = datetime.date(2026, 1, 20) + datetime.timedelta(days=draw.randrange(300))
    evidence = _report(noise.report(draw, noise.person(draw), date, noise.place(draw)[0]))
    yield "true", date.isoformat(), evidence
    other = date + datetime.timedelta(days=draw.choice((-200, -30, 25, 60, 365)))
    yield "false", other.isoformat(), evidence
    yield "close", (date + datetime.timedelta(days=draw.choice((-1, 1)))).isoformat(), evidence


def _places(draw: random.Random, _rate: float) -> Iterator[Case]:
    place, regency = noise.place(draw)
    date = datetime.date(2026, 3, 12)
    evidence = _report(noise.report(draw, noise.person(draw), date, place))
    yield "true", draw.choice((place, regency, place.split(", ", 1)[1], place.upper())), evidence
    other = noise.place(draw)
    while other[1] == regency:
        other = noise.place(draw)
    yield "false", draw.choice(other), evidence


def _mentions(draw: random.Random, _rate: float) -> Iterator[Case]:
    name = noise.person(draw)
    written = noise.spelled_otherwise(draw, name).title()
    evidence = _report(
        noise.report(draw, written, datetime.date(2026, 3, 12), noise.place(draw)[0])
    )
    yield "true", name, evidence
    yield "false", noise.other_person(draw, name), evidence
    yield "close", noise.sibling(draw, name), evidence


def _card(draw: random.Random, rate: float, **printed: str) -> list[dict[str, Any]]:
    return _fields("identity", draw, rate, **printed)


def _fields(checker: str, draw: random.Random, rate: float, **printed: str) -> list[dict[str, Any]]:
    """The result of a field reader over a scan of what is printed."""
    fields = {}
    for name, value in printed.items():
        reading = noise.read(draw, value, rate)
        fields[name] = {
            "value": reading.text,
            "raw": reading.text,
            "confidence": reading.confidence,
        }
    return [
        {"checker": checker, "document": "scan", "outcome": "PASS", "facts": {"fields": fields}}
    ]


def _report(text: str) -> list[dict[str, Any]]:
    return [
        {"checker": "entities", "document": "report", "outcome": "PASS", "facts": {"text": text}}
    ]


KINDS: dict[str, Callable[[random.Random, float], Iterator[Case]]] = {
    "match_name, on a card": _names,
    "match_name, in a report": _mentions,
    "match_nik": _niks,
    "match_birth_date": _birth_dates,
    "match_letter_number": _numbers,
    "match_letter_date": _letter_dates,
    "match_signatory": _signatories,
    "match_event_date": _event_dates,
    "match_place": _places,
}


if __name__ == "__main__":
    main()
