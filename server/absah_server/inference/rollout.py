"""Which version of a model answers: rollout.json, beside the model's versions.

    {"current": "1", "previous": null,
     "candidate": {"version": "2", "mode": "shadow", "share": 0.1},
     "history": [{"time": …, "action": …, "by": …, "reason": …, "rollout": …, "figures": …}]}

Without that file the highest version answers, as in Triton. A running server reads it again when
it changes. `history` holds the latest changes, newest last.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from absah_server.core.errors import ModelInvalid
from absah_server.core.models import Candidate, Change, Mode, Rollout
from absah_server.inference import whole_files

ROLLOUT_NAME = "rollout.json"
MOST_CHANGES = 100
VERSION = re.compile("[1-9][0-9]*")
"""What Triton takes for a version's folder: a number that does not begin with zero."""
Stamp = tuple[int, int, int] | None
"""Time, size and place of a rollout's file, None where there is none."""


def path(directory: Path) -> Path:
    """Where the rollout of the model in `directory` lies."""
    return directory / ROLLOUT_NAME


def stamp(directory: Path) -> Stamp:
    """What changes whenever the rollout of the model in `directory` is written."""
    try:
        found = path(directory).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def read(directory: Path) -> Rollout | None:
    """The rollout of a model, None where none is written; raises `ModelInvalid`."""
    stored = _stored(directory)
    return None if stored is None else _Reader(directory).rollout(stored)


def history(directory: Path) -> Sequence[Mapping[str, Any]]:
    """The latest changes, newest last; raises `ModelInvalid`."""
    return tuple((_stored(directory) or {}).get("history", ()))


def write(directory: Path, rollout: Rollout, change: Change) -> None:
    """Write a rollout and add the change to the history.

    Raises OSError, or `ModelInvalid`, also where nobody could read it again.
    """
    _Reader(directory).rollout(_plain(rollout))
    entry = {
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "action": change.action,
        "by": change.by,
        "reason": change.reason,
        "rollout": _plain(rollout),
        "figures": dict(change.figures),
    }
    changes = [*history(directory), entry][-MOST_CHANGES:]
    text = json.dumps({**_plain(rollout), "history": changes}, indent=2, ensure_ascii=False)
    whole_files.write(path(directory), text + "\n")


def _plain(rollout: Rollout) -> dict[str, Any]:
    candidate = rollout.candidate
    return {
        "current": rollout.current,
        "previous": rollout.previous,
        "candidate": candidate
        and {"version": candidate.version, "mode": candidate.mode, "share": candidate.share},
    }


def _stored(directory: Path) -> dict[str, Any] | None:
    file = path(directory)
    try:
        stored = whole_files.read_json(file, model=directory.name)
    except FileNotFoundError:
        return None
    if not isinstance(stored, dict):
        raise ModelInvalid(model=directory.name, file=str(file), problem="is no JSON object")
    return stored


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the fields of one file, naming each mistake."""

    directory: Path

    def rollout(self, stored: Mapping[str, Any]) -> Rollout:
        previous, candidate = stored.get("previous"), stored.get("candidate")
        read = Rollout(
            current=self._version("current", stored.get("current")),
            previous=None if previous is None else self._version("previous", previous),
            candidate=None if candidate is None else self._candidate(candidate),
        )
        if read.candidate is not None and read.candidate.version == read.current:
            raise self._invalid("candidate.version", "is the current version")
        return read

    def _candidate(self, stored: Any) -> Candidate:
        if not isinstance(stored, dict):
            raise self._invalid("candidate", "is no object")
        if stored.get("mode") not in list(Mode):
            raise self._invalid(
                "candidate.mode", f"is {stored.get('mode')!r}, not one of " + ", ".join(Mode)
            )
        share = stored.get("share")
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
            raise self._invalid("candidate.share", f"is {share!r}, not above 0 and at most 1")
        return Candidate(
            version=self._version("candidate.version", stored.get("version")),
            mode=Mode(stored["mode"]),
            share=float(share),
        )

    def _version(self, place: str, value: Any) -> str:
        if not isinstance(value, str) or not VERSION.fullmatch(value):
            raise self._invalid(place, f"is {value!r}, which is no version")
        return value

    def _invalid(self, place: str, problem: str) -> ModelInvalid:
        return ModelInvalid(
            model=self.directory.name,
            file=str(path(self.directory)),
            field=place,
            problem=problem,
        )
