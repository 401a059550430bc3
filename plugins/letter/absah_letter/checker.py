"""The checker `letter`: read an Indonesian official letter and see if it agrees with itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field as Setting

from absah_letter import lines, nip, reading, turning
from absah_letter.reading import Letter
from absah_sdk import (
    Capabilities,
    CheckContext,
    Checker,
    Document,
    Finding,
    Form,
    Outcome,
    Result,
    Settings,
    Severity,
)

KEY_FIELDS = ("number", "date", "institution", "signatory", "subject")
_SIGNS = (*KEY_FIELDS, "title", "addressee", "signatory_nip", "place")
_YEAR = re.compile(r"(?:^|[/\s.-])((?:19|20)\d{2})$")


class LetterSettings(Settings):
    """Settings of the checker `letter`."""

    certain_confidence: float = Setting(default=0.85, ge=0, le=1)
    """Confidence from which a reading is certain enough to hold against the letter."""
    least_fields: int = Setting(default=3, ge=1, le=9)
    """Fields of an official letter that must be read for a document to count as one."""


class LetterChecker(Checker):
    """Reads a letter's fields from what OCR read, or from a text document."""

    name = "letter"
    version = "1"
    title = "Reads an Indonesian official letter and checks that it agrees with itself"
    capabilities = Capabilities(
        media_types=("image/*", "application/pdf", "text/plain"),
        reads=frozenset({Form.TEXT}),
        requires=("ocr",),
        weight=0.3,
    )
    settings_type: ClassVar[type[Settings]] = LetterSettings
    settings: LetterSettings

    def check(self, document: Document, context: CheckContext) -> Result:
        text, found = _lines(document, context)
        letter = reading.read(found)
        is_letter = _is_letter(letter, self.settings.least_fields)
        findings = [*_field_findings(letter), *self._defects(letter, is_letter=is_letter)]
        return Result(
            outcome=_outcome(letter, findings, is_letter=is_letter),
            score=round(sum(_confidence(letter, key) for key in KEY_FIELDS) / len(KEY_FIELDS), 4),
            findings=findings,
            facts=_facts(letter, text, is_letter=is_letter),
        )

    def _defects(self, letter: Letter, *, is_letter: bool) -> list[Finding]:
        if not is_letter:
            message = "This is not recognisably an official letter."
            return [Finding(code="not_letter", message=message, severity=Severity.WARNING)]
        unread = [
            Finding(
                code="field_unread",
                message=f"The field {key} could not be read.",
                severity=Severity.WARNING,
                attributes={"field": key},
            )
            for key in KEY_FIELDS
            if key not in letter.fields
        ]
        return [*unread, *_nip_defects(letter, self.settings.certain_confidence), *_years(letter)]


def _lines(document: Document, context: CheckContext) -> tuple[str, list[lines.Line]]:
    if document.text is not None:
        return document.text, lines.from_text(document.text)
    ocr = context.results.get("ocr")
    facts = ocr.facts if ocr else {}
    return facts.get("text", ""), turning.upright(lines.from_ocr(facts))


def _is_letter(letter: Letter, least: int) -> bool:
    signs = [key for key in _SIGNS if key in letter.fields]
    formal = {"number", "institution", "title"} & letter.fields.keys()
    return len(signs) >= least and bool(formal)


def _field_findings(letter: Letter) -> list[Finding]:
    return [
        Finding(
            code="field",
            message=f"Reads the field {name}.",
            confidence=field.confidence,
            region=field.region,
            span=field.span,
            attributes={"field": name, "value": field.value, "raw": field.raw},
        )
        for name, field in letter.fields.items()
    ]


def _nip_defects(letter: Letter, certain: float) -> list[Finding]:
    number, field = letter.nip, letter.fields.get("signatory_nip")
    if number is None or field is None or number.defect is None:
        return []
    misread = number.repairs > 0 or number.one_misread_away or len(number.digits) != 18
    sure = field.confidence >= certain and not misread
    return [
        Finding(
            code="nip_malformed",
            message=f"The number {nip.mask(number.digits)} cannot be a NIP: {number.defect}.",
            severity=Severity.CRITICAL if sure else Severity.WARNING,
            confidence=field.confidence,
            region=field.region,
            span=field.span,
            attributes={"field": "signatory_nip", "digits": len(number.digits)},
        )
    ]


def _years(letter: Letter) -> list[Finding]:
    """A letter's number usually ends in the year of its date; another year is worth a look."""
    number, date = letter.fields.get("number"), letter.fields.get("date")
    year = _YEAR.search(number.value) if number else None
    if number is None or date is None or year is None or year.group(1) == date.value[:4]:
        return []
    return [
        Finding(
            code="number_year_differs",
            message=f"The number is of {year.group(1)}, the date of {date.value[:4]}.",
            severity=Severity.INFO,
            confidence=min(number.confidence, date.confidence),
            region=number.region,
            span=number.span,
            attributes={"number_says": year.group(1), "date_says": date.value[:4]},
        )
    ]


def _outcome(letter: Letter, findings: Sequence[Finding], *, is_letter: bool) -> Outcome:
    defects = [finding for finding in findings if finding.code == "nip_malformed"]
    if any(finding.severity is Severity.CRITICAL for finding in defects):
        return Outcome.FAIL
    complete = all(key in letter.fields for key in KEY_FIELDS)
    return Outcome.PASS if is_letter and complete and not defects else Outcome.INCONCLUSIVE


def _confidence(letter: Letter, key: str) -> float:
    return letter.fields[key].confidence if key in letter.fields else 0.0


def _facts(letter: Letter, text: str, *, is_letter: bool) -> dict[str, Any]:
    return {
        "is_letter": is_letter,
        "fields": {
            name: {"value": field.value, "raw": field.raw, "confidence": field.confidence}
            for name, field in letter.fields.items()
        },
        "institution_units": list(letter.units),
        "signatories": list(letter.signatories),
        "text": text,
    }
