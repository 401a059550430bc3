"""Errors that the core knows: each carries its facts and nothing about transport."""

from __future__ import annotations

from absah_sdk.errors import AbsahError


class ModelInvalid(AbsahError):
    """A model of the repository cannot be served as its files stand.

    `file` is the file at fault, `field` the place in it ("input[0].dims", "line 7"), empty where
    the whole file is meant; `hint` says what to do about it.
    """

    def __init__(
        self, *, model: str, file: str, field: str = "", problem: str, hint: str = ""
    ) -> None:
        self.model = model
        self.file = file
        self.field = field
        self.problem = problem
        self.hint = hint
        place = f"{file}: {field}" if field else file
        advice = f" ({hint})" if hint else ""
        super().__init__(f"model {model!r}: {place}: {problem}{advice}")


class ModelUnknown(AbsahError):
    """No such model, or version of it, is loaded."""

    def __init__(self, *, model: str) -> None:
        self.model = model
        super().__init__(f"no model {model!r} is loaded")


class Overloaded(AbsahError):
    """A queue is full; trying again after `retry_after_seconds` is likely to succeed."""

    def __init__(self, *, retry_after_seconds: float) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"overloaded, try again in {retry_after_seconds:.2f} s")


class ShuttingDown(AbsahError):
    """The server takes no new work."""


class RequestInvalid(AbsahError):
    """A request is malformed; `violations` are pairs of a field's path and what is wrong there."""

    def __init__(self, *violations: tuple[str, str]) -> None:
        self.violations = violations
        super().__init__("; ".join(f"{field}: {problem}" for field, problem in violations))


class DocumentsUnexpected(RequestInvalid):
    """The documents are not those that the policy expects."""


class ClaimsUnexpected(RequestInvalid):
    """The claims are not those that the policy expects."""


class LimitExceeded(AbsahError):
    """A request is larger than the setting `limit` allows."""

    def __init__(self, *, limit: str, allowed: int, actual: int, unit: str) -> None:
        self.limit = limit
        self.allowed = allowed
        self.actual = actual
        self.unit = unit
        super().__init__(f"{actual:,} {unit}, where at most {allowed:,} are accepted ({limit})")


class PolicyNotFound(AbsahError):
    """No policy has this name and version."""

    def __init__(self, *, name: str) -> None:
        self.name = name
        super().__init__(f"there is no policy {name!r}")


class CheckerNotFound(AbsahError):
    """No checker has this name."""

    def __init__(self, *, name: str) -> None:
        self.name = name
        super().__init__(f"there is no checker {name!r}")


class PolicyInvalid(AbsahError):
    """A policy file has a mistake; `line` counts from 1."""

    def __init__(self, *, file: str, line: int, problem: str) -> None:
        self.file = file
        self.line = line
        self.problem = problem
        super().__init__(f"{file}, line {line}: {problem}")


class PluginInvalid(AbsahError):
    """A plugin cannot be used: its settings, its models or what it requires do not fit."""
