"""Tell a person what went wrong, why, and what to do, and exit with 1."""

from __future__ import annotations

from typing import Any

import click

ADVICE = {
    "UNAVAILABLE": "Is a server running there? `absah serve` starts one, `absah doctor` looks.",
    "STORE_UNAVAILABLE": "The server runs; `absah doctor` looks at its database and documents.",
    "MODEL_UNAVAILABLE": "The server runs; `absah models list --server …` tells what is loaded.",
    "SHUTTING_DOWN": "The server is stopping; ask again once one runs in its place.",
    "DEADLINE_EXCEEDED": "Give it more time with --timeout.",
    "POLICY_NOT_FOUND": "`absah policies` lists them.",
    "CHECKER_NOT_FOUND": "`absah checkers` lists them.",
    "MODEL_NOT_FOUND": "`absah models list` tells what the repository holds, with --server what is "
    "loaded.",
    "DOCUMENT_NOT_FOUND": "`absah documents upload FILE` uploads one and prints its name.",
    "CONTENT_DAMAGED": "`absah documents upload --anew FILE` mends it.",
    "DOCUMENT_IN_USE": "Wait until the validation has ended, or cancel it.",
}


class Failing(click.Group):
    """A group that turns the platform's own errors into messages, never tracebacks."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click itself ends quietly where the reader of a pipe has left
        except Exception as exc:
            message = explain(exc)
            if message is None:
                raise
            raise click.ClickException(message) from exc


def explain(error: BaseException) -> str | None:
    """A message for a person; None for what is a fault of this program."""
    # Imported here: most commands end well and need neither.
    from absah import CallFailed
    from absah_sdk import AbsahError

    if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        return explain(error.exceptions[0])
    if isinstance(error, CallFailed):
        return _explain_call(error)
    if isinstance(error, AbsahError | OSError):
        return str(error)
    # By name: the bridge is an extra that may not be there.
    if type(error).__module__.startswith("absah_bridge."):
        return str(error)
    if type(error).__module__.startswith("pydantic"):
        return f"The settings do not fit: {error}"
    return None


def _explain_call(error: Any) -> str:
    told = [f"{field}: {problem}" for field, problem in error.fields]
    # The message of such a refusal says no more than its fields do.
    message = "the request was refused" if error.message == "; ".join(told) else error.message
    lines = [f"{message} ({error.code.name})", *(f"  {each}" for each in told)]
    if error.retry_after_seconds is not None:
        lines.append(f"Try again in {error.retry_after_seconds:.1f} s.")
    advice = ADVICE.get(error.reason) or ADVICE.get(error.code.name)
    return "\n".join([*lines, *([advice] if advice else [])])
