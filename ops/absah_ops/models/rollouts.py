"""Change a model's rollout: on a running server, or in the repository that servers follow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from absah_ops import calling
from absah_ops.models import addresses
from absah_sdk import AbsahError
from absah_server.core.models import Change, Rollout
from absah_server.inference import rollout
from absah_server.rpc.admin import models as conversion


class Finite(click.FloatRange):
    """A range of numbers; NaN, which no bound keeps out, and infinity are in none."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no finite number.", param, ctx)
        return number


def now(directory: Path, server: str | None, *, or_written: bool = False) -> Rollout:
    """What holds, on a server where one is named; raises `CallFailed` or `AbsahError`.

    Of a model that the server does not serve it is what is written here, if `or_written`.
    """
    if not server:
        return addresses.rollout_of(directory)
    with calling.admin(server, "", None) as admin:
        served = admin.model(directory.name)
    if not served.HasField("rollout"):
        if or_written:
            return addresses.rollout_of(directory)
        raise AbsahError(f"{server} does not serve {directory.name}: {served.problem}")
    return conversion.rollout_from_proto(served.rollout)


def change(
    directory: Path,
    wanted: Rollout,
    *,
    action: str,
    reason: str,
    server: str | None,
    figures: Mapping[str, Any] | None = None,
    digests: Mapping[str, str] | None = None,
) -> None:
    """Let a rollout hold; raises `CallFailed`, OSError or `ModelInvalid`.

    `digests` are what the versions must have on the server.
    """
    if server:
        told = "; ".join(part for part in (reason, _in_words(figures or {})) if part)
        with calling.admin(server, "", None) as admin:
            admin.set_rollout(
                directory.name,
                conversion.rollout_to_proto(wanted),
                reason=told,
                digests=digests,
            )
        return
    why = Change(action=action, by=calling.login(), reason=reason, figures=figures or {})
    rollout.write(directory, wanted, why)


def roll_back(directory: Path, *, reason: str, server: str | None) -> Rollout:
    """Go back one step and tell what holds now; raises as `change`, or `AbsahError`.

    A server is asked without a look at what it serves: it may be nothing of this model, which is
    when a way back is needed most.
    """
    if server:
        with calling.admin(server, "", None) as admin:
            served = admin.roll_back_model(directory.name, reason=reason)
        return conversion.rollout_from_proto(served.rollout)
    wanted = addresses.rollout_of(directory).rolled_back()
    if wanted is None:
        raise AbsahError(
            f"the model {directory.name} has neither a candidate nor a previous version"
        )
    change(directory, wanted, action="rollback", reason=reason, server=None)
    return wanted


def in_words(rollout_: Rollout) -> str:
    """Such as "version 2 (before: 1; candidate 3 in shadow mode, 10 %)"."""
    notes = []
    if rollout_.previous:
        notes.append(f"before: {rollout_.previous}")
    if candidate := rollout_.candidate:
        share = f"{100 * candidate.share:.3g} %"
        notes.append(f"candidate {candidate.version} in {candidate.mode} mode, {share}")
    return f"version {rollout_.current}" + (f" ({'; '.join(notes)})" if notes else "")


def _in_words(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in figures.items())
