"""An export of the audit log proves itself: whatever is altered in it is found, and where."""

from __future__ import annotations

import datetime
import io
from collections.abc import AsyncIterator

import pytest
from chains import head_of, make_chain, make_event, sealed
from hypothesis import given, settings
from hypothesis import strategies as st

from absah_server.core import audit_export
from absah_server.core.audit import Head, SealedEvent
from absah_server.core.errors import ChainBroken

TIME = datetime.datetime(2026, 2, 1, tzinfo=datetime.UTC)


async def export(
    events: list[SealedEvent], *, start: Head | None = None, head: Head | None = None
) -> bytes:
    async def pages() -> AsyncIterator[list[SealedEvent]]:
        for event in events:
            yield [event]

    start = start or Head()
    head = head or (head_of(events) if events else start)
    pieces = audit_export.write("default", pages(), head, start=start, time=TIME)
    return b"".join([piece async for piece in pieces])


def verify(content: bytes, anchor: bytes | None = None) -> audit_export.Verified:
    return audit_export.verify(io.BytesIO(content), anchor=anchor)


def broken(content: bytes) -> ChainBroken:
    with pytest.raises(ChainBroken) as raised:
        verify(content)
    return raised.value


async def test_an_export_is_verified_from_its_own_bytes() -> None:
    events = make_chain(4)
    found = verify(await export(events), anchor=events[1].hash)
    assert (found.tenant, found.first, found.events) == ("default", 1, 4)
    assert found.head == head_of(events)
    assert found.anchor_sequence == 2


async def test_an_export_may_begin_later_or_hold_nothing() -> None:
    events = make_chain(4)
    assert verify(await export(events[2:], start=head_of(events[:2]))).first == 3
    assert verify(await export([])).events == 0


async def test_every_altered_byte_is_found_on_its_line() -> None:
    content = await export(make_chain(3))
    for position in range(len(content)):
        line = content.count(b"\n", 0, position) + 1
        for mask in (0x01, 0x04, 0x20, 0x80):
            altered = bytearray(content)
            altered[position] ^= mask
            assert broken(bytes(altered)).line == line, (position, mask)


async def test_an_altered_event_is_named_by_line_and_sequence() -> None:
    content = await export(make_chain(5))
    found = broken(content.replace(b'"attempt":3', b'"attempt":4'))
    assert (found.line, found.sequence) == (4, 3)
    assert found.problem.startswith("its content was altered: the hash is ")


async def test_an_altered_hash_is_told_from_altered_content() -> None:
    events = make_chain(5)
    content = await export(events)
    hash_member = b'"hash":"' + events[2].hash.hex().encode()
    found = broken(content.replace(hash_member, b'"hash":"' + b"0" * 64))
    assert (found.line, found.sequence) == (4, 3)
    assert found.problem.startswith("its hash was altered: ")


async def test_a_lost_line_is_named() -> None:
    lines = (await export(make_chain(5))).splitlines(keepends=True)
    for number in range(1, 6):
        found = broken(b"".join(lines[:number] + lines[number + 1 :]))
        assert (found.line, found.sequence) == (number + 1, number)


async def test_a_file_that_was_cut_or_goes_on_is_found() -> None:
    content = await export(make_chain(3))
    for end in range(len(content)):
        assert broken(content[:end]).line == content.count(b"\n", 0, end) + 1
    assert "more after the head" in broken(content + b"\n").problem


async def test_an_end_that_was_cut_off_with_a_new_head_lacks_the_anchored_hash() -> None:
    events = make_chain(5)
    shorter = await export(events[:3])
    verify(shorter)
    with pytest.raises(ChainBroken, match="no event has the anchored hash"):
        verify(shorter, anchor=events[4].hash)


async def test_what_is_no_export_is_refused_in_words() -> None:
    assert "no JSON" in broken(b"halo\n").problem
    assert "lines are missing" in broken(b"").problem
    assert "too long" in broken(b" " * (audit_export.MAX_LINE_BYTES + 5)).problem
    assert "no JSON" in broken(b"[" * 100_000 + b"\n").problem


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(), json_values, max_size=3), max_size=4))
@settings(max_examples=100, deadline=None)
async def test_any_details_can_be_exported(details: list[dict[str, object]]) -> None:
    events = sealed([make_event(n, details=d) for n, d in enumerate(details, 1)])
    assert verify(await export(events)).events == len(details)
