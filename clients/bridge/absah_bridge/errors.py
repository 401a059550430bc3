"""What can be wrong with a message, and with the configuration that reads it."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from pathlib import Path


class Cause(enum.StrEnum):
    """Why a message is parked; dead letters are grouped by it."""

    NOT_WELL_FORMED = "NOT_WELL_FORMED"
    """The bytes are not of the form that the codec reads."""
    FORBIDDEN_CONSTRUCT = "FORBIDDEN_CONSTRUCT"
    """A document type, entity or external reference in XML."""
    WRONG_CHARSET = "WRONG_CHARSET"
    SCHEMA_VIOLATION = "SCHEMA_VIOLATION"
    WRONG_LENGTH = "WRONG_LENGTH"
    """A record of a fixed width has another one."""
    COUNT_MISMATCH = "COUNT_MISMATCH"
    """A trailer counts other than what came."""
    MISSING_FIELD = "MISSING_FIELD"
    BAD_VALUE = "BAD_VALUE"
    UNKNOWN_CODE = "UNKNOWN_CODE"
    """A code that is not in its table."""
    MISSING_ATTACHMENT = "MISSING_ATTACHMENT"
    ATTACHMENT_TOO_LARGE = "ATTACHMENT_TOO_LARGE"
    ATTACHMENT_REFUSED = "ATTACHMENT_REFUSED"
    """A reference to a place that is not allowed."""
    MESSAGE_TOO_LARGE = "MESSAGE_TOO_LARGE"
    REQUEST_REFUSED = "REQUEST_REFUSED"
    """The core will never accept it as it is."""
    VALIDATION_FAILED = "VALIDATION_FAILED"
    """It was accepted and could not be validated."""
    ANSWER_FAILED = "ANSWER_FAILED"
    """The verdict cannot be told in the system's words."""
    NOT_ROUTED = "NOT_ROUTED"
    """No queue takes the answer."""
    RETRIES_EXHAUSTED = "RETRIES_EXHAUSTED"
    DELIVERY_LIMIT = "DELIVERY_LIMIT"
    """It was delivered again and again and never came to an end: it may be what ends the bridge."""


_UNFIT = re.compile("[^ -~\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _told(name: str) -> str:
    """A name from a message as logs and headers can hold it."""
    return _UNFIT.sub("?", name)[:200]


class BridgeError(Exception):
    """Base of what the bridge itself raises."""


class MessageInvalid(BridgeError):
    """A message will never be read as it is; sending it again does not help.

    `field` is its place in the message's own terms ("laporan.pegawai.nik"), `position` says where
    in the bytes that is ("line 7, column 12", "record 3, columns 21-36"). `problem` holds nothing
    of the message's content but what is needed to find it. `others` are more mistakes that were
    found beside it, for people who mend a message.
    """

    def __init__(
        self,
        cause: Cause,
        problem: str,
        *,
        field: str = "",
        position: str = "",
        others: Sequence[MessageInvalid] = (),
    ) -> None:
        self.cause = cause
        self.problem = problem
        self.field = _told(field)
        self.position = position
        self.others = tuple(others)
        where = ", ".join(part for part in (field, position) if part)
        super().__init__(f"{where}: {problem}" if where else problem)

    def at(self, *, field: str = "", position: str = "") -> MessageInvalid:
        """The same, with the place filled in where it had none."""
        return MessageInvalid(
            self.cause,
            self.problem,
            field=self.field or field,
            position=self.position or position,
            others=self.others,
        )


class ConfigInvalid(BridgeError):
    """The bridge's configuration has a mistake; `line` counts from 1, 0 where none is known."""

    def __init__(self, *, file: Path, line: int, field: str, problem: str) -> None:
        self.file = file
        self.line = line
        self.field = field
        self.problem = problem
        place = f"{file}, line {line}" if line else str(file)
        super().__init__(f"{place}: {field}: {problem}" if field else f"{place}: {problem}")
