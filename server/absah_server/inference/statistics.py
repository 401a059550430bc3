"""Count what the models did."""

from __future__ import annotations

import asyncio
import contextlib
import types
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from absah_sdk import DeadlinePassed, InferenceFailed
from absah_server.core.errors import Overloaded


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelStatistics:
    """What one version of a model did since it was loaded.

    A request counts in `requests` when it comes and, when it has ended, in one of `succeeded`,
    `failed` (its inputs were wrong or the model could not answer), `dropped` (its deadline passed
    or its caller left) and `refused` (the queue was full). `batches` and `batch_sizes` (items in
    a batch → batches) count executions, without the repeats that single out a bad request.
    `queue_seconds` sums the waiting of the units that ran (a request, or each portion of one
    that is larger than a batch), `compute_seconds` the time of executions.
    """

    model: str
    version: str
    engine: str
    instances: int
    requests: int
    succeeded: int
    failed: int
    dropped: int
    refused: int
    items: int
    batches: int
    batch_sizes: Mapping[int, int]
    queue_seconds: float
    compute_seconds: float
    queued: int
    running: int


class Tally:
    """The counters behind `ModelStatistics`; touched by the event loop's thread alone."""

    def __init__(self) -> None:
        self.requests = 0
        self.succeeded = 0
        self.failed = 0
        self.dropped = 0
        self.refused = 0
        self.items = 0
        self.queue_seconds = 0.0
        self.compute_seconds = 0.0
        self._batch_sizes: Counter[int] = Counter()

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        """Count one request and how it ends."""
        self.requests += 1
        try:
            yield
        except Overloaded:
            self.refused += 1
            raise
        except InferenceFailed:
            self.failed += 1
            raise
        except (DeadlinePassed, asyncio.CancelledError):
            self.dropped += 1
            raise
        self.succeeded += 1

    def executed(self, *, items: int, seconds: float) -> None:
        """Count one executed batch."""
        self.items += items
        self.compute_seconds += seconds
        self._batch_sizes[items] += 1

    def snapshot(
        self, *, model: str, version: str, engine: str, instances: int, queued: int, running: int
    ) -> ModelStatistics:
        """The counters as they stand."""
        return ModelStatistics(
            model=model,
            version=version,
            engine=engine,
            instances=instances,
            requests=self.requests,
            succeeded=self.succeeded,
            failed=self.failed,
            dropped=self.dropped,
            refused=self.refused,
            items=self.items,
            batches=self._batch_sizes.total(),
            batch_sizes=types.MappingProxyType(dict(sorted(self._batch_sizes.items()))),
            queue_seconds=self.queue_seconds,
            compute_seconds=self.compute_seconds,
            queued=queued,
            running=running,
        )
