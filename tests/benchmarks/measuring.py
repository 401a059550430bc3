"""Compare two ways of doing the same thing, side by side in one run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape
from rich.table import Column, Table

HERE = Path(__file__).parent
ROUNDS = 5
SHOWN_CHARACTERS = 4000


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A measurement; `ratio` is ours over theirs, `at_least` or `at_most` what it should be.

    `interval` is where ours lies with 95 % confidence, of figures that come of a sample.
    """

    name: str
    ours: float
    theirs: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    interval: tuple[float, float] | None = None
    note: str = ""

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs

    @property
    def met(self) -> bool:
        enough = self.at_least is None or self.ratio >= self.at_least
        return enough and (self.at_most is None or self.ratio <= self.at_most)

    def as_json(self) -> dict[str, object]:
        bound = (
            {"at_least": self.at_least} if self.at_least is not None else {"at_most": self.at_most}
        )
        return {
            "name": self.name,
            "ours": round(self.ours, 3),
            "theirs": round(self.theirs, 3),
            "unit": self.unit,
            "ratio": round(self.ratio, 3),
            **bound,
            **({"interval": [round(end, 3) for end in self.interval]} if self.interval else {}),
            "note": self.note,
        }


def table(figures: Iterable[Figure], *, digits: int) -> Table:
    """Figures for people to read."""
    names = (Column("figure", no_wrap=True), Column("ours", no_wrap=True))
    shown = Table(*names, "theirs", "unit", "ratio", "should be", "")
    for figure in figures:
        wanted = f"≥ {figure.at_least}" if figure.at_least is not None else f"≤ {figure.at_most}"
        ours = f"{figure.ours:.{digits}f}"
        if figure.interval:
            ours += " [{:.{d}f}, {:.{d}f}]".format(*figure.interval, d=digits)
        shown.add_row(
            figure.name,
            escape(ours),
            f"{figure.theirs:.{digits}f}",
            figure.unit,
            f"{figure.ratio:.2f}",
            wanted,
            "[green]met[/]" if figure.met else "[red]missed[/]",
        )
    return shown


def alternate(ours: Callable[[], float], theirs: Callable[[], float]) -> tuple[float, float]:
    """Medians of rounds in which both sides take turns, after one of each that does not count."""
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(ROUNDS)]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


@contextmanager
def process(
    *arguments: str, python: str = sys.executable, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A Python process with pipes; it is ended with the block.

    What it writes to standard error is shown if the block fails.
    """
    with tempfile.TemporaryFile("w+") as complaints:
        started = subprocess.Popen(
            [python, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            bufsize=1,
            env=env,
        )
        try:
            yield started
        except BaseException:
            complaints.seek(0)
            sys.stderr.write(complaints.read()[-SHOWN_CHARACTERS:])
            raise
        finally:
            started.terminate()
            started.wait(timeout=60)


def line_of(started: subprocess.Popen[str]) -> str:
    """The next line that a process prints."""
    assert started.stdout
    line = started.stdout.readline()
    if not line:
        raise RuntimeError(f"{started.args!r} ended with {started.wait()}")
    return line.strip()


def ask(started: subprocess.Popen[str], words: str) -> str:
    """Send a process a line and return the one that it answers."""
    assert started.stdin
    started.stdin.write(words + "\n")
    started.stdin.flush()
    return line_of(started)
