"""The checker `objects`: finds things in a photo and counts them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import pydantic

from absah_objects import description, detections, heads, preprocess
from absah_objects.description import Description
from absah_objects.detections import Detections
from absah_objects.preprocess import Pixels, Size, View
from absah_sdk import (
    Box,
    Capabilities,
    CheckContext,
    Checker,
    Document,
    DocumentUnreadable,
    Finding,
    Form,
    Model,
    Outcome,
    Region,
    Result,
    Settings,
)
from absah_sdk.checking import Array

_MOST_OBJECTS = 300
_SHARE_OF_A_VIEW = 2 / 3
"""What one view says counts from this share of `possible_confidence`: the mean may be higher."""
_BLANK_DEVIATION = 3.0
"""A picture whose colours all deviate less than this, of 255, is one even surface or dark."""

Fraction = Annotated[float, pydantic.Field(gt=0, lt=1)]
Side = Annotated[int, pydantic.Field(ge=32, le=4096)]


class ObjectsSettings(Settings):
    """Settings of `objects`; None leaves the choice to the model's own description."""

    model: str = "objects_nanodet"
    """A model of the repository whose parameters say how to use it."""
    confidence: Fraction | None = None
    """From here on an object counts."""
    possible_confidence: Fraction | None = None
    """From here on an object is told at all, and counts as possible."""
    sizes: Annotated[tuple[Side, ...], pydantic.Field(min_length=1, max_length=8)] | None = None
    """Long sides, in pixels, at which a picture is looked at, for models that take any size."""
    least_side_pixels: Annotated[int, pydantic.Field(ge=1)] = 64
    """A picture with a shorter side than this is too small to tell anything."""

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> ObjectsSettings:
        low, high = self.possible_confidence, self.confidence
        if low is not None and high is not None and low > high:
            raise ValueError("possible_confidence is above confidence")
        return self


class ObjectsChecker(Checker):
    """Finds things in a photo and counts them; see the plugin's README."""

    name = "objects"
    version = "1.0"
    title = "Finds and counts people and things in photos"
    capabilities: ClassVar[Capabilities] = Capabilities(
        media_types=("image/*",),
        reads=frozenset({Form.PAGES}),
        models=("objects_nanodet",),
        weight=3.0,
    )
    settings_type = ObjectsSettings
    settings: ObjectsSettings

    @property
    def models(self) -> tuple[str, ...]:
        """The model that the settings name."""
        return (self.settings.model,)

    def start(self, models: Mapping[str, Model]) -> None:
        """Read how to use the model; raises ValueError where it does not say so properly."""
        model = models[self.settings.model]
        self._description = description.describe(model)
        self._decode = heads.load(self._description.head)
        self._indonesian = description.indonesian_labels(model)
        self._sizes = self._chosen_sizes(self._description)
        self._confidence = self.settings.confidence or self._description.confidence
        possible = self.settings.possible_confidence or self._description.possible_confidence
        self._possible_confidence = min(possible, self._confidence)

    def _chosen_sizes(self, described: Description) -> tuple[str, ...]:
        if self.settings.sizes is None:
            return described.sizes
        if any("x" in size for size in described.sizes):
            raise ValueError(
                f"the model {self.settings.model} takes pictures of {' '.join(described.sizes)}: "
                "the setting sizes cannot change that"
            )
        return tuple(str(side) for side in self.settings.sizes)

    async def check(self, document: Document, context: CheckContext) -> Result:
        """Look at the first page; see the plugin's README for what is answered."""
        if not document.pages:
            raise DocumentUnreadable("the picture has no page to look at")
        page = document.pages[0]
        views = await asyncio.to_thread(self._views, page.pixels)
        if isinstance(views, str):
            return _unexamined(views)
        answers = await asyncio.gather(
            *(
                context.infer(self.settings.model, {self._description.input: view.tensor})
                for view in views
            )
        )
        objects = await asyncio.to_thread(self._objects, views, answers)
        return self._result(objects, page.size)

    def _views(self, pixels: Pixels) -> list[View] | str:
        """The page on its canvases, or why it is not worth looking at."""
        if min(pixels.shape[:2]) < self.settings.least_side_pixels:
            return "too_small"
        views = preprocess.views(pixels, self._description, self._sizes)
        if all(min(view.layout.content) < self._description.stride for view in views):
            return "too_narrow"
        smallest = min(views, key=lambda view: view.layout.content)
        if preprocess.deviation(smallest, self._description) < _BLANK_DEVIATION:
            return "blank"
        return views

    def _objects(self, views: Sequence[View], answers: Sequence[Mapping[str, Array]]) -> Detections:
        """What the views show together, in pixels of the page, best first."""
        overlap = self._description.overlap
        least = self._possible_confidence * (_SHARE_OF_A_VIEW if len(views) > 1 else 1)
        seen = []
        for view, answer in zip(views, answers, strict=True):
            outputs = {name: array[0] for name, array in answer.items()}
            found = self._decode(outputs, view.layout.canvas, self._description, least)
            seen.append(detections.suppress(view.layout.to_page(found), overlap=overlap))
        merged = detections.merge(seen, overlap=overlap)
        return merged[merged.confidences >= self._possible_confidence][:_MOST_OBJECTS]

    def _result(self, objects: Detections, page: Size) -> Result:
        findings = sorted(
            (self._finding(objects, index, page) for index in range(len(objects))),
            key=lambda finding: (-(finding.confidence or 0), finding.code),
        )
        counted = Counter(f.code for f in findings if f.attributes["counted"])
        possible = Counter(f.code for f in findings)
        return Result(
            outcome=Outcome.PASS,
            findings=findings,
            facts={
                "counts": dict(counted.most_common()),
                "possible_counts": dict(possible.most_common()),
            },
        )

    def _finding(self, objects: Detections, index: int, page: Size) -> Finding:
        label = self._description.labels[int(objects.classes[index])]
        # Rounded, so that the last bits, which depend on the batch, neither order nor count.
        confidence = round(float(objects.confidences[index]), 4)
        left, top, right, bottom = (float(value) for value in objects.corners[index])
        attributes: dict[str, object] = {"counted": confidence >= self._confidence}
        if label in self._indonesian:
            attributes["label_id"] = self._indonesian[label]
        return Finding(
            code=label,
            message=f"{'Seen' if attributes['counted'] else 'Perhaps seen'}: {label}.",
            confidence=confidence,
            region=Region(box=Box.from_pixels(left, top, right, bottom, page_size=page)),
            attributes=attributes,
        )


def _unexamined(reason: str) -> Result:
    return Result(
        outcome=Outcome.INCONCLUSIVE,
        facts={"counts": {}, "possible_counts": {}, "unexamined": reason},
    )
