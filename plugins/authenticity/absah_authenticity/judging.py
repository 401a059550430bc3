"""Weigh the signals: one score, one outcome.

The score is evidence of tampering from 0 to 1. Signals are joined as independent hints, one minus
the product of one minus their weights. The weights are set by judgement, under two rules that
were measured: what honest pictures often carry weighs next to nothing, and localisation alone
never passes 0.5, because no splice detector tells spliced from honest pictures reliably.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from absah_sdk import Finding, Outcome

WEIGHTS = {
    "c2pa_broken_binding": 0.97,
    "c2pa_invalid": 0.7,
    "c2pa_unreadable": 0.35,
    "c2pa_ai_generated": 0.8,
    "c2pa_ai_ingredient": 0.5,
    "c2pa_edited": 0.5,
    "copy_move": 0.9,
    "copy_move_possible": 0.4,
    "exif_editor": 0.4,
    "exif_date_in_future": 0.35,
    "exif_date_order": 0.35,
    "exif_gps_date": 0.3,
    "exif_size_cropped": 0.25,
    "exif_size_resized": 0.03,
    "exif_thumbnail_differs": 0.55,
    "exif_processed": 0.03,
    "jpeg_editor": 0.35,
    "jpeg_double_compressed": 0.02,
    "jpeg_bare": 0.02,
}
"""By code; a code that is not listed weighs nothing."""
REJECTING = frozenset({"c2pa_broken_binding", "copy_move"})
BLINDING = frozenset({"too_small", "too_compressed", "too_flat"})
"""Codes that say that the picture cannot be judged."""
TRUSTED = "c2pa_trusted"
MAX_LOCALISATION = 0.5


def score(findings: Iterable[Finding], localisation: float) -> float:
    """Join the findings' weights and the localisation's evidence, each code counted once."""
    weights = {finding.code: WEIGHTS.get(finding.code, 0.0) for finding in findings}
    hints = [*weights.values(), min(max(localisation, 0.0), MAX_LOCALISATION)]
    return round(1 - math.prod(1 - hint for hint in hints), 3)


def outcome(findings: Iterable[Finding], evidence: float, *, review_score: float) -> Outcome:
    """FAIL where tampering is proven, INCONCLUSIVE where it is suspected or cannot be told."""
    codes = {finding.code for finding in findings}
    if codes & REJECTING:
        return Outcome.FAIL
    if evidence >= review_score:
        return Outcome.INCONCLUSIVE
    if codes & BLINDING and TRUSTED not in codes:
        return Outcome.INCONCLUSIVE
    return Outcome.PASS
