"""Checkers of the crash suite, and as pure functions what they and the policies must come to."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

from absah_sdk import (
    Artifact,
    Capabilities,
    CheckContext,
    Checker,
    Document,
    Form,
    Outcome,
    Result,
)

TEXTS = Capabilities(media_types=("text/plain",), reads=frozenset({Form.TEXT}))
DECISIONS = ("ACCEPT", "REVIEW", "REJECT")
"""By bucket; of several documents the one that comes last here decides."""
LASTING, PASSING = "lasting", "passing"
PASSING_DAYS = 30
_POLICY = """\
policy: {name}
version: 1
title: {{id: Uji, en: Trial}}
documents:
  report: {{title: {{id: Laporan, en: Report}}, count: [1, 3], media_types: [text/plain]}}
claims: {{}}
checks:
  stamp: {{documents: [report]}}
  echo: {{documents: [report]}}
rules:
  - rule: reject
    each: result
    when: result.facts.bucket == 2
    decision: REJECT
    message: {{id: "ditolak", en: "rejected"}}
  - rule: review
    each: result
    when: result.facts.bucket == 1
    decision: REVIEW
    message: {{id: "ditinjau", en: "to be reviewed"}}
accepted: {{id: Baik, en: Fine}}
{retention}"""


class Stamp(Checker):
    """Puts a text into a bucket by its digest, and stamps it: the stamp is an artifact."""

    name = "stamp"
    version = "1.0"
    title = "Stamps a text"
    capabilities = TEXTS

    async def check(self, document: Document, context: CheckContext) -> Result:
        text = document.text or ""
        await asyncio.sleep(pause_seconds(text))
        stamp = Artifact(name="stamp", media_type="text/plain", content=stamp_of(text.encode()))
        return Result(
            outcome=Outcome.PASS, facts={"bucket": bucket_of(text.encode())}, artifacts=(stamp,)
        )


class Echo(Checker):
    """Repeats the bucket that `stamp` found, in a thread."""

    name = "echo"
    version = "1.0"
    title = "Repeats the stamp"
    capabilities = Capabilities(
        media_types=("text/plain",), reads=frozenset({Form.TEXT}), requires=("stamp",)
    )

    def check(self, document: Document, context: CheckContext) -> Result:
        bucket = context.results["stamp"].facts["bucket"]
        return Result(outcome=Outcome.PASS, facts={"bucket": bucket})


KINDS = (Stamp, Echo)


def pause_seconds(text: str) -> float:
    """How long its check takes: a text begins with that."""
    return float(text.partition(" ")[0])


def bucket_of(content: bytes) -> int:
    """The bucket of a text: 0, 1 or 2."""
    return hashlib.sha256(content).digest()[0] % len(DECISIONS)


def stamp_of(content: bytes) -> bytes:
    """The artifact of a text."""
    return b"stamp of " + hashlib.sha256(content).hexdigest().encode() * 64


def decision_of(contents: Sequence[bytes]) -> str:
    """What a policy must decide about these documents."""
    return DECISIONS[max(bucket_of(content) for content in contents)]


def write_policies(folder: Path) -> None:
    """Write one policy whose contents are kept for good, and one whose contents are due early."""
    retention = f"retention: {{documents_days: {PASSING_DAYS}}}\n"
    for name, kept in ((LASTING, ""), (PASSING, retention)):
        (folder / f"{name}.yaml").write_text(_POLICY.format(name=name, retention=kept))
