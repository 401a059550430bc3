"""What is said of a message while it waits, and what is no longer true of it afterwards."""

from __future__ import annotations

import datetime
from typing import Any

import pika
import pytest

from absah_bridge.delivery import dead_letters
from absah_bridge.delivery.amqp import Publication
from absah_bridge.errors import Cause, MessageInvalid

NOW = datetime.datetime(2026, 5, 4, 3, 2, 1, tzinfo=datetime.UTC)
BROKERS = {"x-delivery-count": 7, "x-death": [{"count": 1}], "x-first-death-reason": "expired"}


def make_properties(**headers: Any) -> pika.BasicProperties:
    return pika.BasicProperties(
        message_id="M-1",
        reply_to="jawaban",
        expiration="60000",
        user_id="simpeg",
        headers={"asal": "kecamatan", **headers},
    )


def parked(properties: pika.BasicProperties) -> Publication:
    return dead_letters.for_parking(
        b"isi",
        properties,
        system="simpeg",
        queue="laporan",
        key="M-1",
        error=MessageInvalid(Cause.BAD_VALUE, "p" * 2000, field="nik", position="line 1"),
        now=NOW,
    )


def test_a_message_waits_with_all_that_it_came_with_but_what_would_end_its_waiting() -> None:
    made = dead_letters.for_retry(
        b"isi", make_properties(**BROKERS), queue="laporan", delay_seconds=0.5, attempt=2
    )
    assert made.routing_key == "laporan.retry.0.5"
    assert (made.properties.message_id, made.properties.reply_to) == ("M-1", "jawaban")
    assert made.properties.expiration is None
    assert made.properties.user_id is None
    assert made.properties.headers["asal"] == "kecamatan"
    assert dead_letters.attempt_of(made.properties) == 2
    assert dead_letters.deliveries_of(made.properties) == 0
    assert not made.properties.headers.keys() & BROKERS.keys()


def test_a_parked_message_says_why_and_since_when() -> None:
    made = parked(make_properties())
    headers = made.properties.headers
    assert made.routing_key == "laporan.parked"
    assert (headers["x-absah-cause"], headers["x-absah-field"]) == ("BAD_VALUE", "nik")
    assert headers["x-absah-park-time"] == "2026-05-04T03:02:01+00:00"
    assert len(headers["x-absah-problem"]) == dead_letters.MAX_PROBLEM


def test_a_redriven_message_begins_anew_and_knows_how_often() -> None:
    once = dead_letters.for_redriving(
        b"isi", parked(make_properties(**{"x-absah-attempt": 4})).properties, queue="laporan"
    )
    assert dead_letters.attempt_of(once.properties) == 1
    assert dead_letters.redriven_of(once.properties) == 1
    assert "x-absah-cause" not in once.properties.headers
    assert once.properties.headers["asal"] == "kecamatan"
    assert dead_letters.has_story(once.properties)
    again = dead_letters.for_redriving(b"isi", parked(once.properties).properties, queue="laporan")
    assert dead_letters.redriven_of(again.properties) == 2


@pytest.mark.parametrize("value", ["2", -1, 0, None, b"x"])
def test_headers_that_others_made_up_count_as_the_first_attempt(value: Any) -> None:
    properties = make_properties(**{"x-absah-attempt": value, "x-absah-redriven": value})
    assert dead_letters.attempt_of(properties) == 1
    assert dead_letters.redriven_of(properties) == 0


def test_a_message_without_an_id_is_named_by_its_body() -> None:
    key = dead_letters.key_of(b"isi", pika.BasicProperties())
    assert key.startswith("body:")
    assert key == dead_letters.key_of(b"isi", pika.BasicProperties())
    assert key != dead_letters.key_of(b"lain", pika.BasicProperties())
