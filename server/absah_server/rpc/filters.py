"""Read from messages which validations to list."""

from __future__ import annotations

from absah.v1 import validation_pb2, validation_service_pb2
from absah_server.core.errors import RequestInvalid
from absah_server.core.listing import ValidationFilter
from absah_server.rpc import conversion, scalars


def filter_from_proto(pb: validation_service_pb2.ValidationFilter) -> ValidationFilter:
    """Raises `RequestInvalid` for an unknown enum or a time that is none."""
    states = {number: state for state, number in conversion.STATES.items()}
    decisions = {
        getattr(validation_pb2, name): decision for decision, name in conversion.DECISIONS.items()
    }
    problems = [
        (f"filter.{field}", f"{number} is no {field}")
        for field, number, known in (
            ("state", pb.state, states),
            ("decision", pb.decision, decisions),
        )
        if number and number not in known
    ]
    if problems:
        raise RequestInvalid(*problems)
    scalars.verify_texts({"filter.policy": pb.policy, "filter.request_id": pb.request_id})
    return ValidationFilter(
        state=states.get(pb.state),
        decision=decisions.get(pb.decision),
        policy=pb.policy.removeprefix("policies/"),
        request_id=pb.request_id,
        start_time=scalars.time_from_proto(pb.start_time, "filter.start_time")
        if pb.HasField("start_time")
        else None,
        end_time=scalars.time_from_proto(pb.end_time, "filter.end_time")
        if pb.HasField("end_time")
        else None,
    )
