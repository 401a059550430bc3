"""The checker `identity`: read an Indonesian identity card and see whether its number fits it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field as Setting

from absah_identity import consistency, nik, reading, regions
from absah_identity.reading import Card
from absah_sdk import (
    Capabilities,
    CheckContext,
    Checker,
    Document,
    Finding,
    Model,
    Outcome,
    Result,
    Settings,
    Severity,
)

KEY_FIELDS = ("nik", "name", "birth_date", "sex")


class IdentitySettings(Settings):
    """Settings of the checker `identity`."""

    certain_confidence: float = Setting(default=0.85, ge=0, le=1)
    """Confidence from which a reading is certain enough to hold against the card."""
    least_anchors: int = Setting(default=4, ge=2, le=17)
    """Labels of an identity card that must be seen for a page to count as one."""


class IdentityChecker(Checker):
    """Reads a card's fields from what OCR read; needs no pixels and no model of its own."""

    name = "identity"
    version = "1"
    title = "Reads an Indonesian identity card and checks its number against it"
    capabilities = Capabilities(
        media_types=("image/*", "application/pdf"),
        reads=frozenset(),
        requires=("ocr",),
        weight=0.3,
    )
    settings_type: ClassVar[type[Settings]] = IdentitySettings
    settings: IdentitySettings

    def start(self, models: Mapping[str, Model]) -> None:
        regions.load()

    def check(self, document: Document, context: CheckContext) -> Result:
        ocr = context.results.get("ocr")
        facts = ocr.facts if ocr else {}
        card = reading.read_card(facts, least_anchors=self.settings.least_anchors)
        findings = [*_field_findings(card), *self._defects(card)]
        return Result(
            outcome=_outcome(card, findings),
            score=round(sum(_confidence(card, key) for key in KEY_FIELDS) / len(KEY_FIELDS), 4),
            findings=findings,
            facts=_facts(card),
        )

    def _defects(self, card: Card) -> list[Finding]:
        if not card.is_identity_card:
            return [_note("not_identity_card", "This is not recognisably an identity card.")]
        defects = [
            _note("field_unread", f"The field {key} could not be read.", {"field": key})
            for key in KEY_FIELDS
            if key not in card.fields
        ]
        if card.several:
            defects.append(_note("several_cards", "More than one identity number is in view."))
        if card.specimen:
            defects.append(
                _note(
                    "specimen_mark", "The card says that it is a specimen.", severity=Severity.INFO
                )
            )
        if card.number:
            certain = self.settings.certain_confidence
            defects.extend(consistency.compare(card.fields, card.number, certain))
        return defects


def _field_findings(card: Card) -> list[Finding]:
    return [
        Finding(
            code="field",
            message=f"Reads the field {name}.",
            confidence=field.confidence,
            region=field.region,
            attributes={"field": name, "value": field.value, "raw": field.raw},
        )
        for name, field in card.fields.items()
    ]


def _note(
    code: str,
    message: str,
    attributes: Mapping[str, Any] | None = None,
    *,
    severity: Severity = Severity.WARNING,
) -> Finding:
    return Finding(code=code, message=message, severity=severity, attributes=attributes or {})


def _outcome(card: Card, findings: Sequence[Finding]) -> Outcome:
    if not card.is_identity_card:
        return Outcome.INCONCLUSIVE
    if any(finding.severity is Severity.CRITICAL for finding in findings):
        return Outcome.FAIL
    readable = {"nik", "name"} <= card.fields.keys() and {"birth_date", "sex"} & card.fields.keys()
    formed = card.number is not None and card.number.has_form
    doubtful = card.several or any(finding.code in _DIFFERENCES for finding in findings)
    return Outcome.PASS if readable and formed and not doubtful else Outcome.INCONCLUSIVE


def _confidence(card: Card, key: str) -> float:
    return card.fields[key].confidence if key in card.fields else 0.0


def _facts(card: Card) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "is_identity_card": card.is_identity_card,
        "anchors": card.anchors,
        "page": card.page,
        "fields": {
            name: {"value": field.value, "raw": field.raw, "confidence": field.confidence}
            for name, field in card.fields.items()
        },
    }
    if card.number:
        facts["nik_well_formed"] = card.number.has_form
        facts["nik_masked"] = nik.mask(card.number.digits)
    return facts


_DIFFERENCES = frozenset({"nik_birth_date_differs", "nik_sex_differs"})
