"""What a message says of its past, which anyone may have written."""

from __future__ import annotations

import datetime
from typing import Any

import pika
import pytest

from absah_bridge.delivery import dead_letters


def make_properties(message_id: str = "M-1", **headers: Any) -> pika.BasicProperties:
    return pika.BasicProperties(message_id=message_id, headers=headers)


def test_a_message_that_was_set_aside_is_as_old_as_that() -> None:
    then = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    properties = make_properties(**{"x-absah-first-time": then.isoformat(timespec="seconds")})
    assert 3600 <= dead_letters.age_seconds(properties) < 3700
    assert dead_letters.has_story(properties)
    waiting = dead_letters.for_retry(b"", properties, queue="q", delay_seconds=1, attempt=1)
    assert dead_letters.age_seconds(waiting.properties) >= 3600


@pytest.mark.parametrize(
    "told", [None, 7, b"2026-05-04T03:02:01+00:00", "kemarin", "2026-05-04T03:02:01", "9999-01-01Z"]
)
def test_a_message_that_does_not_say_since_when_is_new(told: Any) -> None:
    assert dead_letters.age_seconds(make_properties(**{"x-absah-first-time": told})) == 0


def test_a_message_that_is_redriven_is_new() -> None:
    properties = make_properties(**{"x-absah-first-time": "2026-05-04T03:02:01+00:00"})
    again = dead_letters.for_redriving(b"", properties, queue="q").properties
    assert dead_letters.age_seconds(again) == 0
    assert dead_letters.has_story(again)


def test_a_message_is_named_by_what_of_its_id_can_be_shown() -> None:
    assert dead_letters.key_of(b"", make_properties("LK/2026/04 é")) == "LK/2026/04 é"
    assert dead_letters.key_of(b"", make_properties("a\0b\x1b[2J")) == "a?b?[2J"
