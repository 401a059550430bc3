"""`absah check`: one checker on files, without a server."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import absah
from absah_ops import showing
from absah_sdk import AbsahError
from absah_server import harness
from absah_server.core.errors import LimitExceeded
from absah_server.core.validation import UNREADABLE, CheckResult
from absah_server.rpc import conversion
from absah_server.settings import Settings
from absah_server.telemetry import logs

AT_ONCE = 4
"""Files under way together, so that the models see batches."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """What is printed of one file."""

    file: str
    checker: str
    outcome: str
    score: float | None = None
    findings: Sequence[dict[str, Any]] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    result: CheckResult | None = None

    def as_json(self) -> str:
        shown = {
            "file": self.file,
            "checker": self.checker,
            "outcome": self.outcome,
            "score": self.score,
            "findings": self.findings,
            "facts": self.facts,
        }
        if self.error:
            shown["error"] = self.error
        return json.dumps(shown, ensure_ascii=False)


@click.command()
@click.argument("name", metavar="CHECKER")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line and a file.")
@click.option(
    "--artifacts",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write artifacts such as heatmaps into this folder.",
)
def check(name: str, files: Sequence[Path], as_json: bool, artifacts: Path | None) -> None:
    """Run one checker on files, and on what it builds on. No server is needed.

    A file that cannot be read is that line's ERROR; the command itself still exits with 0.
    """
    logs.start("error")
    if artifacts:
        artifacts.mkdir(parents=True, exist_ok=True)
    asyncio.run(_check_all(name, files, as_json, artifacts))


async def _check_all(
    name: str, files: Sequence[Path], as_json: bool, artifacts: Path | None
) -> None:
    settings = Settings()
    with _progress(files) as progress:
        async with harness.open_harness(name, settings) as opened:
            task = progress.add_task(name, total=len(files)) if progress else None
            async for line in _lines(name, files, settings, opened):
                _show(line, as_json, progress.console if progress else showing.console())
                if artifacts:
                    _write_artifacts(line, artifacts)
                if progress and task is not None:
                    progress.advance(task)


def _progress(files: Sequence[Path]) -> Progress | AbstractContextManager[None]:
    # Lines at a terminal go through the console of the bar, so that they stand above it.
    console = showing.console(stderr=not sys.stdout.isatty())
    if len(files) < 2 or not console.is_terminal:
        return nullcontext()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )


async def _lines(
    name: str, files: Sequence[Path], settings: Settings, opened: harness.Harness
) -> AsyncIterator[Line]:
    """Lines in the order of the files, a few files under way at a time."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(file: Path) -> Line:
        async with room:
            return await _check_file(name, file, settings, opened)

    window: list[asyncio.Task[Line]] = []
    for file in files:
        window.append(asyncio.create_task(one(file)))
        if len(window) == 2 * AT_ONCE:
            yield await window.pop(0)
    for task in window:
        yield await task


async def _check_file(name: str, file: Path, settings: Settings, opened: harness.Harness) -> Line:
    try:
        result = await opened.check(_content(file, settings), filename=file.name)
    except (OSError, AbsahError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        return Line(file=str(file), checker=name, outcome="ERROR", error=reason)
    pb = conversion.check_result_to_proto(result)
    plain = absah.to_dict(pb)
    unreadable = next((f for f in result.result.findings if f.code == UNREADABLE), None)
    return Line(
        file=str(file),
        checker=name,
        outcome="ERROR" if unreadable else plain["outcome"],
        score=result.result.score,
        findings=plain["findings"],
        facts=plain.get("facts", {}),
        error=unreadable.message if unreadable else (result.fault.message if result.fault else ""),
        result=result,
    )


def _content(file: Path, settings: Settings) -> bytes:
    """The file's bytes; one that is too large is not even read."""
    limit = settings.limits.max_document_bytes
    size = file.stat().st_size
    if size > limit:
        raise LimitExceeded(
            limit="limits.max_document_bytes", allowed=limit, actual=size, unit="bytes"
        )
    return file.read_bytes()


def _show(line: Line, as_json: bool, console: Console) -> None:
    if not sys.stdout.isatty():
        click.echo(line.as_json() if as_json else _plain(line))
        return
    if as_json:
        console.print(line.as_json(), markup=False, soft_wrap=True)
        return
    style = showing.WORD_STYLES.get(line.outcome, "")
    score = "" if line.score is None else f" {line.score:.2f}"
    console.print(f"[{style}]{line.outcome}[/]{score}  {line.file}", highlight=False)
    if line.error:
        console.print(f"  {line.error}", markup=False)
    for finding in line.findings:
        if finding.get("attributes", {}).get("counted") is False:
            continue  # seen too unsurely to count; the JSON form shows it
        sure = f" {finding['confidence']:.2f}" if "confidence" in finding else ""
        console.print(f"  {finding['code']}{sure}  {finding['message']}", markup=False)
    text = line.facts.get("text")
    if isinstance(text, str) and text:
        console.print("  " + text.replace("\n", "\n  "), style="dim", markup=False)


def _plain(line: Line) -> str:
    codes = ",".join(finding["code"] for finding in line.findings)
    score = "" if line.score is None else f"{line.score:.3f}"
    return "\t".join((line.file, line.outcome, score, line.error or codes))


def _write_artifacts(line: Line, folder: Path) -> None:
    for artifact in line.result.result.artifacts if line.result else ():
        page = f".{artifact.page}" if artifact.page > 1 else ""
        extension = artifact.media_type.rpartition("/")[2]
        name = f"{Path(line.file).name}{page}.{artifact.name}.{extension}"
        (folder / name).write_bytes(artifact.content)
