"""Say what was found, in tables, as a dated section of the record."""

from __future__ import annotations

import datetime
import os
import platform
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from asking import Observation

RECORD = Path(__file__).parents[2] / "docs" / "robustness.md"
MIB = 2**20
OUTCOMES = ("PASS", "FAIL", "INCONCLUSIVE", "SKIPPED", "ERROR")


def section(title: str, facts: Iterable[str], tables: Iterable[str], found: Sequence[str]) -> str:
    """A section of the record: what was run, what came of it, and what was wrong."""
    lines = [f"## {datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC: {title}", ""]
    lines += [f"- {fact}" for fact in (*facts, _machine())]
    lines.append("")
    for table in tables:
        lines += [table, ""]
    lines += ["Found:", *(f"- {each}" for each in found)] if found else ["Found: nothing wrong."]
    return "\n".join(lines) + "\n"


def append(text: str) -> None:
    """Add a section to the record."""
    with RECORD.open("a") as record:
        record.write("\n" + text)


def answers_table(seen: Iterable[Observation]) -> str:
    """How often the server answered what."""
    counts = Counter((each.way, each.answer, each.reason) for each in seen if each.way != "conduct")
    rows = [(way, code, reason, str(n)) for (way, code, reason), n in sorted(counts.items())]
    return table(("sent as", "answer", "reason", "times"), rows)


def checks_table(seen: Iterable[Observation]) -> str:
    """How often each checker ended how; a file that cannot be read counts as INCONCLUSIVE."""
    counts = Counter((c.checker, c.outcome) for each in seen for c in each.checks)
    unreadable = Counter(
        c.checker for each in seen for c in each.checks if c.reason == "UNREADABLE"
    )
    rows = [
        (name, *(str(counts[name, outcome]) for outcome in OUTCOMES), str(unreadable[name]))
        for name in sorted({name for name, _ in counts})
    ]
    return table(("checker", *OUTCOMES, "of them unreadable"), rows)


def conduct_table(seen: Iterable[Observation]) -> str:
    """What each way to misbehave came to."""
    rows = [
        (each.case, each.answer, f"{each.seconds:.1f} s", f"{each.peak_bytes / MIB:.0f} MiB")
        for each in seen
        if each.way == "conduct"
    ]
    return table(("a client that would", "was answered", "took", "peak memory"), rows)


def times(seen: Iterable[Observation]) -> str:
    """Median and extremes of how long answers took."""
    seconds = sorted(each.seconds for each in seen if each.way != "conduct") or [0.0]
    late = seconds[int(len(seconds) * 0.95)]
    return (
        f"answers took {statistics.median(seconds):.2f} s in the median, {late:.2f} s in the 95th "
        f"percentile, {seconds[-1]:.1f} s at most"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def counted(counts: Mapping[str, int]) -> str:
    """Names with how often each came, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{name} × {count}" for name, count in ordered)


def _machine() -> str:
    return (
        f"absah {metadata.version('absah')}, Python {platform.python_version()}, "
        f"{platform.machine()}, {os.cpu_count()} processors"
    )
