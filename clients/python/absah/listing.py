"""Requests for lists of validations."""

from __future__ import annotations

import datetime
from typing import Any

from absah.v1 import validation_pb2, validation_service_pb2


def list_request(
    *,
    state: str,
    decision: str,
    policy: str,
    request_id: str,
    start_time: datetime.datetime | None,
    end_time: datetime.datetime | None,
    page_size: int,
) -> validation_service_pb2.ListValidationsRequest:
    """A request for the first page; raises ValueError for an unknown state or decision."""
    made = validation_service_pb2.ListValidationsRequest(page_size=page_size)
    wanted = made.filter
    if state:
        wanted.state = _value(validation_pb2.State, f"STATE_{state.upper()}")
    if decision:
        wanted.decision = _value(validation_pb2.Decision, f"DECISION_{decision.upper()}")
    wanted.policy = policy
    wanted.request_id = request_id
    if start_time:
        wanted.start_time.FromDatetime(start_time)
    if end_time:
        wanted.end_time.FromDatetime(end_time)
    return made


def _value(kind: Any, name: str) -> Any:
    return kind.Value(name)
