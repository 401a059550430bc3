"""Do the photos together show at least as many people as claimed?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from absah_claims.comparison import Comparison, agrees, contradicts, unsettled
from absah_claims.evidence import Kind, Source, number, of_kind

FEW = 8
"""Fewer possible people than this can be told apart; a detector loses count in a crowd."""

_NO_PHOTO = ("tidak ada foto yang terhitung", "people were counted in no photo")
_UNREAD_CLAIM = ("jumlah peserta yang diklaim tidak terbaca", "the claimed count is no count")
_ENOUGH = ("jumlah orang pada foto mencukupi", "the photos show as many people")
_TOO_FEW = ("foto memperlihatkan jauh lebih sedikit orang", "the photos show far fewer people")
_UNCERTAIN = (
    "jumlah orang pada foto belum dapat dipastikan",
    "the photos do not settle how many people there were",
)


def match_participants(claim: Any, sources: Sequence[Source]) -> Comparison:
    """Compare a claimed number of people with those counted in the photos.

    A photo that was sent twice counts once where the documents tell their digests. Fewer people
    than claimed contradict only where each photo was counted whole and shows no crowd: others may
    have stood behind the camera or in the dark.
    """
    claimed = people(claim)
    if claimed is None:
        return unsettled("", _UNREAD_CLAIM)
    photos = _distinct(of_kind(sources, Kind.PHOTO))
    counted = [photo for photo in photos if photo.people is not None]
    findings = [reference for photo in counted for reference in photo.people_findings]
    least = sum(photo.people or 0 for photo in counted)
    if not counted:
        return unsettled("", _NO_PHOTO)
    if least >= claimed:
        return agrees(str(least), _ENOUGH, findings)
    most = [photo.most_people for photo in photos]
    upper = sum(count or 0 for count in most)
    found = f"{least}–{upper}" if upper > least else str(least)
    if None not in most and upper < FEW and claimed >= 2 * upper + 2:
        return contradicts(found, _TOO_FEW, findings)
    return unsettled(found, _UNCERTAIN, findings)


def people(claim: Any) -> int | None:
    """The claimed number, given as a number or in digits such as "25 orang"; None if it is none."""
    value = number(claim)
    if value is None and isinstance(claim, str):
        digits = claim.strip().split(" ")[0].replace(".", "")
        value = float(digits) if digits.isascii() and digits.isdigit() and len(digits) < 8 else None
    if value is None or not 0 <= value <= 1e7:
        return None
    return math.ceil(value)


def _distinct(photos: Sequence[Source]) -> list[Source]:
    """The photos without those whose bytes were sent before."""
    seen: set[str] = set()
    kept = []
    for photo in photos:
        if not photo.digest or photo.digest not in seen:
            kept.append(photo)
        seen.add(photo.digest)
    return kept
