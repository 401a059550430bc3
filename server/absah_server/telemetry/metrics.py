"""Counters and histograms of what the server does, by OpenTelemetry's API.

They cost next to nothing until `setup.start` gives them somewhere to go.
"""

from __future__ import annotations

from opentelemetry import metrics

meter = metrics.get_meter("absah")

_validations = meter.create_counter(
    "absah.validations", unit="{validation}", description="Validations that ended"
)
_validation_seconds = meter.create_histogram(
    "absah.validation.duration", unit="s", description="From arrival to answer"
)
_waiting_seconds = meter.create_histogram(
    "absah.validation.queue_time", unit="s", description="From arrival to a place to run"
)
_checks = meter.create_counter("absah.checks", unit="{check}", description="Checks that ended")
_check_seconds = meter.create_histogram(
    "absah.check.duration", unit="s", description="Of one check"
)
_reused = meter.create_counter(
    "absah.checks.reused", unit="{check}", description="Checks answered from an earlier result"
)
_refusals = meter.create_counter(
    "absah.refusals", unit="{request}", description="Requests refused before any work"
)


def admitted(waited_seconds: float) -> None:
    _waiting_seconds.record(waited_seconds)


def validation_ended(policy: str, decision: str, seconds: float) -> None:
    attributes = {"policy": policy, "decision": decision}
    _validations.add(1, attributes)
    _validation_seconds.record(seconds, attributes)


def check_ended(checker: str, outcome: str, seconds: float) -> None:
    attributes = {"checker": checker, "outcome": outcome}
    _checks.add(1, attributes)
    _check_seconds.record(seconds, attributes)


def check_reused(checker: str) -> None:
    _reused.add(1, {"checker": checker})


def refused(reason: str) -> None:
    _refusals.add(1, {"reason": reason})
