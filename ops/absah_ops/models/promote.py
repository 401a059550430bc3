"""`absah models promote` and `rollback`: which version answers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import click

from absah_ops import showing
from absah_ops.listing import json_option
from absah_ops.models import addresses, evaluation, rollouts
from absah_ops.models.evaluate import golden_option, read_cases
from absah_ops.models.evaluation import Verdict
from absah_ops.models.golden import choosing
from absah_sdk import AbsahError
from absah_server.core.models import Candidate, Mode, Rollout
from absah_server.inference.repository import StoredModel


@click.command()
@addresses.versioned_argument
@golden_option
@click.option(
    "--tolerance",
    type=click.FloatRange(0),
    help="How much worse the figure may be.  [default: the task's own]",
)
@click.option(
    "--canary",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="SHARE",
    help="Let it answer this share of the checks only, 0 to 1.",
)
@click.option("--force", metavar="REASON", help="Promote it though it is worse, and record why.")
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
    found = addresses.parse_versioned(address)
    candidate = addresses.stored(found)
    before = rollouts.now(found.directory, server)
    if found.version == before.current:
        raise AbsahError(f"version {found.version} of {found.model} serves already")
    current = addresses.stored(addresses.Address(directory=found.directory, version=before.current))
    verdict = _gate(current, candidate, golden, tolerance, quiet=as_json, forced=bool(force))
    if verdict is not None:
        _show(candidate.name, verdict, as_json, passed=verdict.passed or bool(force))
        if not verdict.passed and force is None:
            raise SystemExit(1)
    wanted = _wanted(before, found.version, canary)
    rollouts.change(
        found.directory,
        wanted,
        action="canary" if wanted.candidate else "promote",
        reason=f"forced: {force}" if force else "",
        server=server,
        figures=_figures(verdict),
        digests={before.current: current.digest, found.version: candidate.digest},
    )
    if not as_json:
        click.echo(f"{found.model}: now {rollouts.in_words(wanted)}")


@click.command()
@addresses.model_argument
@addresses.reason_option
@addresses.server_option
def rollback(model: str, reason: str, server: str | None) -> None:
    """Go back one step, without a restart.

    A candidate in shadow or canary mode is ended; without one, the version before serves again.
    """
    found = addresses.parse(model)
    before = rollouts.now(found.directory, server)
    now = rollouts.roll_back(found.directory, before, reason=reason, server=server)
    click.echo(f"{found.model}: now {rollouts.in_words(now)}")


def _wanted(before: Rollout, version: str, canary: float | None) -> Rollout:
    if canary is None or canary == 1:
        return before.promoted(version)
    trial = Candidate(version=version, mode=Mode.CANARY, share=canary)
    return Rollout(current=before.current, previous=before.previous, candidate=trial)


def _gate(
    current: StoredModel,
    candidate: StoredModel,
    golden: Path | None,
    tolerance: float | None,
    *,
    quiet: bool,
    forced: bool,
) -> Verdict | None:
    """Measure both; None where nothing can measure them and that was forced."""
    try:
        task = choosing.choose(candidate)
    except AbsahError:
        if forced:
            return None
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


def _figures(verdict: Verdict | None) -> dict[str, float | str]:
    if verdict is None:
        return {}
    return {
        "metric": verdict.current.metric,
        f"version {verdict.current.version}": round(verdict.current.figure, 4),
        f"version {verdict.candidate.version}": round(verdict.candidate.figure, 4),
        "tolerance": verdict.tolerance,
    }


def _show(model: str, verdict: Verdict, as_json: bool, *, passed: bool) -> None:
    current, candidate = verdict.current, verdict.candidate
    if as_json:
        line = {
            "model": model,
            "metric": current.metric,
            "current": {"version": current.version, "figure": current.figure},
            "candidate": {"version": candidate.version, "figure": candidate.figure},
            "change": verdict.change,
            "tolerance": verdict.tolerance,
            "passed": verdict.passed,
            "promoted": passed,
            "worst": [
                {"case": w.case, "current": w.current, "candidate": w.candidate}
                for w in verdict.worst
            ],
        }
        click.echo(json.dumps(line, ensure_ascii=False))
        return
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
    if verdict.worst:
        click.echo("Where the candidate does worse:")
        showing.table(
            ("case", "current", "candidate"),
            [(w.case, w.current, w.candidate) for w in verdict.worst],
        )
    if not verdict.passed:
        why = (
            f"{current.metric} is worse by {-verdict.change:.4f}, "
            f"and {verdict.tolerance:g} is tolerated."
            if verdict.telling
            else "neither version gets anything right on this golden set, which compares nothing."
        )
        click.echo(f"{'Forced' if passed else 'Refused'}: {why}", err=not passed)
