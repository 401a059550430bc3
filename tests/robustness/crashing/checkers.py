"""Checkers of the crash suite, and as pure functions what they and the policies must come to."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from robustness.crashing.history import Submitted

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
"""By bucket; of several results the one that comes last here decides."""
LASTING, PASSING = "lasting", "passing"
PASSING_DAYS = 30
_POLICY = """\
policy: {name}
version: 1
title: {{id: Uji, en: Trial}}
documents:
  report: {{title: {{id: Laporan, en: Report}}, count: [1, 3], media_types: [text/plain]}}
  photo: {{title: {{id: Foto, en: Photo}}, count: [0, 1], media_types: [image/png]}}
claims: {{}}
checks:
  stamp: {{documents: [report]}}
  echo: {{documents: [report]}}
  shade: {{documents: [photo]}}
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


class Shade(Checker):
    """Puts a picture of one shade into a bucket; its results are kept for reuse."""

    name = "shade"
    version = "1.0"
    title = "Shade of a picture"
    capabilities = Capabilities(
        media_types=("image/*",), reads=frozenset({Form.PAGES, Form.CONTENT})
    )

    def check(self, document: Document, context: CheckContext) -> Result:
        shade = int(document.pages[0].pixels[0, 0, 0])
        stamp = Artifact(name="stamp", media_type="text/plain", content=stamp_of(document.content))
        return Result(
            outcome=Outcome.PASS, facts={"bucket": shade % len(DECISIONS)}, artifacts=(stamp,)
        )


KINDS = (Stamp, Echo, Shade)


def pause_seconds(text: str) -> float:
    """How long its check takes: a text begins with that."""
    return float(text.partition(" ")[0])


def bucket_of(content: bytes) -> int:
    """The bucket of a text: 0, 1 or 2."""
    return hashlib.sha256(content).digest()[0] % len(DECISIONS)


def stamp_of(content: bytes) -> bytes:
    """The artifact of a text."""
    return b"stamp of " + hashlib.sha256(content).hexdigest().encode() * 64


def photo_of(shade: int) -> bytes:
    """A picture of a shade from 0 to 255, as a PNG."""
    buffer = io.BytesIO()
    Image.new("RGB", (24, 16), (shade, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def results_of(reports: Sequence[bytes], shade: int | None) -> list[tuple[str, str, int]]:
    """What the checks of a request find: checker, document, bucket; `shade` is its photo's."""
    found = []
    for number, content in enumerate(reports, start=1):
        document = "report" if len(reports) == 1 else f"report-{number}"
        found += [(name, document, bucket_of(content)) for name in (Stamp.name, Echo.name)]
    if shade is not None:
        found.append((Shade.name, "photo", shade % len(DECISIONS)))
    return found


def digest_of(content: bytes) -> str:
    """Its SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def submission(
    *,
    tenant: str,
    client: str,
    request_id: str,
    policy: str,
    contents: Sequence[bytes],
    recorded: bool,
    shade: int | None = None,
) -> Submitted:
    """What is about to be sent, with all that must come of it: reports, perhaps a photo."""
    results = results_of(contents, shade)
    documents = [*contents, *([photo_of(shade)] if shade is not None else [])]
    return Submitted(
        tenant=tenant,
        client=client,
        request_id=request_id,
        policy=policy,
        recorded=recorded,
        documents=tuple(digest_of(content) for content in documents),
        results=tuple(results),
        decision=DECISIONS[max(bucket for _, _, bucket in results)],
        artifacts=tuple(digest_of(stamp_of(content)) for content in documents),
    )


def write_policies(folder: Path) -> None:
    """Write one policy whose contents are kept for good, and one whose contents are due early."""
    retention = f"retention: {{documents_days: {PASSING_DAYS}}}\n"
    for name, kept in ((LASTING, ""), (PASSING, retention)):
        (folder / f"{name}.yaml").write_text(_POLICY.format(name=name, retention=kept))
