"""`absah models promote` and `rollback`: which version answers."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from absah_ops import showing
from absah_ops.listing import json_option
from absah_ops.models import addresses, evaluation, rollouts
from absah_ops.models.addresses import Address
from absah_ops.models.evaluate import golden_option, read_cases
from absah_ops.models.evaluation import Verdict
from absah_ops.models.golden import choosing
from absah_sdk import AbsahError
from absah_server.core.errors import ModelInvalid
from absah_server.core.models import Candidate, Mode, Rollout
from absah_server.inference.engines import opening
from absah_server.inference.repository import StoredModel


@dataclass(frozen=True, kw_only=True, slots=True)
class Unmeasured:
    """Why the gate could not measure a candidate that was forced nevertheless."""

    why: str


@click.command()
@addresses.versioned_argument
@golden_option
@click.option(
    "--tolerance",
    type=rollouts.Finite(0),
    help="How much worse the figure may be.  [default: the task's own]",
)
@click.option(
    "--canary",
    type=rollouts.Finite(0, 1, min_open=True),
    metavar="SHARE",
    help="Let it answer this share of the checks only, 0 to 1.",
)
@click.option(
    "--force",
    metavar="REASON",
    help="Promote it though it is worse or the current one damaged, and record why.",
)
@addresses.server_option
@json_option
def promote(
    address: str,
    golden: Path | None,
    tolerance: float | None,
    canary: float | None,
    force: str | None,
    server: str | None,
    as_json: bool,
) -> None:
    """Let a version serve, if it is no worse than the one that does.

    Both are measured on the same golden set. What is worse by more than the tolerance is refused
    with exit code 1, its figures and the worst examples. Servers change over without a restart,
    and no request fails; `absah models rollback` undoes it.
    """
    if force is not None and not force.strip():
        raise click.UsageError("--force needs a reason")
    forced = force is not None
    found = addresses.parse_versioned(address)
    candidate = addresses.stored(found)
    before = rollouts.now(found.directory, server, or_written=forced)
    if found.version == before.current:
        raise AbsahError(f"version {found.version} of {found.model} serves already")
    current = _current(found.directory, before.current, forced=forced)
    measured = _gate(current, candidate, golden, tolerance, quiet=as_json, forced=forced)
    promoted = forced or (isinstance(measured, Verdict) and measured.passed)
    if not as_json:
        _show(found.model, measured, promoted=promoted)
    if promoted:
        wanted = _wanted(before, found.version, canary)
        _check_unchanged(found, before, rollouts.now(found.directory, server, or_written=forced))
        rollouts.change(
            found.directory,
            wanted,
            action="canary" if wanted.candidate else "promote",
            reason=_reason(force, measured),
            server=server,
            figures=_figures(measured),
            digests={
                stored.version: stored.digest
                for stored in (current, candidate)
                if isinstance(stored, StoredModel)
            },
        )
    if as_json:
        told = {"model": found.model, **_plain(measured), "promoted": promoted}
        click.echo(json.dumps(told, ensure_ascii=False))
    elif promoted:
        click.echo(f"{found.model}: now {rollouts.in_words(wanted)}")
    if not promoted:
        raise SystemExit(1)


@click.command()
@addresses.model_argument
@addresses.reason_option
@addresses.server_option
def rollback(model: str, reason: str, server: str | None) -> None:
    """Go back one step, without a restart.

    A candidate in shadow or canary mode is ended; without one, the version before serves again.
    """
    found = addresses.parse(model)
    now = rollouts.roll_back(found.directory, reason=reason, server=server)
    click.echo(f"{found.model}: now {rollouts.in_words(now)}")


def _wanted(before: Rollout, version: str, canary: float | None) -> Rollout:
    if canary is None or canary == 1:
        return before.promoted(version)
    trial = Candidate(version=version, mode=Mode.CANARY, share=canary)
    return Rollout(current=before.current, previous=before.previous, candidate=trial)


def _current(directory: Path, version: str, *, forced: bool) -> StoredModel | Unmeasured:
    """The version that answers; a damaged one must not keep out a good one that is forced."""
    try:
        stored = addresses.stored(Address(directory=directory, version=version))
        opening.verify(stored)
    except ModelInvalid as exc:
        if forced:
            return Unmeasured(why=f"version {version} is damaged: {exc}")
        raise AbsahError(
            f"{exc}\nNothing can be compared with a damaged version: --force promotes another."
        ) from exc
    return stored


def _check_unchanged(found: Address, before: Rollout, now: Rollout) -> None:
    """Refuse to undo what somebody else did while the gate measured, such as a rollback."""
    if now != before:
        raise AbsahError(
            f"the rollout of {found.model} was changed while the versions were measured: it is "
            f"{rollouts.in_words(now)} now and was {rollouts.in_words(before)}. Nothing was "
            "changed; ask again if it is still what you want."
        )


def _gate(
    current: StoredModel | Unmeasured,
    candidate: StoredModel,
    golden: Path | None,
    tolerance: float | None,
    *,
    quiet: bool,
    forced: bool,
) -> Verdict | Unmeasured:
    """Measure both, or say why nothing can measure them where that was forced."""
    if isinstance(current, Unmeasured):
        return current
    try:
        task = choosing.choose(candidate)
    except AbsahError as exc:
        if forced:
            return Unmeasured(why=str(exc))
        raise
    cases = read_cases(task, golden)
    versions = f"versions {current.version} and {candidate.version}"
    with showing.progress(versions, 2 * len(cases), quiet=quiet) as done:
        return asyncio.run(
            evaluation.compare(
                current,
                candidate,
                task,
                cases,
                tolerance=task.tolerance if tolerance is None else tolerance,
                done=done,
            )
        )


def _reason(force: str | None, measured: Verdict | Unmeasured) -> str:
    if force is None:
        return ""
    unmeasured = f"; not measured: {measured.why}" if isinstance(measured, Unmeasured) else ""
    return f"forced: {force}{unmeasured}"


def _figures(measured: Verdict | Unmeasured) -> dict[str, float | str]:
    if isinstance(measured, Unmeasured):
        return {}
    current, candidate = measured.current, measured.candidate
    return {
        "metric": current.metric,
        f"version {current.version}": round(current.figure, 4),
        f"version {candidate.version}": round(candidate.figure, 4),
        "tolerance": measured.tolerance,
    }


def _plain(measured: Verdict | Unmeasured) -> dict[str, Any]:
    """What was measured, for --json."""
    if isinstance(measured, Unmeasured):
        return {"passed": False, "not_measured": measured.why}
    current, candidate = measured.current, measured.candidate
    return {
        "metric": current.metric,
        "current": {"version": current.version, "figure": current.figure},
        "candidate": {"version": candidate.version, "figure": candidate.figure},
        "change": measured.change,
        "tolerance": measured.tolerance,
        "passed": measured.passed,
        "worst": [
            {"case": w.case, "current": w.current, "candidate": w.candidate} for w in measured.worst
        ],
    }


def _show(model: str, measured: Verdict | Unmeasured, *, promoted: bool) -> None:
    """Print what was measured, and why it does not suffice where it does not."""
    if isinstance(measured, Unmeasured):
        click.echo(f"Forced and not measured: {measured.why}")
        return
    current, candidate = measured.current, measured.candidate
    rows = [
        (
            f"{model}@{each.version}",
            f"{current.metric} {each.figure:.4f}",
            f"{each.seconds * 1000:.0f} ms",
            role,
        )
        for each, role in ((current, "current"), (candidate, "candidate"))
    ]
    showing.table(("version", "figure", "a check", ""), rows)
    if measured.worst:
        click.echo("Where the candidate does worse:")
        showing.table(
            ("case", "current", "candidate"),
            [(w.case, w.current, w.candidate) for w in measured.worst],
        )
    if not measured.passed:
        why = (
            f"{measured.untold}, which compares nothing."
            if measured.untold
            else f"{current.metric} is worse by {-measured.change:.4f}, "
            f"and {measured.tolerance:g} is tolerated."
        )
        click.echo(f"{'Forced' if promoted else 'Refused'}: {why}", err=not promoted)
