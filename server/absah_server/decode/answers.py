"""Read what a worker answered, which may be anything at all."""

from __future__ import annotations

import json
import logging
import re
import signal
from dataclasses import dataclass
from typing import Any, BinaryIO

from absah_sdk import AbsahError, DocumentUnreadable
from absah_server.decode import codec, memory
from absah_server.decode.limits import MIB, DecodeLimits

log = logging.getLogger(__name__)

TOOK_TOO_LONG = -1
"""In place of a signal: the worker was killed when its time on the clock was up."""

_MAX_REASON_CHARACTERS = 500
_IDENTIFIER = re.compile(r"[\w.:]{1,200}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A worker's message, empty where it ended without one, and the signal that ended it."""

    message: bytes
    ended_by: int


class IsolatedCallFailed(AbsahError):
    """An isolated function raised something that says nothing about the document.

    `error` is the name of its class and `place` the module and line, never its text.
    """

    def __init__(self, *, error: str, place: str) -> None:
        super().__init__(f"the isolated function raised {error} at {place}")
        self.error = error
        self.place = place


def value(answer: Answer, out: BinaryIO, limits: DecodeLimits) -> Any:
    """Return the value that was answered, or raise what was answered instead."""
    if not answer.message:
        log.warning("decoder died", extra={"ended_by": answer.ended_by})
        raise DocumentUnreadable(_why_it_died(answer.ended_by, limits))
    try:
        told = json.loads(answer.message)
    except (ValueError, RecursionError) as exc:
        raise subverted() from exc
    match told:
        case {"offset": int(offset), "length": int(length)}:
            try:
                return codec.read(memory.frozen_view(out), offset, length)
            except codec.Malformed as exc:
                raise subverted() from exc
        case {"unreadable": str(reason)}:
            raise DocumentUnreadable(_printable(reason))
        case {"exhausted": "memory"}:
            raise DocumentUnreadable(_too_much_memory(limits))
        case {"failed": str(error), "at": str(place)}:
            raise IsolatedCallFailed(error=_identifier(error), place=_identifier(place))
    raise subverted()


def subverted() -> DocumentUnreadable:
    """Make the error for an answer that no honest worker gives."""
    log.error("decoder answered nonsense; the document may have taken it over")
    return DocumentUnreadable("The file made its decoder fail; it may have been made to do harm.")


def _why_it_died(ended_by: int, limits: DecodeLimits) -> str:
    if ended_by == signal.SIGXCPU:
        return (
            f"The file takes more than {limits.cpu_seconds} seconds of processor time to read "
            "(setting decode.cpu_seconds)."
        )
    if ended_by == TOOK_TOO_LONG:
        return (
            f"The file takes more than {limits.wall_seconds:g} seconds to read "
            "(setting decode.wall_seconds)."
        )
    if ended_by == signal.SIGKILL:
        return "The machine ran short of memory while it read the file, twice; send a smaller one."
    return "The file made its decoder crash; it is damaged or was made to do harm."


def _too_much_memory(limits: DecodeLimits) -> str:
    return (
        f"The file takes more than {limits.memory_bytes // MIB} MiB of memory to read "
        "(setting decode.memory_bytes)."
    )


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text[:_MAX_REASON_CHARACTERS])


def _identifier(text: str) -> str:
    return text if _IDENTIFIER.fullmatch(text) else "?"
