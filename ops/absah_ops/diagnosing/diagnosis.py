"""What a look found, and how several looks go on at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from absah_ops.failing import explain

LOOK_SECONDS = 1.5
"""How long a look waits for what is elsewhere."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """One thing looked at. An optional thing that is missing is no fault."""

    what: str
    ok: bool
    found: str
    mend: str = ""
    optional: bool = False

    @property
    def word(self) -> str:
        return "yes" if self.ok else "optional" if self.optional else "no"


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """How to look at one thing, or several of a kind."""

    what: str
    at: Callable[[], Diagnosis | Sequence[Diagnosis]]


def found(looks: Sequence[Look]) -> Iterator[Diagnosis]:
    """What the looks find, in their order; they wait beside each other."""
    with ThreadPoolExecutor(len(looks), thread_name_prefix="look") as threads:
        for diagnoses in threads.map(_looked, looks):
            yield from diagnoses


def _looked(look: Look) -> Sequence[Diagnosis]:
    try:
        seen = look.at()
    except ImportError as exc:
        return [Diagnosis(what=look.what, ok=False, found=str(exc), mend=_extra(exc))]
    except Exception as exc:
        message = explain(exc)
        if message is None:
            raise
        return [Diagnosis(what=look.what, ok=False, found=message, mend="see what was found")]
    return [seen] if isinstance(seen, Diagnosis) else seen


EXTRAS = {"tritonclient": "triton", "obstore": "s3", "pika": "bridge", "yaml": "bridge"}


def _extra(error: ImportError) -> str:
    """What to install for a module that is missing."""
    extra = EXTRAS.get((error.name or "").partition(".")[0])
    return f"pip install 'absah[{extra}]'" if extra else "install absah anew"
