"""Show what a mapping of the bridge makes of a message."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from rich.padding import Padding
from rich.text import Text

from absah_ops import showing

if TYPE_CHECKING:
    from absah.v1 import validation_pb2
    from absah_bridge.codecs import Outgoing
    from absah_bridge.errors import MessageInvalid
    from absah_bridge.golden import GoldenCase
    from absah_bridge.requests import Request
    from absah_bridge.rules import Step
    from absah_bridge.systems import LegacySystem
    from absah_bridge.workbench import Trial


def show_steps(way: str, steps: Sequence[Step], *, as_json: bool) -> None:
    """Each value's way; `way` is "request" or "answer"."""
    from absah_bridge import workbench

    rows = [(step, *workbench.shown(step)) for step in steps]
    if as_json:
        for step, raw, value in rows:
            told = {"way": way, "target": step.target, "source": step.source}
            told |= {"position": step.position, "raw": raw, "value": value}
            _print({**told, "problem": step.problem})
        return
    if not rows:
        return
    showing.console().print(Text(f"\nTo the {way}", style="bold"))
    showing.table(
        ("field", "comes from", "at", "as", "becomes"),
        [
            (
                step.target,
                step.source or "(constant)",
                step.position,
                "" if raw == value else raw,
                f"✗ {step.problem}" if step.problem else value,
            )
            for step, raw, value in rows
        ],
    )


def show_requests(requests: Sequence[Request], *, as_json: bool) -> None:
    """What is asked of the core."""
    for request in requests:
        if as_json:
            told = {"way": "request", "request_id": request.id, "policy": request.policy}
            _print(told | {"documents": len(request.attachments)})
        else:
            text = f"asks {request.policy} as {request.id}: {len(request.claims)} claims, "
            showing.console().print(
                Text(f"{text}{len(request.attachments)} documents", style="dim")
            )


def show_mistakes(trial: Trial, *, as_json: bool) -> None:
    """All that is wrong, and what it would be parked for."""
    assert trial.problem is not None
    cause = trial.problem.cause.value
    if as_json:
        for field, position, problem in trial.mistakes():
            _print({"cause": cause, "field": field, "position": position, "problem": problem})
        return
    console = showing.console(stderr=True)
    console.print(Text(f"It would be parked as {cause}:", style="bold red"))
    for field, position, problem in trial.mistakes():
        where = ", ".join(part for part in (position, field) if part)
        console.print(Padding(Text.assemble((where, "bold"), f"\n{problem}"), (0, 0, 0, 2)))


@contextmanager
def refusing(*, as_json: bool) -> Iterator[None]:
    """Exit with 1 where an answer cannot be had or told."""
    from absah_bridge.errors import MessageInvalid

    try:
        yield
    except MessageInvalid as exc:
        _refuse(exc, as_json=as_json)
    except ExceptionGroup as exc:
        # Records of a batch fail together; the first that says why is told.
        first = exc.exceptions[0]
        if not isinstance(first, MessageInvalid):
            raise
        _refuse(first, as_json=as_json)


def show_answer(
    system: LegacySystem,
    trial: Trial,
    validations: Sequence[validation_pb2.Validation],
    *,
    as_json: bool,
) -> None:
    """The verdicts' way to the answer, and the answer. Raises `MessageInvalid`."""
    from absah_bridge import workbench

    steps: list[Step] = []
    try:
        outgoing = workbench.try_answer(system, trial, validations, steps)
    finally:
        show_steps("answer", steps, as_json=as_json)
    text = _text(outgoing)
    if as_json:
        _print({"way": "answer", "content_type": outgoing.content_type, "body": text})
        return
    console = showing.console()
    console.print(Text(f"\nThe answer ({outgoing.content_type})", style="bold"))
    click.echo(text)


def show_cases(cases: Sequence[GoldenCase], *, as_json: bool) -> None:
    """Golden cases, and what differs."""
    if as_json:
        for case in cases:
            told: dict[str, Any] = {"case": case.name, "holds": not case.differences}
            _print(told | {"differences": list(case.differences), "written": list(case.written)})
        return
    showing.table(
        ("case", "holds", "what differs"),
        [
            (
                case.name,
                "no" if case.differences else "yes",
                "\n".join([*case.differences, *(f"wrote {name}" for name in case.written)]),
            )
            for case in cases
        ],
    )


def _refuse(error: MessageInvalid, *, as_json: bool) -> None:
    if as_json:
        told = {"cause": error.cause.value, "field": error.field, "position": error.position}
        _print({**told, "problem": error.problem})
        raise SystemExit(1)
    raise click.ClickException(f"{error} ({error.cause})")


def _text(outgoing: Outgoing) -> str:
    charset = outgoing.content_type.partition("charset=")[2] or "utf-8"
    if outgoing.body.startswith(b"<?xml"):
        charset = outgoing.body[:100].partition(b'encoding="')[2].partition(b'"')[0].decode()
    try:
        return outgoing.body.decode(charset)
    except (UnicodeDecodeError, LookupError):
        return f"{len(outgoing.body):,} bytes"


def _print(told: dict[str, Any]) -> None:
    click.echo(json.dumps(told, ensure_ascii=False))
