"""Show things to people: tables and colour at a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

import absah
from absah.v1 import check_result_pb2, validation_pb2

DECISION_STYLES = {"ACCEPT": "bold green", "REVIEW": "bold yellow", "REJECT": "bold red"}
PIPED = 110
"""Columns of what is written into a pipe or file."""
WORD_STYLES = {
    **DECISION_STYLES,
    "PASS": "green",
    "FAIL": "red",
    "INCONCLUSIVE": "yellow",
    "SKIPPED": "dim",
    "ERROR": "bold red",
    "AGREES": "green",
    "CONTRADICTS": "red",
    "UNSETTLED": "yellow",
    "yes": "green",
    "no": "red",
    "optional": "dim",
}


def console(stderr: bool = False) -> Console:
    return Console(stderr=stderr, highlight=False, width=None if sys.stdout.isatty() else PIPED)


@contextmanager
def waiting(what: str, *, quiet: bool = False) -> Iterator[None]:
    """Show a spinner on standard error while something takes its time."""
    errors = Console(stderr=True)
    if quiet or not errors.is_terminal:
        yield
        return
    with errors.status(f"{what} …"):
        yield


@contextmanager
def progress(what: str, total: int, *, quiet: bool = False) -> Iterator[Callable[[], None]]:
    """A bar on standard error, gone at the end; what is yielded advances it by one."""
    errors = Console(stderr=True)
    if quiet or not errors.is_terminal:
        yield lambda: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=errors, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows of words; in a pipe, tab-separated lines without headings."""
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(cell.replace("\n", ", ") for cell in row))
        return
    console().print(_table(headings, rows))


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell, style=WORD_STYLES.get(cell, "")) for cell in row))
    return made


def validation(pb: validation_pb2.Validation) -> None:
    """A validation: verdict, reasons in both languages, claims, checks."""
    plain = absah.to_dict(pb)
    parts: list[Text | Table | Padding] = []
    if pb.HasField("verdict"):
        parts.append(_headline(pb, plain["verdict"]["decision"]))
        for reason in plain["verdict"]["reasons"]:
            parts.append(_reason(reason))
        if pb.verdict.claim_comparisons:
            parts += [Text("\nClaims", style="bold"), _comparisons(plain["verdict"])]
    parts += [Text("\nChecks", style="bold"), _checks(pb)]
    console().print(Group(*parts))


def _headline(pb: validation_pb2.Validation, decision: str) -> Text:
    took = pb.update_time.ToDatetime() - pb.create_time.ToDatetime()
    return Text.assemble(
        (f" {decision} ", f"{DECISION_STYLES[decision]} reverse"),
        f"  {pb.record.policy}, {took.total_seconds():.1f} s, {pb.name}",
    )


def _reason(reason: dict[str, Any]) -> Padding:
    style = DECISION_STYLES[reason["decision"]]
    text = Text.assemble(
        ("● ", style), reason["message"]["id"], "\n  ", (reason["message"]["en"], "italic dim")
    )
    where = sorted({f"{f['checker']} on {f['document']}" for f in reason["findings"]})
    if where:
        text.append(f"\n  {reason['rule']} ← {', '.join(where)}", style="dim")
    return Padding(text, (1, 0, 0, 1))


def _comparisons(verdict: dict[str, list[dict[str, Any]]]) -> Table:
    rows = [
        (c["claim"], c["agreement"], c["found"], c["detail"]["id"])
        for c in verdict["claim_comparisons"]
    ]
    return _table(("claim", "evidence", "found", "why"), rows)


def _checks(pb: validation_pb2.Validation) -> Table:
    rows = []
    for result in pb.check_results:
        outcome = absah.to_dict(result)["outcome"]
        score = f"{result.score:.2f}" if result.HasField("score") else ""
        took = f"{result.duration.ToTimedelta().total_seconds() * 1000:.0f} ms"
        rows.append((result.checker, result.document, outcome, score, _gist(result), took))
    return _table(("checker", "document", "outcome", "score", "findings", "time"), rows)


def _gist(result: check_result_pb2.CheckResult) -> str:
    if result.HasField("error"):
        return str(result.error.message)
    counts: dict[str, int] = {}
    for finding in result.findings:
        if dict(finding.attributes).get("counted") is False:
            continue  # seen too unsurely to count; the JSON form shows it
        counts[finding.code] = counts.get(finding.code, 0) + 1
    return ", ".join(f"{n} {code}" if n > 1 else code for code, n in counts.items())
