"""Find people, organisations, places and identifiers in a document's text."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from absah_entities import description, identifiers
from absah_entities.decoding import Decoder, Entity
from absah_entities.description import Description
from absah_entities.tokenizing import PieceTokenizer, SpecialPieces, Window
from absah_sdk import (
    Capabilities,
    CheckContext,
    Checker,
    Document,
    Finding,
    Form,
    Model,
    Outcome,
    Result,
    Settings,
    Span,
)
from absah_sdk.checking import Array

MODEL = "entities_ner"
PIECES_STEP = 32
"""Windows are padded to a multiple of this, so that those of different texts share a batch."""
WAITING_WINDOWS = 16
"""Windows of one text that wait for the model at once, so that a long text fills no queue."""
RESERVE = 2.0
"""A window is begun only while this many times the longest one's time is left, and besides"""
FINISHING = 4.0
"""this many times what cutting the text into windows took, for what comes after the model."""
MESSAGES = {
    "PER": "a person",
    "ORG": "an organisation",
    "LOC": "a place",
    "PRD": "a brand or product",
    "EVT": "an event",
    "FNB": "a food or drink",
    "NIK": "a well-formed NIK",
    "NIP": "a well-formed NIP",
    "NPWP": "a well-formed NPWP",
    "PHONE": "a phone number",
    "EMAIL": "an e-mail address",
    "DATE": "a date",
    "AMOUNT": "an amount of rupiah",
}


class EntitiesSettings(Settings):
    """Settings of the checker."""

    model: str = MODEL
    """A model of the repository whose parameters say how to use it."""
    min_confidence: float = 0.0
    """Entities that the model is less sure of are left out; identifiers have no such doubt."""
    max_characters: int = 60_000
    """Text beyond this is not examined, and the result says so."""
    max_windows: int = 96
    """Windows of 256 pieces that the model reads; a text of single signs has very many."""


class EntitiesChecker(Checker):
    """Named entities by a token classifier, identifiers by rules that validate them."""

    name: ClassVar[str] = "entities"
    version: ClassVar[str] = "1.0"
    title: ClassVar[str] = "People, organisations, places, identifiers, dates and amounts"
    capabilities: ClassVar[Capabilities] = Capabilities(
        media_types=("text/plain", "image/*", "application/pdf"),
        reads=frozenset({Form.TEXT}),
        requires=("ocr",),
        models=(MODEL,),
        weight=2.0,
    )
    settings_type = EntitiesSettings

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        assert isinstance(settings, EntitiesSettings)
        self._options = settings

    @property
    def models(self) -> tuple[str, ...]:
        """The model that the settings name."""
        return (self._options.model,)

    def start(self, models: Mapping[str, Model]) -> None:
        """Read how to use the model; raises ValueError where it does not say so properly."""
        model = models[self._options.model]
        self._description = description.describe(model)
        special = SpecialPieces(
            bos=self._description.bos,
            eos=self._description.eos,
            unknown=self._description.unknown,
        )
        self._tokenizer = PieceTokenizer(model.directory / "tokenizer.json", special)
        self._decoder = Decoder.from_file(model.directory / "decoder.json")

    async def check(self, document: Document, context: CheckContext) -> Result:
        whole = _text(document, context)
        text = whole[: self._options.max_characters]
        if not text.strip():
            return Result(outcome=Outcome.INCONCLUSIVE, facts={"text": text})
        before = context.remaining_seconds()
        cut = await asyncio.to_thread(self._tokenizer.windows, text)
        kept_seconds = FINISHING * (before - context.remaining_seconds())
        scores = await self._scores(cut[: self._options.max_windows], context, kept_seconds)
        windows = cut[: len(scores)]
        findings = await asyncio.to_thread(self._findings, text, windows, scores)
        return Result(
            outcome=Outcome.PASS,
            findings=findings,
            facts={"text": text, "truncated": len(text) < len(whole) or len(windows) < len(cut)},
            repeatable=len(windows) == len(cut[: self._options.max_windows]),
        )

    async def _scores(
        self, windows: Sequence[Window], context: CheckContext, kept_seconds: float
    ) -> list[Array]:
        """Scores of the windows, in order, or of as many as leave `kept_seconds` of the time."""
        room = asyncio.Semaphore(WAITING_WINDOWS)
        longest = 0.0

        async def scored(window: Window) -> Array | None:
            nonlocal longest
            async with room:
                left = context.remaining_seconds()
                if longest and left < kept_seconds + RESERVE * longest:
                    return None
                inputs = _inputs(window, self._description)
                outputs = await context.infer(self._options.model, inputs)
                longest = max(longest, left - context.remaining_seconds())
                return outputs[self._description.output][0, : len(window.input_ids)]

        scores = await asyncio.gather(*(scored(window) for window in windows))
        read: list[Array] = []
        for score in scores:
            if score is None:
                break
            read.append(score)
        return read

    def _findings(
        self, text: str, windows: Sequence[Window], scores: Sequence[Array]
    ) -> list[Finding]:
        sure = identifiers.find(text)
        named = [
            entity
            for entity in self._decoder.entities(text, windows, scores)
            if entity.confidence >= self._options.min_confidence
            and not any(entity.start < i.end and i.start < entity.end for i in sure)
        ]
        found = [_entity(text, entity) for entity in named]
        found += [_identifier(text, identifier) for identifier in sure]
        return sorted(found, key=_place)


def _text(document: Document, context: CheckContext) -> str:
    if document.text is not None:
        return document.text
    text: str = context.results["ocr"].facts.get("text", "")  # none of an unreadable document
    return text


def _inputs(window: Window, described: Description) -> dict[str, Array]:
    """One window as a batch of one, padded so that it may share a batch with others."""
    padding = (0, -len(window.input_ids) % PIECES_STEP)
    inputs = {
        "input_ids": np.pad(window.input_ids, padding, constant_values=described.pad)[None],
        "attention_mask": np.pad(window.attention_mask, padding)[None],
    }
    if described.token_types:
        inputs["token_type_ids"] = np.zeros_like(inputs["input_ids"])
    return inputs


def _entity(text: str, entity: Entity) -> Finding:
    return Finding(
        code=entity.code,
        message=MESSAGES.get(entity.code, ""),
        confidence=entity.confidence,
        span=Span(start=entity.start, end=entity.end),
        attributes={"text": text[entity.start : entity.end]},
    )


def _identifier(text: str, found: identifiers.Identifier) -> Finding:
    return Finding(
        code=found.code,
        message=MESSAGES[found.code],
        span=Span(start=found.start, end=found.end),
        attributes={"text": text[found.start : found.end], **found.attributes},
    )


def _place(finding: Finding) -> tuple[int, int]:
    assert finding.span is not None
    return finding.span.start, finding.span.end
