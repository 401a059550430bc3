"""The chain of the audit log: what its hashes cover, and what is found when it was altered."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from chains import head_of, make_chain, make_event, sealed

from absah_server.core import chain
from absah_server.core.audit import Head, SealedEvent
from absah_server.core.errors import ChainBroken


def follow(events: Sequence[SealedEvent], head: Head, **options: Any) -> chain.Verifier:
    verifier = chain.Verifier("default", **options)
    for event in events:
        verifier.add(event)
    verifier.end(head)
    return verifier


def broken(events: Sequence[SealedEvent], head: Head, **options: Any) -> ChainBroken:
    with pytest.raises(ChainBroken) as raised:
        follow(events, head, **options)
    return raised.value


def test_the_hash_is_that_of_the_documented_form() -> None:
    event = make_event(
        1, details={"b": 1.0, "a": "Rp\u00a0é\n", "\U0001f600": None, "\ufb33": 1e21}
    )
    written = (
        '{"action":"validation.decided","actor":"kecamatan","details":{"a":"Rp\u00a0é\\n","b":1,'
        '"\U0001f600":null,"\ufb33":1e+21},"id":1,"previous":"' + "0" * 64 + '","sequence":1,'
        f'"subject":"validations/{1:032x}","tenant":"default","time":"2026-01-31T23:59:59.000001Z"}}'
    )
    expected = hashlib.sha256(written.encode()).digest()
    assert chain.digest(event, sequence=1, previous=bytes(32)) == expected


def test_a_whole_chain_is_followed_to_its_head() -> None:
    events = make_chain(5)
    verifier = follow(events, head_of(events), anchor=events[2].hash)
    assert verifier.last == head_of(events)
    assert verifier.anchor_sequence == 3


def test_each_tenant_has_a_chain_of_its_own() -> None:
    events = [make_event(1), make_event(2, tenant="desa"), make_event(3)]
    places, ends = chain.seal(events, {"desa": Head(sequence=7, hash=b"\x01" * 32)})
    assert [places[n].sequence for n in (1, 2, 3)] == [1, 8, 2]
    assert {tenant: end.sequence for tenant, end in ends.items()} == {"default": 2, "desa": 8}


def test_an_event_without_canonical_form_holds_up_no_other() -> None:
    events = [make_event(1), make_event(2, details={"n": float("inf")}), make_event(3)]
    places, ends = chain.seal(events, {})
    assert places.keys() == {1, 3}
    assert ends["default"].sequence == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", 99),
        ("actor", "orang lain"),
        ("action", "validation.cancelled"),
        ("subject", "validations/0"),
        ("details", {"decision": "REJECT", "attempt": 3, "score": 0.5}),
        ("details", {"n": float("nan")}),
        ("time", "2026-01-31T23:59:59.000004Z"),
        ("tenant", "desa"),
        ("sequence", 4),
        ("hash", b"\x02" * 32),
    ],
)
@pytest.mark.parametrize("place", [1, 3, 5])
def test_an_altered_field_is_found_where_it_is(place: int, field: str, value: Any) -> None:
    events = make_chain(5)
    if field == "sequence":
        value = 9
    events[place - 1] = replace(events[place - 1], **{field: value})
    found = broken(events, head_of(make_chain(5)))
    assert found.sequence == place
    if field in ("tenant", "hash", "sequence"):
        assert field in found.problem


def test_an_event_that_was_taken_out_is_missed() -> None:
    events = make_chain(5)
    found = broken(events[:2] + events[3:], head_of(events))
    assert found.sequence == 3
    assert found.problem == "events are missing: the next one has sequence 4"


def test_events_that_were_exchanged_are_found() -> None:
    events = make_chain(5)
    events[1], events[2] = replace(events[2], sequence=2), replace(events[1], sequence=3)
    assert broken(events, head_of(events)).sequence == 2


def test_a_missing_end_is_found_by_the_head() -> None:
    events = make_chain(5)
    found = broken(events[:3], head_of(events))
    assert found.sequence == 4
    assert found.problem == "the last events are missing, up to sequence 5"


def test_a_log_that_was_written_anew_lacks_the_anchored_hash() -> None:
    anchor = make_chain(5)[-1].hash
    anew = sealed([make_event(number, actor="orang lain") for number in range(1, 6)])
    follow(anew, head_of(anew))
    assert "no event has the anchored hash" in broken(anew, head_of(anew), anchor=anchor).problem


def test_numbers_are_read_as_doubles() -> None:
    assert chain.parse("[1, -7, 1.0, 9007199254740993, 1" + "0" * 5000 + "]")[:2] == [1, -7]
    assert chain.canonical(chain.parse("100000000000000000000")) == b"100000000000000000000"
    with pytest.raises(ValueError, match="no JSON"):
        chain.parse("NaN")
    with pytest.raises(ValueError, match="deeply"):
        chain.parse("[" * 100_000 + "]" * 100_000)
