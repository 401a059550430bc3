"""Send messages through faults, and compare what was sent with what was answered."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rabbitmq import RabbitMq
from robustness.bridging import history, parts, programs
from robustness.bridging.faults import Fault
from robustness.bridging.history import History

STILL_SECONDS = 90.0
"""Without any answer for so long, none is awaited any more."""
SETTLING_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What was done and what came of it."""

    history: History
    struck: Counter[str]
    seconds: float
    defects: Sequence[str]


async def run(
    *,
    node: RabbitMq,
    folder: Path,
    messages: int,
    faults: Sequence[Fault],
    seed: int,
    tell: Callable[[str], None] = lambda line: None,
) -> Run:
    """Send so many messages while these faults come one after another, evenly among them."""
    began = time.perf_counter()
    seen = History()
    chance = random.Random(seed)
    struck: Counter[str] = Counter()
    async with parts.running(node, folder) as under_test:
        reading = programs.reader(node.url, under_test.queue, seen)
        sending = programs.sender(node.url, under_test.queue, messages, seen, seed)
        try:
            for number, fault in enumerate(faults, 1):
                await _until(seen, messages * number // (len(faults) + 1))
                hit = await fault.strike(under_test, chance)
                struck[fault.name if hit else f"{fault.name} (missed)"] += 1
                tell(f"{number}/{len(faults)} {fault.name}: {len(seen.seen):,} of {messages:,}")
            await _until(seen, messages)
            # What comes twice may come late.
            await asyncio.sleep(SETTLING_SECONDS)
            wrong = await under_test.stop()
        finally:
            sending.end()
            reading.end()
    if len(seen.sent) < messages:
        wrong.append(f"only {len(seen.sent)} messages could be sent")
    return Run(
        history=seen,
        struck=struck,
        seconds=time.perf_counter() - began,
        defects=[*history.defects(seen), *wrong],
    )


async def _until(seen: History, count: int) -> None:
    """Wait until so many messages have come to an end, or nothing moves any more."""
    last, since = len(seen.seen), time.monotonic()
    while len(seen.seen) < count:
        await asyncio.sleep(0.05)
        if len(seen.seen) > last:
            last, since = len(seen.seen), time.monotonic()
        elif time.monotonic() - since > STILL_SECONDS:
            return
