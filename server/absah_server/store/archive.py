"""Write the core's values as JSON, and read them back as they were.

Contents of artifacts are left out: they lie in the blob store, and the records of the artifacts
name them. What a checker puts into facts and attributes is written as JSON has it: tuples as lists,
numbers of numpy as plain ones, numbers that are not finite as null. Sequences are read as lists.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np
import pydantic

from absah_server.core.requesting import Request
from absah_server.core.validation import CheckResult, Fault, HumanDecision, Record, Verdict

T = TypeVar("T")


class Form(Generic[T]):
    """The JSON form of one kind of value."""

    def __init__(self, kind: type[T], *, without: dict[str, Any] | None = None) -> None:
        self._adapter = pydantic.TypeAdapter(kind)
        self._without = without

    def write(self, value: T) -> str:
        """The value as JSON text; raises ValueError for what JSON cannot hold."""
        return self._adapter.dump_json(
            value, exclude=self._without, fallback=_plain, warnings="error"
        ).decode()

    def read(self, plain: Any) -> T:
        """The value of a column of JSON; raises ValueError for what this version cannot read."""
        return self._adapter.validate_python(plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")


check_result = Form(CheckResult, without={"result": {"artifacts"}})
verdict = Form(Verdict)
record = Form(Record)
fault = Form(Fault)
human_decision = Form(HumanDecision)
request = Form(Request)
