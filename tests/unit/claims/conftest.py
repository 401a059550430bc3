"""Builders of evidence, as fixtures that give functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from absah_claims.functions import policy_functions

Evidence = list[dict[str, Any]]
FUNCTIONS = policy_functions()


@pytest.fixture
def outcome() -> Callable[[str, Any, Any], str]:
    """The outcome of a policy function, by name."""

    def call(function: str, claim: Any, evidence: Any) -> str:
        return str(FUNCTIONS[function](claim, evidence)["outcome"])

    return call


@pytest.fixture
def make_card() -> Callable[..., Evidence]:
    """Results of reading an identity card."""

    def build(*, text: str = "", confidence: float = 0.97, **fields: str) -> Evidence:
        return _read("identity", "identity", text, confidence, fields)

    return build


@pytest.fixture
def make_letter() -> Callable[..., Evidence]:
    """Results of reading a letter."""

    def build(*, text: str = "", confidence: float = 0.97, **fields: str) -> Evidence:
        return _read("letter", "letter", text, confidence, fields)

    return build


@pytest.fixture
def make_report() -> Callable[..., Evidence]:
    """The result of looking for entities in a report; each entity is (code, its text)."""

    def build(text: str, *entities: tuple[str, str], document: str = "report") -> Evidence:
        findings = [
            {
                "code": code,
                "span": {"start": text.index(found), "end": text.index(found) + len(found)},
                "attributes": {"text": found},
            }
            for code, found in entities
        ]
        return [
            {
                "checker": "entities",
                "document": document,
                "outcome": "PASS",
                "findings": findings,
                "facts": {"text": text},
            }
        ]

    return build


@pytest.fixture
def make_photo() -> Callable[..., Evidence]:
    """Results on a photo: people counted, people possible, capture time."""

    def build(
        document: str = "photo-1",
        *,
        people: int | None = None,
        possible: int | None = None,
        outcome: str = "PASS",
        capture_time: str = "",
    ) -> Evidence:
        results: Evidence = []
        if people is not None:
            facts: dict[str, Any] = {"counts": {"person": people}}
            if possible is not None:
                facts["possible_counts"] = {"person": possible}
            findings = [{"code": "person", "confidence": 0.9}] * people
            results.append(
                {
                    "checker": "objects",
                    "document": document,
                    "outcome": outcome,
                    "findings": findings,
                    "facts": facts,
                }
            )
        if capture_time:
            results.append(
                {
                    "checker": "authenticity",
                    "document": document,
                    "outcome": "PASS",
                    "findings": [],
                    "facts": {"capture_time": capture_time},
                }
            )
        return results

    return build


def _read(
    checker: str, document: str, text: str, confidence: float, fields: dict[str, str]
) -> Evidence:
    findings = [{"code": "field", "attributes": {"field": name}} for name in fields]
    facts = {
        name: {"value": value, "raw": value, "confidence": confidence}
        for name, value in fields.items()
    }
    return [
        {
            "checker": checker,
            "document": document,
            "outcome": "PASS",
            "findings": findings,
            "facts": {"fields": facts},
        },
        {
            "checker": "ocr",
            "document": document,
            "outcome": "PASS",
            "findings": [],
            "facts": {"text": text},
        },
    ]
