"""Make the workers of a process, from its settings and what it has opened."""

from __future__ import annotations

from absah_server.core.validator import Validator
from absah_server.core.working import Retrying, Worker
from absah_server.settings import Settings
from absah_server.storage import DAY_SECONDS, Storage
from absah_server.store.workers import Timing, Workers


def make(settings: Settings, validator: Validator, kept: Storage) -> Workers:
    """Workers that are not started yet."""
    chosen = settings.jobs
    return Workers(
        kept.database,
        kept.notifications,
        Worker(
            validator=validator,
            keeper=kept.keeper,
            retrying=Retrying(
                max_attempts=chosen.max_attempts,
                backoff_seconds=chosen.backoff_seconds,
                max_backoff_seconds=chosen.max_backoff_seconds,
            ),
            deadline_seconds=chosen.deadline_seconds,
        ),
        slots=kept.slots,
        concurrency=chosen.workers,
        timing=Timing(
            stalled_after_seconds=chosen.stalled_after_seconds,
            poll_seconds=chosen.poll_seconds,
            keep_ended_seconds=chosen.keep_ended_days * DAY_SECONDS,
        ),
    )
