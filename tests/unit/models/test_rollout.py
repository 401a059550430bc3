"""Which version answers is read from a file, each mistake in it told by its field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from absah_server.core.errors import ModelInvalid
from absah_server.core.models import Candidate, Change, Mode, Rollout
from absah_server.inference import rollout

SHADOW = Candidate(version="2", mode=Mode.SHADOW, share=0.1)


def write(directory: Path, **fields: Any) -> None:
    rollout.path(directory).write_text(json.dumps({"current": "1", **fields}))


def test_a_rollout_reads_as_it_was_written(tmp_path: Path) -> None:
    written = Rollout(current="3", previous="1", candidate=SHADOW)
    rollout.write(tmp_path, written, Change(action="shadow", by="a test"))
    assert rollout.read(tmp_path) == written


def test_a_model_without_the_file_has_no_rollout(tmp_path: Path) -> None:
    assert rollout.read(tmp_path) is None
    assert rollout.history(tmp_path) == ()


def test_every_change_is_remembered_with_its_reason_and_figures(tmp_path: Path) -> None:
    for version in "12":
        change = Change(action="promote", by="ani", reason="forced: fire", figures={"F1": 0.5})
        rollout.write(tmp_path, Rollout(current=version), change)
    first, second = rollout.history(tmp_path)
    assert (first["rollout"]["current"], second["rollout"]["current"]) == ("1", "2")
    assert (second["by"], second["reason"]) == ("ani", "forced: fire")
    assert second["figures"] == {"F1": 0.5}


def test_the_history_does_not_grow_for_ever(tmp_path: Path) -> None:
    for number in range(rollout.MOST_CHANGES + 5):
        rollout.write(tmp_path, Rollout(current="1"), Change(action=str(number), by="a test"))
    changes = rollout.history(tmp_path)
    assert len(changes) == rollout.MOST_CHANGES
    assert changes[-1]["action"] == str(rollout.MOST_CHANGES + 4)


def test_a_reader_never_sees_half_a_file_nor_leftovers(tmp_path: Path) -> None:
    rollout.write(tmp_path, Rollout(current="1"), Change(action="promote", by="a test"))
    assert [path.name for path in tmp_path.iterdir()] == [rollout.ROLLOUT_NAME]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"current": "../1"}, "current"),
        ({"current": 1}, "current"),
        ({"current": "01"}, "current"),
        ({"previous": "latest"}, "previous"),
        ({"candidate": "2"}, "candidate"),
        ({"candidate": {"version": "2", "mode": "dark", "share": 0.1}}, "candidate.mode"),
        ({"candidate": {"version": "2", "mode": "shadow", "share": 0}}, "candidate.share"),
        ({"candidate": {"version": "2", "mode": "shadow", "share": True}}, "candidate.share"),
        ({"candidate": {"version": "2", "mode": "canary", "share": 1.5}}, "candidate.share"),
        ({"candidate": {"version": "1", "mode": "canary", "share": 0.5}}, "candidate.version"),
    ],
)
def test_a_mistake_is_told_with_its_field(
    tmp_path: Path, fields: dict[str, Any], place: str
) -> None:
    write(tmp_path, **fields)
    with pytest.raises(ModelInvalid) as caught:
        rollout.read(tmp_path)
    assert caught.value.field == place
    assert caught.value.file == str(rollout.path(tmp_path))


@pytest.mark.parametrize("share", [float("nan"), float("inf"), 0.0])
def test_what_could_not_be_read_again_is_not_written(tmp_path: Path, share: float) -> None:
    change = Change(action="canary", by="a test")
    rollout.write(tmp_path, Rollout(current="1"), change)
    trial = Candidate(version="2", mode=Mode.CANARY, share=share)
    with pytest.raises(ModelInvalid) as caught:
        rollout.write(tmp_path, Rollout(current="1", candidate=trial), change)
    assert caught.value.field == "candidate.share"
    assert rollout.read(tmp_path) == Rollout(current="1")
    assert len(rollout.history(tmp_path)) == 1


@pytest.mark.parametrize("text", ["{", "[]", "null"])
def test_a_file_that_is_no_object_is_told(tmp_path: Path, text: str) -> None:
    rollout.path(tmp_path).write_text(text)
    with pytest.raises(ModelInvalid, match=r"rollout\.json"):
        rollout.read(tmp_path)


def test_promoting_remembers_what_served() -> None:
    assert Rollout(current="1", previous="7").promoted("2") == Rollout(current="2", previous="1")


def test_promoting_what_serves_ends_the_trial_alone() -> None:
    before = Rollout(current="1", previous="7", candidate=SHADOW)
    assert before.promoted("1") == Rollout(current="1", previous="7")


def test_rolling_back_ends_a_trial_before_it_changes_the_version() -> None:
    before = Rollout(current="1", previous="7", candidate=SHADOW)
    ended = before.rolled_back()
    assert ended == Rollout(current="1", previous="7")
    assert ended.rolled_back() == Rollout(current="7", previous="1")


def test_what_never_changed_cannot_be_rolled_back() -> None:
    assert Rollout(current="1").rolled_back() is None
