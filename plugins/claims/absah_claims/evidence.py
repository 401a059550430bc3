"""Read the evidence that a policy passes: check results and documents, grouped by document.

Everything in it may come from elsewhere, so whatever has another form than expected is left out;
nothing here raises.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from absah_claims.comparison import Reference

SURE = 0.8
"""A reading of less confidence than this contradicts nothing."""
CERTAIN = 0.985
"""A line's confidence is a mean over its characters: one misread digit among sixteen, held half
likely, leaves 0.97. Only above this is a single confusable character taken at its word."""
BEYOND_DOUBT = 0.995
"""Above this even a digit that looks like the claimed one is taken at its word."""
UNKNOWN_CONFIDENCE = 0.5
TEXT_LIMIT = 50_000
"""Code points of one document's text that are looked at: some twenty pages."""


class Kind(enum.Enum):
    """What a document is to a claim."""

    IDENTITY = "identity"
    LETTER = "letter"
    REPORT = "report"
    PHOTO = "photo"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One field that a checker read from a document."""

    value: str
    raw: str
    confidence: float
    findings: tuple[Reference, ...] = ()

    @property
    def sure(self) -> bool:
        return self.confidence >= SURE


@dataclass(frozen=True, kw_only=True, slots=True)
class Entity:
    """A name, place or the like found in a text, [start, end) in code points of it."""

    code: str
    text: str
    start: int
    end: int
    reference: Reference


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One document and all that its checks told. `people` and `most_people` are None unless told.

    `scanned` says that the text was read from pixels and may hold reading errors.
    """

    document: str
    kind: Kind
    fields: Mapping[str, Reading] = field(default_factory=dict)
    text: str = ""
    scanned: bool = False
    signatories: Sequence[str] = ()
    entities: Sequence[Entity] = ()
    people: int | None = None
    most_people: int | None = None
    people_findings: tuple[Reference, ...] = ()
    capture_time: str = ""
    capture_findings: tuple[Reference, ...] = ()
    digest: str = ""


def read(evidence: Any) -> tuple[Source, ...]:
    """Group a flat list of check results and documents by document, in order of appearance."""
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for item in evidence if isinstance(evidence, Sequence) else ():
        if isinstance(item, Mapping):
            name = item.get("document") if "checker" in item else item.get("name")
            if isinstance(name, str):
                grouped.setdefault(name, []).append(item)
    sources = (_source(name, items) for name, items in grouped.items())
    return tuple(source for source in sources if source is not None)


def of_kind(sources: Sequence[Source], *kinds: Kind) -> tuple[Source, ...]:
    """The sources of the given kinds."""
    return tuple(source for source in sources if source.kind in kinds)


def number(value: Any) -> float | None:
    """A finite number, or None; True and False are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _source(name: str, items: Sequence[Mapping[str, Any]]) -> Source | None:
    results = {str(item["checker"]): item for item in items if "checker" in item}
    documents = [item for item in items if "checker" not in item]
    kind = _kind(results, documents)
    if kind is None:
        return None
    text, entities = _text(name, results, documents)
    people, most_people, people_findings = _people(name, results.get("objects"))
    capture_time, capture_findings = _capture_time(name, results.get("authenticity"))
    return Source(
        document=name,
        kind=kind,
        fields=_fields(name, kind, results),
        text=text,
        scanned="ocr" in results or kind in (Kind.IDENTITY, Kind.PHOTO),
        signatories=_strings(_facts(results.get("letter")).get("signatories")),
        entities=entities,
        people=people,
        most_people=most_people,
        people_findings=people_findings,
        capture_time=capture_time,
        capture_findings=capture_findings,
        digest=next((d["digest"] for d in documents if isinstance(d.get("digest"), str)), ""),
    )


def _kind(
    results: Mapping[str, Mapping[str, Any]], documents: Sequence[Mapping[str, Any]]
) -> Kind | None:
    for document in documents:
        for kind in Kind:
            if document.get("role") == kind.value:
                return kind
    if "identity" in results:
        return Kind.IDENTITY
    if "letter" in results or ("ocr" in results and "objects" not in results):
        return Kind.LETTER
    if "objects" in results or ("authenticity" in results and "entities" not in results):
        return Kind.PHOTO
    if "entities" in results or any(isinstance(d.get("text"), str) for d in documents):
        return Kind.REPORT
    return None


def _facts(result: Mapping[str, Any] | None) -> Mapping[str, Any]:
    facts = result.get("facts") if result is not None else None
    return facts if isinstance(facts, Mapping) else {}


def _findings(result: Mapping[str, Any] | None) -> Iterator[tuple[int, Mapping[str, Any]]]:
    findings = result.get("findings") if result is not None else None
    for index, finding in enumerate(findings if isinstance(findings, Sequence) else ()):
        if isinstance(finding, Mapping):
            yield index, finding


def _attributes(finding: Mapping[str, Any]) -> Mapping[str, Any]:
    attributes = finding.get("attributes")
    return attributes if isinstance(attributes, Mapping) else {}


def _fields(
    document: str, kind: Kind, results: Mapping[str, Mapping[str, Any]]
) -> dict[str, Reading]:
    result = results.get(kind.value)
    fields = _facts(result).get("fields")
    readings = {}
    for name, value in fields.items() if isinstance(fields, Mapping) else ():
        if isinstance(value, Mapping) and isinstance(value.get("value"), str) and value["value"]:
            confidence = number(value.get("confidence"))
            readings[str(name)] = Reading(
                value=value["value"][:TEXT_LIMIT],
                raw=str(value.get("raw") or value["value"])[:TEXT_LIMIT],
                confidence=UNKNOWN_CONFIDENCE if confidence is None else confidence,
                findings=tuple(
                    Reference(document=document, checker=kind.value, index=index)
                    for index, finding in _findings(result)
                    if _attributes(finding).get("field") == name
                ),
            )
    return readings


def _text(
    document: str,
    results: Mapping[str, Mapping[str, Any]],
    documents: Sequence[Mapping[str, Any]],
) -> tuple[str, tuple[Entity, ...]]:
    """The text, from the check whose spans count in it where there is one."""
    found = _facts(results.get("entities")).get("text")
    if isinstance(found, str) and found:
        return found[:TEXT_LIMIT], tuple(_entities(document, found, results["entities"]))
    texts = [_facts(results.get(checker)).get("text") for checker in ("letter", "ocr", "identity")]
    texts += [d.get("text") for d in documents]
    return next((t[:TEXT_LIMIT] for t in texts if isinstance(t, str) and t), ""), ()


def _strings(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    return tuple(item for item in items[:20] if isinstance(item, str))


def _entities(document: str, text: str, result: Mapping[str, Any]) -> Iterator[Entity]:
    for index, finding in _findings(result):
        span = finding.get("span")
        if not isinstance(span, Mapping):
            continue
        start, end = number(span.get("start", 0)), number(span.get("end"))
        if start is None or end is None or not 0 <= start < end <= len(text):
            continue
        yield Entity(
            code=str(finding.get("code")),
            text=text[int(start) : int(end)],
            start=int(start),
            end=int(end),
            reference=Reference(document=document, checker="entities", index=index),
        )


def _people(
    document: str, result: Mapping[str, Any] | None
) -> tuple[int | None, int | None, tuple[Reference, ...]]:
    facts = _facts(result)
    counts, possible = facts.get("counts"), facts.get("possible_counts")
    if not isinstance(counts, Mapping):
        return None, None, ()
    least = max(0, int(number(counts.get("person")) or 0))
    whole = result is not None and str(result.get("outcome")).endswith("PASS")
    told = possible.get("person", 0) if isinstance(possible, Mapping) and whole else None
    most = number(told)
    findings = tuple(
        Reference(document=document, checker="objects", index=index)
        for index, finding in _findings(result)
        if finding.get("code") == "person" and _attributes(finding).get("counted") is not False
    )
    return least, None if most is None else max(least, int(most)), findings


def _capture_time(
    document: str, result: Mapping[str, Any] | None
) -> tuple[str, tuple[Reference, ...]]:
    value = _facts(result).get("capture_time")
    if not isinstance(value, str):
        return "", ()
    findings = tuple(
        Reference(document=document, checker="authenticity", index=index)
        for index, finding in _findings(result)
        if "capture_time" in _attributes(finding) or finding.get("code") == "capture_time"
    )
    return value[:40], findings
