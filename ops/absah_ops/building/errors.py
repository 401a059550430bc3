"""What keeps a model from being built."""

from __future__ import annotations

from absah_sdk import AbsahError


class BuildFailed(AbsahError):
    """A model cannot be built; says why and, in `hint`, what to do about it."""

    def __init__(self, *, model: str, problem: str, hint: str = "") -> None:
        self.model = model
        self.problem = problem
        self.hint = hint
        super().__init__(f"model {model!r}: {problem}" + (f"\n{hint}" if hint else ""))
