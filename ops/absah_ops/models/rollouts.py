"""Change a model's rollout: on a running server, or in the repository that servers follow."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import absah
from absah.admin.v1 import admin_service_pb2
from absah_sdk import AbsahError
from absah_server.core.models import Change, Rollout
from absah_server.inference import rollout
from absah_server.rpc.admin import models as conversion


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
        told = "; ".join(part for part in (action, reason, _in_words(figures or {})) if part)
        with absah.AdminClient(server) as admin:
            admin.set_rollout(
                directory.name,
                conversion.rollout_to_proto(wanted),
                reason=f"{told} (by {_user()})",
                digests=digests,
            )
        return
    why = Change(action=action, by=_user(), reason=reason, figures=figures or {})
    rollout.write(directory, wanted, why)


def roll_back(directory: Path, current: Rollout, *, reason: str, server: str | None) -> Rollout:
    """Go back one step and tell what holds now; raises as `change`, or `AbsahError`."""
    if server:
        with absah.AdminClient(server) as admin:
            told = f"{reason} (by {_user()})".strip()
            return _from_proto(admin.roll_back_model(directory.name, reason=told).rollout)
    wanted = current.rolled_back()
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
        share = f"{candidate.share:.0%}"
        notes.append(f"candidate {candidate.version} in {candidate.mode} mode, {share}")
    return f"version {rollout_.current}" + (f" ({'; '.join(notes)})" if notes else "")


def _from_proto(pb: admin_service_pb2.Rollout) -> Rollout:
    return conversion.rollout_from_proto(pb)


def _in_words(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in figures.items())


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
