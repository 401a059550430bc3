"""Every message is answered once in effect or parked, whatever fails; the proof of it is true."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from rabbitmq import RabbitMq
from robustness.bridging import faults, suite
from robustness.bridging.history import Answered, History, Parked, Sent, defects


async def test_nothing_is_lost_or_answered_differently_twice_whatever_fails(
    node: RabbitMq,
) -> None:
    plan = [
        faults.kills_bridge("accepted"),
        faults.CUT,
        faults.NO_DATABASE,
        faults.kills_bridge("published"),
        faults.RESTARTED,
        faults.NO_CORE,
    ]
    # Not below pytest's folder, which every run of pytest closes anew to PostgreSQL's own user.
    with tempfile.TemporaryDirectory(prefix="absah-faults-") as folder:
        run = await suite.run(node=node, folder=Path(folder), messages=250, faults=plan, seed=1)
        logs = "\n".join(file.read_text()[-3000:] for file in Path(folder).glob("*.log"))
    assert not run.defects, logs
    assert run.struck == {fault.name: 1 for fault in plan}
    assert len(run.history.sent) == 250


def make_history(*events: Answered | Parked) -> History:
    """A history of two messages: 1 is to be answered, 2 cannot be read."""
    made = History()
    made.sent = {"1": Sent(id="1", answer=b"ya"), "2": Sent(id="2", cause="BAD_VALUE")}
    for event in events:
        made.add(event)
    return made


ANSWER = Answered(id="1", answer_id="a", body=b"ya")
PARKED = Parked(id="2", cause="BAD_VALUE")


def test_a_history_that_keeps_the_promise_has_no_defects() -> None:
    assert defects(make_history(ANSWER, PARKED)) == []
    # Answers may come twice, if they are the same.
    assert defects(make_history(ANSWER, ANSWER, PARKED, PARKED)) == []


@pytest.mark.parametrize(
    ("events", "defect"),
    [
        ((PARKED,), "lost: 1"),
        ((ANSWER,), "lost: 2"),
        (
            (ANSWER, Answered(id="1", answer_id="a", body=b"bukan"), PARKED),
            "answered differently twice: 1",
        ),
        (
            (ANSWER, Answered(id="1", answer_id="b", body=b"ya"), PARKED),
            "answered differently twice: 1",
        ),
        ((Answered(id="1", answer_id="a", body=b"bukan"), PARKED), "answered wrongly: 1"),
        ((ANSWER, Parked(id="1", cause="NOT_ROUTED"), PARKED), "answered and parked: 1"),
        ((Parked(id="1", cause="NOT_ROUTED"), PARKED), "parked for NOT_ROUTED: 1"),
        ((ANSWER, Parked(id="2", cause="")), "parked without a reason: 2"),
        ((ANSWER, Parked(id="2", cause="MISSING_FIELD")), "parked with another reason: 2"),
        (
            (ANSWER, Answered(id="2", answer_id="b", body=b"ya")),
            "answered though it cannot be read: 2",
        ),
        (
            (ANSWER, PARKED, Answered(id="3", answer_id="c", body=b"ya")),
            "answered though it was never sent: 3",
        ),
    ],
)
def test_a_history_that_was_doctored_is_found_out(
    events: tuple[Answered | Parked, ...], defect: str
) -> None:
    assert defect in defects(make_history(*events))
