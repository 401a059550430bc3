"""The functions that policies call: claims and evidence as JSON values in, a comparison out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from absah_claims import (
    activities,
    addresses,
    births,
    comparison,
    counts,
    events,
    letters,
    niks,
    persons,
    places,
    subjects,
)
from absah_claims import evidence as evidences
from absah_claims.comparison import Comparison, Outcome, Reference
from absah_claims.evidence import Source

CLAIM_LIMIT = 1_000
"""A claim longer than this many code points is not compared."""

_NO_CLAIM = (
    "nilai yang diklaim kosong atau tidak terbaca",
    "the claimed value is empty or unreadable",
)
_NO_SOURCE = ("tidak ada bukti", "there is no evidence")

PolicyFunction = Callable[..., dict[str, Any]]


def policy_functions() -> Mapping[str, PolicyFunction]:
    """All functions by the names that policies know them by."""
    return {
        "match_name": _of_text(persons.match_name),
        "match_nik": _of_text(niks.match_nik),
        "match_birth_date": _of_text(births.match_birth_date),
        "match_sex": _of_text(births.match_sex),
        "match_address": _of_text(addresses.match_address),
        "match_event_date": _of_text(events.match_event_date),
        "match_place": _of_text(places.match_place),
        "match_participants": _match_participants,
        "match_activity": _of_text(activities.match_activity),
        "match_letter_number": _of_text(letters.match_letter_number),
        "match_letter_date": _of_text(letters.match_letter_date),
        "match_institution": _of_text(letters.match_institution),
        "match_signatory": _of_text(persons.match_signatory),
        "match_subject": _of_text(subjects.match_subject),
        "combine": _combine,
    }


def _of_text(match: Callable[[str, Sequence[Source]], Comparison]) -> PolicyFunction:
    """The function over JSON values that compares a claim given as text, or as a number."""

    def function(claim: Any, evidence: Any) -> dict[str, Any]:
        text = _text(claim)
        if not text:
            return comparison.unsettled("", _NO_CLAIM).to_message()
        return match(text, evidences.read(evidence)).to_message()

    return function


def _match_participants(claim: Any, evidence: Any) -> dict[str, Any]:
    return counts.match_participants(claim, evidences.read(evidence)).to_message()


def _combine(comparisons: Any) -> dict[str, Any]:
    """Join comparisons of one claim: contradiction first, then doubt, then agreement."""
    parsed = (
        [_parsed(c) for c in comparisons if isinstance(c, Mapping)] if _listed(comparisons) else []
    )
    return comparison.combine(parsed, nothing=_NO_SOURCE).to_message()


def _text(claim: Any) -> str:
    """The claim as text; whole numbers may have come as floats."""
    number = evidences.number(claim)
    if number is not None and number == int(number):
        return str(int(number))
    if not isinstance(claim, str) or len(claim) > CLAIM_LIMIT:
        return ""
    return claim.strip()


def _listed(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _parsed(message: Mapping[str, Any]) -> Comparison:
    outcome = message.get("outcome")
    detail = message.get("detail")
    findings = message.get("findings")
    return Comparison(
        outcome=Outcome(outcome) if outcome in list(Outcome) else Outcome.UNSETTLED,
        found=str(message.get("found", "")),
        why_id=str(detail.get("id", "")) if isinstance(detail, Mapping) else "",
        why_en=str(detail.get("en", "")) if isinstance(detail, Mapping) else "",
        findings=tuple(
            Reference(document=str(f["document"]), checker=str(f["checker"]), index=int(f["index"]))
            for f in (findings if isinstance(findings, Sequence) else ())
            if isinstance(f, Mapping) and f.keys() >= {"document", "checker", "index"}
        ),
    )
