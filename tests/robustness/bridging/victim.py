"""The bridge as `absah bridge run` runs it, but that it kills itself where it is told to.

`python victim.py BRIDGE.YAML`. A line "STEP N" on standard input has it end by SIGKILL when it
comes to a step for the N-th time from then on.
"""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pika.channel

from absah_bridge import run
from absah_bridge.delivery import consuming, core, ledger, publishing
from absah_server.telemetry import logs

BEFORE, AFTER = "before", "after"
STEPS: dict[str, tuple[str, Any, str]] = {
    "delivered": (BEFORE, consuming.Consumer, "_on_message"),
    "asking": (BEFORE, core.Core, "_create"),
    "accepted": (AFTER, core.Core, "_create"),
    "validated": (AFTER, core.Core, "validate"),
    "answering": (BEFORE, publishing.Publisher, "publish"),
    "published": (AFTER, pika.channel.Channel, "basic_publish"),
    "confirmed": (BEFORE, publishing._Channel, "_on_confirm"),
    "settled": (BEFORE, consuming.Consumer, "_on_channel"),
    "acknowledged": (AFTER, pika.channel.Channel, "basic_ack"),
    "noting": (BEFORE, ledger.CoreLedger, "note"),
    "noted": (AFTER, ledger.CoreLedger, "note"),
}
"""Each with the method before or after which it lies."""


class Order:
    """At which step to end, and after how many times of it."""

    def __init__(self) -> None:
        self._step = ""
        self._left = 0

    def listen(self) -> None:
        """Take orders from standard input, in a thread."""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in sys.stdin:
            step, times = line.split()
            self._step, self._left = step, int(times)

    def passed(self, step: str) -> None:
        """The bridge came to a step."""
        if step != self._step:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def watch(order: Order) -> None:
    """Tell the order of each step that the bridge comes to."""
    for step, (when, kind, name) in STEPS.items():
        setattr(
            kind, name, _watched(getattr(kind, name), functools.partial(order.passed, step), when)
        )


def _watched(method: Any, passed: Callable[[], None], when: str) -> Any:
    if asyncio.iscoroutinefunction(method):

        async def awaited(*arguments: Any, **named: Any) -> Any:
            if when == BEFORE:
                passed()
            result = await method(*arguments, **named)
            if when == AFTER:
                passed()
            return result

        return awaited

    def called(*arguments: Any, **named: Any) -> Any:
        if when == BEFORE:
            passed()
        result = method(*arguments, **named)
        if when == AFTER:
            passed()
        return result

    return called


def main() -> None:
    """Print "connecting" before it begins."""
    logs.start("error")
    order = Order()
    watch(order)
    order.listen()
    told = functools.partial(print, "connecting", flush=True)
    asyncio.run(run.serve(Path(sys.argv[1]), ready=lambda status: told()))


if __name__ == "__main__":
    main()
