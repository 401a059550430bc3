"""Settings of the authenticity checker."""

from __future__ import annotations

from pathlib import Path

import pydantic

from absah_sdk import Settings


class AuthenticitySettings(Settings):
    """What an operator may change."""

    trust_anchors: Path | None = None
    """PEM file of certificates whose Content Credentials are trusted; without it none are."""
    max_native_pixels: int = pydantic.Field(default=2_000_000, ge=100_000)
    """Traces are measured in pictures of up to so many pixels as they are."""
    shrunk_pixels: int = pydantic.Field(default=1_000_000, ge=100_000)
    """Larger ones are shrunk to this many first."""
    min_side_pixels: int = pydantic.Field(default=128, ge=32)
    """Pictures with a shorter side cannot be judged."""
    min_jpeg_quality: int = pydantic.Field(default=40, ge=1, le=100)
    """JPEGs compressed more strongly cannot be judged."""
    max_flat_share: float = pydantic.Field(default=0.7, gt=0, le=1)
    """Pictures with a larger share of evenly coloured area, such as drawings, screenshots and
    clean scans, cannot be judged."""
    review_score: float = pydantic.Field(default=0.3, gt=0, lt=1)
    """Evidence of tampering from which the outcome is INCONCLUSIVE."""
    reject_copy_share: float = pydantic.Field(default=0.02, gt=0, lt=1)
    """A verified copy within the picture of at least this share of it is a FAIL."""
    heatmap: bool = True
    """Whether to return the localisation map as a PNG."""
