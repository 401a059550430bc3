"""Kill the server, a worker and PostgreSQL while clients submit, and check what came of it.

Then PostgreSQL goes away for a while under the same load. What was found is appended to the record.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

# gRPC's handlers at a fork break pg_ctl, which is forked whenever PostgreSQL is to start again.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
sys.path.insert(0, str(Path(__file__).parents[1]))

import recording
from rich.console import Console
from robustness.crashing import clients, killing, outage, suite
from robustness.crashing.outage import Outage
from robustness.crashing.suite import Outcome

SHOWN_PROBLEMS = 20


def main() -> int:
    options = _options()
    console = Console()
    seed = random.randrange(2**32) if options.seed is None else options.seed
    folder = Path(tempfile.mkdtemp(prefix="absah-crashes-"))
    texts, failed = [], False
    for made in ("kills", "outage"):
        (folder / made).mkdir()
    if options.kills:
        outcome = asyncio.run(
            suite.crash(
                folder / "kills", kills=options.kills, seconds=60 * options.minutes, seed=seed
            )
        )
        texts.append(_kills(outcome, seed))
        failed = _kept(outcome, folder / "kills", console)
    if options.outage_seconds:
        seconds = options.outage_seconds
        seen, outcome = asyncio.run(outage.run(folder / "outage", seconds=seconds, seed=seed))
        texts.append(_outage(seen, outcome, seed))
        failed = _kept(outcome, folder / "outage", console) or failed
    for text in texts:
        console.print(text, markup=False, soft_wrap=True)
        if not options.dry_run:
            recording.append(text)
    if not failed:
        shutil.rmtree(folder)
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="0 leaves them out")
    parser.add_argument("--minutes", type=float, default=30.0, help="after these no more kills")
    parser.add_argument("--outage-seconds", type=float, default=30.0, help="0 leaves it out")
    parser.add_argument("--seed", type=int, help="plans the same kills again")
    parser.add_argument("--dry-run", action="store_true", help="leave docs/robustness.md alone")
    return parser.parse_args()


def _kept(outcome: Outcome, folder: Path, console: Console) -> bool:
    """Whether it failed; then the history is written beside the log."""
    if outcome.problems:
        outcome.history.write(folder / "history.jsonl")
        console.print(f"the log and the history: {folder}", markup=False)
    return bool(outcome.problems)


def _kills(outcome: Outcome, seed: int) -> str:
    tally = outcome.tally
    victims = Counter(tally.random)
    for (victim, _), count in tally.struck.items():
        victims[victim] += count
    facts = (
        f"{tally.kills} kills in {outcome.seconds / 60:.0f} minutes, seed {seed}: "
        f"{recording.counted(victims)}; {tally.struck.total()} of them at chosen points, "
        f"{tally.random.total()} at random moments",
        *_load(outcome),
        f"after the last kill all came to rest in {outcome.rest_seconds:.1f} s; a killed process "
        f"was back {outcome.start_seconds:.1f} s after its start on average; "
        f"{outcome.not_started} starts broke off, as PostgreSQL was away",
    )
    title = f"{tally.kills} kills"
    return recording.section(title, facts, [_points(outcome)], _shown(outcome.problems))


def _points(outcome: Outcome) -> str:
    """How often which victim was killed at which point."""
    struck = outcome.tally.struck
    victims = (killing.SERVER, killing.WORKER, killing.POSTGRES)
    rows = [
        (point, *(str(struck[victim, point]) for victim in victims))
        for point in sorted({point for _, point in struck}, key=_by_function)
    ]
    rows.append(("at random moments", *(str(outcome.tally.random[victim]) for victim in victims)))
    return recording.table(("killed", *victims), rows)


def _by_function(point: str) -> tuple[str, str]:
    return point.rpartition(" ")[2], point


def _outage(seen: Outage, outcome: Outcome, seed: int) -> str:
    unhealthy = [p.ended for p in seen.of(outage.health_of("")) if p.answer == "NOT_SERVING"]
    again = "never" if seen.serving_again is None else f"after {seen.serving_again:.1f} s"
    facts = (
        f"PostgreSQL was away for {seen.over:.0f} s, seed {seed}",
        *_load(outcome),
        f"health said NOT_SERVING {min(unhealthy, default=float('nan')):.1f} s after the kill; "
        f"when PostgreSQL was started again, the server was healthy and accepted {again}",
    )
    calls = sorted({probe.call for probe in seen.probes})
    table = recording.table(
        ("asked meanwhile", "answers", "median", "at most"),
        [_row(seen, call) for call in calls],
    )
    title = f"PostgreSQL gone for {seen.over:.0f} s"
    return recording.section(title, facts, [table], _shown(outcome.problems))


def _row(seen: Outage, call: str) -> Sequence[str]:
    probes = seen.of(call)
    took = [1000 * (probe.ended - probe.began) for probe in probes]
    answers = recording.counted(Counter(probe.answer for probe in probes))
    return call, answers, f"{statistics.median(took):.0f} ms", f"{max(took):.0f} ms"


def _load(outcome: Outcome) -> Sequence[str]:
    """What clients did meanwhile, and what became of it."""
    counts = suite.counts(outcome)
    most = max((each.attempt for each in outcome.kept.validations), default=0)
    return (
        f"{suite.CLIENTS_EACH * len(clients.TENANTS)} clients of {len(clients.TENANTS)} tenants: "
        f"{counts['submitted']} requests, {counts['acknowledged']} acknowledged (the others were "
        f"refused or given up), {counts['uploads']} uploads",
        f"{counts['validations']} validations, of them {counts['cancelled']} cancelled and "
        f"{counts['erased']} erased when their time was over; {counts['attempts']} attempts, of "
        f"them {counts['lost attempts']} lost with their worker, {most} at most at one",
        f"refused, and tried again: {recording.counted(outcome.history.refusals) or 'nothing'}",
        f"logged as errors: {recording.counted(outcome.errors_logged()) or 'nothing'}",
    )


def _shown(problems: Sequence[str]) -> Sequence[str]:
    more = len(problems) - SHOWN_PROBLEMS
    return [*problems[:SHOWN_PROBLEMS], *([f"and {more} more"] if more > 0 else [])]


if __name__ == "__main__":
    sys.exit(main())
