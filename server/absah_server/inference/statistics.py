"""Count what the models did."""

from __future__ import annotations

import types
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelStatistics:
    """What one version of a model did since it was loaded.

    A request counts once in `requests`, and in one of `succeeded`, `failed` (the model could not
    answer), `dropped` (its deadline passed or its caller left) and `refused` (the queue was full)
    once it has ended. Requests larger than a batch run as several units; `batches` and
    `batch_sizes` (items in a batch → batches) count executions, without the repeats that single
    out a poisoned unit. `queue_seconds` sums the waiting of the units that ran,
    `compute_seconds` the time of executions.
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
