"""Send messages through the bridge while all that it depends on fails: `bridge.py`.

Programs publish with confirms and read answers; then histories are compared. What came of it is
added to docs/robustness.md. Exits with 1 if anything was lost, or answered differently twice.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import secrets
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import recording
from rabbitmq import RabbitMq
from rich.console import Console
from robustness.bridging import faults, suite

MESSAGES, FAULTS = 10_000, 50


def main() -> int:
    options = _options()
    console = Console()
    began = time.perf_counter()

    def tell(line: str) -> None:
        console.print(f"{time.perf_counter() - began:6.0f} s  {line}", markup=False)

    folder = Path(tempfile.mkdtemp(prefix="absah-bridge-"))
    node = RabbitMq(folder / "rabbitmq")
    node.start()
    try:
        run = asyncio.run(
            suite.run(
                node=node,
                folder=folder,
                messages=options.messages,
                faults=faults.planned(options.faults, random.Random(options.seed)),
                seed=options.seed,
                tell=tell,
            )
        )
    finally:
        node.stop()
    text = _section(run, options.seed)
    console.print(text, markup=False, soft_wrap=True)
    if not options.dry_run:
        recording.append(text)
    if run.defects:
        console.print(f"logs: {folder}", markup=False)
    return 1 if run.defects else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--faults", type=int, default=FAULTS)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="repeats a run")
    parser.add_argument("--dry-run", action="store_true", help="leave docs/robustness.md alone")
    return parser.parse_args()


def _section(run: suite.Run, seed: int) -> str:
    seen = run.history
    answered, parked = ({each.id for each in kind} for kind in (seen.answered, seen.parked))
    facts = (
        f"{len(seen.sent):,} messages published with confirms through {run.struck.total()} faults "
        f"in {run.seconds / 60:.0f} minutes, seed {seed}",
        f"{len(answered):,} answered, {len(parked):,} parked with their reason; "
        f"{seen.repeated:,} came more than once, each time alike"
        if not run.defects
        else f"{len(answered):,} answered, {len(parked):,} parked, {seen.repeated:,} repeated",
    )
    rows = [(name, str(count)) for name, count in sorted(run.struck.items())]
    table = recording.table(("fault", "times"), rows)
    return recording.section("messages through the bridge", facts, [table], run.defects)


if __name__ == "__main__":
    sys.exit(main())
