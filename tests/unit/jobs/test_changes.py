"""Followers of a validation are told of its changes, and forgotten when they leave."""

from __future__ import annotations

import uuid

from absah_server.store.notifications import Notifications, ValidationChanges

ONE, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)


def make_changes() -> tuple[Notifications, ValidationChanges]:
    notifications = Notifications("", channels=("changes",))
    changes = ValidationChanges(notifications, "changes")
    changes.start()
    return notifications, changes


def test_a_change_is_told_to_those_who_follow_the_validation_alone() -> None:
    notifications, changes = make_changes()
    with changes.following(ONE) as one, changes.following(OTHER) as other:
        notifications.tell("changes", ONE.hex)
        assert one.is_set()
        assert not other.is_set()


def test_after_a_break_everybody_is_told() -> None:
    notifications, changes = make_changes()
    with changes.following(ONE) as one, changes.following(OTHER) as other:
        notifications.tell("changes", None)
        assert one.is_set()
        assert other.is_set()


def test_who_leaves_is_forgotten() -> None:
    _, changes = make_changes()
    with changes.following(ONE), changes.following(ONE):
        assert changes.followed == 1
    assert changes.followed == 0
