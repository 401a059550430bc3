"""Turn the network's answer into a map of where the picture does not fit itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from absah_authenticity import judging, orientation, traces
from absah_sdk import Box, Finding, Region, Severity

Map = NDArray[Any]
"""float32, (rows, columns)."""

MODEL = "splice_localizer"
INPUT, OUTPUT = "traces", "logits"
NETWORK_WEIGHT, COLOUR_WEIGHT = 0.32, 0.81
"""The map is the sigmoid of this weighted sum. Weights and zero were fitted to self-made splices of
photographs that the network did not learn from, so that one half is the threshold with the best F1
there. On pictures of another origin the network alone ranks pixels worse than colour's error levels
alone, and both together better than either."""
USUAL_STRENGTH, ALARMING_STRENGTH = 8.0, 11.0
"""Strengths between which evidence grows from nothing to `judging.MAX_LOCALISATION`. One honest
photograph in twenty reaches the first; the second is met in splices saved once, at high quality,
and hardly elsewhere."""
FINDING_EVIDENCE = 0.3


@dataclass(frozen=True, kw_only=True, slots=True)
class Localisation:
    """Where traces differ. `map_` is in [0, 1], one value a cell, for the stored picture."""

    map_: Map
    strength: float
    """The network's mean logit in the most suspicious hundredth of the picture."""
    box: Box | None
    """The largest region that the network holds for pasted, in the stored picture."""

    @property
    def evidence(self) -> float:
        """Evidence of tampering, at most `judging.MAX_LOCALISATION`."""
        share = (self.strength - USUAL_STRENGTH) / (ALARMING_STRENGTH - USUAL_STRENGTH)
        return judging.MAX_LOCALISATION * min(max(share, 0.0), 1.0)


def localise(logits: Map, planes: NDArray[np.float32], size: tuple[int, int]) -> Localisation:
    """Read the network's logits, (rows, columns), for traces of a picture of (width, height)."""
    columns, rows = (-(-side // traces.CELL) for side in size)
    colour = traces.colour_levels(planes)[:rows, :columns]
    logits = logits[:rows, :columns]
    joined = NETWORK_WEIGHT * logits + COLOUR_WEIGHT * colour
    smooth = cv2.GaussianBlur(logits, (0, 0), 1.0)
    top = np.sort(smooth, axis=None)[-max(1, smooth.size // 100) :]
    return Localisation(map_=_sigmoid(joined), strength=float(top.mean()), box=_largest_box(smooth))


def _sigmoid(logits: Map) -> Map:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)


def _largest_box(logits: Map) -> Box | None:
    suspicious = (logits > 0).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(suspicious)
    if count < 2:
        return None
    left, top, width, height, _ = stats[1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))].tolist()
    page_size = (logits.shape[1], logits.shape[0])
    return Box.from_pixels(left, top, left + width, top + height, page_size=page_size)


def findings(found: Localisation, turned: int) -> Iterator[Finding]:
    """One finding where the evidence is worth a look; `turned` is the EXIF orientation."""
    if found.evidence < FINDING_EVIDENCE or found.box is None:
        return
    yield Finding(
        code="inconsistent_traces",
        severity=Severity.WARNING,
        message="Compression and noise in one part do not fit the rest of the picture.",
        confidence=round(found.evidence, 3),
        region=Region(box=orientation.to_upright(found.box, turned)),
        attributes={"strength": round(found.strength, 3)},
    )
