"""Look for signs that a picture was tampered with, and for proof that it was not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

import numpy as np

from absah_authenticity import (
    consistency,
    heatmap,
    jpeg,
    judgeable,
    judging,
    localisation,
    pixels,
    provenance,
    reading,
)
from absah_authenticity.localisation import Localisation
from absah_authenticity.pixels import PixelSignals
from absah_authenticity.provenance import Provenance
from absah_authenticity.reading import FileSignals
from absah_authenticity.settings import AuthenticitySettings
from absah_sdk import (
    Capabilities,
    CheckContext,
    Checker,
    Document,
    DocumentUnreadable,
    Finding,
    Form,
    Model,
    Result,
)

T = TypeVar("T")


class AuthenticityChecker(Checker):
    """Examines the first page of an image file; further frames are only counted."""

    name = "authenticity"
    version = "1"
    title = "Signs of tampering in a picture, and Content Credentials"
    capabilities = Capabilities(
        media_types=("image/*",),
        reads=frozenset({Form.CONTENT, Form.PAGES}),
        models=(localisation.MODEL,),
        weight=2.0,
    )
    settings_type = AuthenticitySettings
    settings: AuthenticitySettings

    def __init__(self, settings: AuthenticitySettings) -> None:
        super().__init__(settings)
        # Each photo takes tens of megabytes for most of a second of one core, so more at a time
        # than there are cores would only take more memory.
        self._threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="authenticity")

    def start(self, models: Mapping[str, Model]) -> None:
        """Read the trust list. Raises OSError or ValueError where it cannot be used."""
        path = self.settings.trust_anchors
        self._trust_anchors = path.read_text(encoding="ascii") if path else ""
        if path and "-----BEGIN CERTIFICATE-----" not in self._trust_anchors:
            raise ValueError(f"{path} holds no certificate in PEM form")

    def close(self) -> None:
        """Let go of the threads; what runs is finished."""
        self._threads.shutdown()

    async def check(self, document: Document, context: CheckContext) -> Result:
        """Read the file's own signals, then its pixels, and weigh both."""
        if not document.pages:
            raise DocumentUnreadable("the picture has no pages")
        page = document.pages[0]
        file = await reading.read(document, context, self._trust_anchors)
        seen = await self._run(pixels.examine, page, file, self.settings)
        found = await self._localise(seen, context)
        artifacts = []
        if self.settings.heatmap and found is not None:
            drawn = await self._run(heatmap.draw, found.map_, seen.stored_size, page.orientation)
            artifacts.append(drawn)
        findings = self._findings(file, seen, found, page.orientation)
        score = judging.score(findings, found.evidence if found else 0.0)
        return Result(
            outcome=judging.outcome(findings, score, review_score=self.settings.review_score),
            score=score,
            findings=findings,
            facts=_facts(file, seen, document),
            artifacts=artifacts,
            # What lies in the future today will not do so for ever.
            repeatable=all(finding.code != consistency.IN_FUTURE for finding in findings),
        )

    async def _run(self, function: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)

    async def _localise(self, seen: PixelSignals, context: CheckContext) -> Localisation | None:
        if seen.traces is None:
            return None
        inputs = {localisation.INPUT: seen.traces[np.newaxis]}
        outputs = await context.infer(localisation.MODEL, inputs)
        logits = outputs[localisation.OUTPUT][0, 0]
        return localisation.localise(logits, seen.traces, seen.analysed_size)

    def _findings(
        self, file: FileSignals, seen: PixelSignals, found: Localisation | None, turned: int
    ) -> list[Finding]:
        settings = self.settings
        findings = file.findings()
        findings += provenance.findings(file.provenance or Provenance())
        findings += consistency.findings(
            file.tags,
            now=datetime.now(UTC),
            stored_size=seen.stored_size,
            thumbnail=seen.thumbnail,
            turned=turned,
        )
        if file.structure is not None:
            findings += jpeg.findings(file.structure, seen.double_compression)
        findings += pixels.copy_findings(seen, turned, settings)
        if found is not None:
            findings += localisation.findings(found, turned)
        findings += judgeable.findings(seen.stored_size, seen.flat_share, file.structure, settings)
        return findings


def _facts(file: FileSignals, seen: PixelSignals, document: Document) -> dict[str, Any]:
    width, height = seen.stored_size
    facts: dict[str, Any] = {"width": width, "height": height, "frames": document.frames}
    facts |= consistency.facts(file.tags)
    if file.provenance is not None:
        facts["c2pa"] = provenance.facts(file.provenance)
    if file.structure is not None:
        facts["jpeg"] = jpeg.facts(file.structure, seen.double_compression)
        facts["jpeg_quality"] = file.structure.quality
    if seen.analysed_size != seen.stored_size:
        facts["analysed_size"] = list(seen.analysed_size)
    return facts
