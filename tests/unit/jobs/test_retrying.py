"""How long a validation waits after a failure, and which lock its job has."""

from __future__ import annotations

import pytest

from absah_server.core.slots import PolicySlots
from absah_server.core.working import Retrying


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 1.0), (2, 2.0), (3, 4.0), (7, 60.0), (5000, 60.0)]
)
def test_the_wait_doubles_with_each_failure_up_to_a_bound(failures: int, seconds: float) -> None:
    retrying = Retrying(backoff_seconds=1.0, max_backoff_seconds=60.0)
    assert retrying.delay_seconds(failures, chance=1.0) == seconds
    assert retrying.delay_seconds(failures, chance=0.0) == seconds / 2


def test_a_limited_policy_has_as_many_locks_as_may_run() -> None:
    slots = PolicySlots(limits={"field-report": 2})
    drawn = {slots.lock("field-report@3") for _ in range(100)}
    assert drawn == {"policy:field-report:0", "policy:field-report:1"}


def test_a_policy_without_a_limit_has_no_lock() -> None:
    slots = PolicySlots(limits={"field-report": 2})
    assert slots.lock("official-letter@1") is None
    assert slots.lock("") is None
