"""Tell where two validations of the same differ: verdict, record, each check."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from absah_server.core.validation import CheckResult, Record, Validation, Verdict

TOLERANCE = 1e-4
"""Models compute a little otherwise in batches of another size."""
MAX_OF_CHECK = 50
"""Differences told of one check; a last one tells that there are more."""
MAX_CHARACTERS = 200
"""Of a value that is told."""
ABSENT = "(absent)"
LOCAL = ("checker", "document", "role")
"""Of a check: where it stands, which its path tells."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One place that differs, and what stands there; see `ReplayValidationResponse`."""

    path: str
    recorded: str
    replayed: str


def between(recorded: Validation, replayed: Validation) -> list[Difference]:
    """All differences, those of the verdict first; times and names are no difference."""
    found = [*_plain("verdict", _verdict(recorded.verdict), _verdict(replayed.verdict))]
    found += _plain("record", _record(recorded.record), _record(replayed.record))
    before = {_place(result): result for result in recorded.check_results}
    after = {_place(result): result for result in replayed.check_results}
    for place in dict.fromkeys([*before, *after]):
        found += _of_check(place, before.get(place), after.get(place))
    return found


def _place(result: CheckResult) -> str:
    return f"check_results[{result.checker} {result.document}]"


def _of_check(
    place: str, before: CheckResult | None, after: CheckResult | None
) -> list[Difference]:
    if before is None or after is None:
        return [
            Difference(
                path=place,
                recorded=before.result.outcome.value if before else ABSENT,
                replayed=after.result.outcome.value if after else ABSENT,
            )
        ]
    found = list(_plain(place, _check(before), _check(after)))
    if len(found) > MAX_OF_CHECK:
        more = len(found) - MAX_OF_CHECK
        last = Difference(path=place, recorded="", replayed=f"and {more} more differences")
        return [*found[:MAX_OF_CHECK], last]
    return found


def _verdict(verdict: Verdict | None) -> dict[str, Any]:
    if verdict is None:
        return {}
    return {
        "decision": verdict.decision.value,
        "reasons": [
            {"rule": r.rule, "decision": r.decision.value, "claim": r.claim}
            for r in verdict.reasons
        ],
        "claim_comparisons": {c.claim: c.agreement.value for c in verdict.comparisons},
    }


def _record(record: Record) -> dict[str, Any]:
    return {
        "policy": record.policy,
        "policy_sha256": record.policy_digest,
        "claims_sha256": record.claims_digest,
        "documents": {d.document: d.digest for d in record.documents},
        "checkers": dict(record.checkers),
        "models": {m.model: f"{m.version} {m.digest}" for m in record.models},
        "server_version": record.server_version,
    }


def _check(result: CheckResult) -> dict[str, Any]:
    evidence = result.as_evidence()
    evidence["checker_version"] = result.checker_version
    evidence["models"] = {m.model: f"{m.version} {m.digest}" for m in result.models}
    evidence["artifacts"] = {f"{a.name} {a.page}": a.digest for a in result.artifacts}
    return {name: value for name, value in evidence.items() if name not in LOCAL}


def _plain(path: str, before: Any, after: Any) -> Iterator[Difference]:
    """Compare values as JSON has them, each at its path."""
    before, after = _as_json(before), _as_json(after)
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*before, *after]):
            inner = f"{path}.{name}"
            yield from _plain(inner, before.get(name, _MISSING), after.get(name, _MISSING))
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            yield from _plain(f"{path}[{index}]", _at(before, index), _at(after, index))
    elif not _same(before, after):
        yield Difference(path=path, recorded=_told(before), replayed=_told(after))


_MISSING = object()


def _at(values: Sequence[Any], index: int) -> Any:
    return values[index] if index < len(values) else _MISSING


def _as_json(value: Any) -> Any:
    """What the store makes of a value: tuples are lists, arrays too, what is not finite is null."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return list(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _same(before: Any, after: Any) -> bool:
    numbers = isinstance(before, int | float) and isinstance(after, int | float)
    if numbers and not isinstance(before, bool) and not isinstance(after, bool):
        return math.isclose(before, after, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return type(before) is type(after) and bool(before == after)


def _told(value: Any) -> str:
    """A short text of a value; of something larger, that it is there."""
    if value is _MISSING:
        return ABSENT
    if isinstance(value, dict):
        return str(value.get("code") or value.get("rule") or f"({len(value)} members)")
    if isinstance(value, list):
        return f"({len(value)} items)"
    text = "null" if value is None else str(value)
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}…"
