"""What comparing a claim with evidence comes to, and how several comparisons join."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

FOUND_LENGTH = 160
_LONG_NUMBER = re.compile(r"(?<!\d)\d(?:[ .\-]?\d){15,}(?!\d)")


class Outcome(enum.StrEnum):
    """How a claim stands to the evidence."""

    AGREES = "AGREES"
    CONTRADICTS = "CONTRADICTS"
    """The evidence says something else, beyond what reading errors explain."""
    UNSETTLED = "UNSETTLED"
    """The evidence is missing, unreadable, doubtful or at odds with itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """A finding of a check result, by its position there."""

    document: str
    checker: str
    index: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """One claim against one source or all of them.

    `found` is what the evidence says, for people; `why_id` and `why_en` are one short clause each.
    `doubt` marks an unsettled comparison whose evidence speaks against the claim, though not beyond
    error: another source that agrees does not settle it.
    """

    outcome: Outcome
    found: str = ""
    why_id: str
    why_en: str
    findings: tuple[Reference, ...] = ()
    doubt: bool = False

    def to_message(self) -> dict[str, Any]:
        """The form that policies read."""
        return {
            "outcome": self.outcome.value,
            "found": mask_numbers(shorten(self.found)),
            "detail": {"id": self.why_id, "en": self.why_en},
            "findings": [
                {"document": r.document, "checker": r.checker, "index": r.index}
                for r in dict.fromkeys(self.findings)
            ],
        }


def agrees(found: str, why: tuple[str, str], findings: Iterable[Reference] = ()) -> Comparison:
    """A comparison that bears the claim out; `why` is the clause in Indonesian and in English."""
    return _comparison(Outcome.AGREES, found, why, findings)


def contradicts(found: str, why: tuple[str, str], findings: Iterable[Reference] = ()) -> Comparison:
    """A comparison that speaks against the claim."""
    return _comparison(Outcome.CONTRADICTS, found, why, findings)


def unsettled(found: str, why: tuple[str, str], findings: Iterable[Reference] = ()) -> Comparison:
    """A comparison that leaves the claim open."""
    return _comparison(Outcome.UNSETTLED, found, why, findings)


def doubts(found: str, why: tuple[str, str], findings: Iterable[Reference] = ()) -> Comparison:
    """A comparison that leaves the claim open, whatever other sources say."""
    return replace(unsettled(found, why, findings), doubt=True)


def combine(comparisons: Sequence[Comparison], *, nothing: tuple[str, str]) -> Comparison:
    """Join what several sources say of one claim.

    A source that contradicts decides, since each does so only when its reading is sure; next one
    in doubt, then one that agrees; otherwise the first that left it open, or `nothing` where no
    source spoke.
    """
    ranked = (
        [c for c in comparisons if c.outcome is Outcome.CONTRADICTS],
        [c for c in comparisons if c.doubt],
        [c for c in comparisons if c.outcome is Outcome.AGREES],
        list(comparisons),
    )
    chosen = next((group for group in ranked if group), [])
    if not chosen:
        return unsettled("", nothing)
    found = "; ".join(dict.fromkeys(c.found for c in chosen if c.found))
    findings = tuple(r for c in chosen for r in c.findings)
    return replace(chosen[0], found=shorten(found), findings=findings)


def shorten(text: str, length: int = FOUND_LENGTH) -> str:
    """The text on one line, cut to a length that a reason can carry."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def mask_numbers(text: str) -> str:
    """The text with every number as long as a NIK or NIP shown as its first 6 and last 2 digits."""
    return _LONG_NUMBER.sub(lambda match: mask(match[0]), text)


def mask(number: str) -> str:
    """A number's first 6 and last 2 digits with dots between; a short one is all dots."""
    digits = "".join(c for c in number if c.isalnum())
    if len(digits) <= 8:
        return "•" * len(digits)
    return digits[:6] + "•" * (len(digits) - 8) + digits[-2:]


def _comparison(
    outcome: Outcome, found: str, why: tuple[str, str], findings: Iterable[Reference]
) -> Comparison:
    return Comparison(
        outcome=outcome,
        found=shorten(found),
        why_id=why[0],
        why_en=why[1],
        findings=tuple(findings),
    )
