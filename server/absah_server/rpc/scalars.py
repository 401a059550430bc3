"""Read texts, times and numbers that a caller chose, so that what is kept can hold them."""

from __future__ import annotations

import datetime
import re

from google.protobuf import duration_pb2, timestamp_pb2

from absah_server.core.errors import RequestInvalid

MAX_NUMBER = 2**63 - 1
MAX_SECONDS = 100 * 365 * 86_400.0
_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)


def verify_texts(texts: dict[str, str]) -> None:
    """Refuse a zero character, which PostgreSQL has no text for; `texts` are by their fields.

    Raises `RequestInvalid`.
    """
    problems = [(field, "must not hold a zero") for field, text in texts.items() if "\0" in text]
    if problems:
        raise RequestInvalid(*problems)


def time_from_proto(pb: timestamp_pb2.Timestamp, field: str) -> datetime.datetime:
    """Raises `RequestInvalid` for what is no time of the years 1 to 9999."""
    try:
        return pb.ToDatetime(tzinfo=datetime.UTC)
    except (ValueError, OverflowError) as exc:
        raise RequestInvalid((field, "is no time of the calendar")) from exc


def seconds_from_proto(pb: duration_pb2.Duration, field: str) -> float:
    """From 0 to a hundred years; raises `RequestInvalid` for anything else."""
    try:
        seconds = pb.ToTimedelta().total_seconds()
    except (ValueError, OverflowError):
        seconds = -1.0
    if not 0 <= seconds <= MAX_SECONDS:
        raise RequestInvalid((field, "must be from 0 to 100 years"))
    return seconds


def number(written: str) -> int:
    """From 0 to 2^63 - 1, as a page token holds it; raises ValueError for anything else."""
    if not _NUMBER.fullmatch(written) or int(written) > MAX_NUMBER:
        raise ValueError("it is no number of an item")
    return int(written)
