"""What decoding one document may cost."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class DecodeLimits:
    """Bounds on one document; each is a setting named `decode.` and the field's name.

    They are read from headers and checked before any pixel is decoded, and the operating system
    holds the decoding process to those on memory and time.
    """

    max_content_bytes: int = 32 * MIB
    max_text_bytes: int = 2 * MIB
    max_pixels: int = 50_000_000
    """Of all pages of a document together."""
    max_side: int = 30_000
    """Width or height of a page in pixels."""
    max_frames: int = 1000
    """Frames of an animation, of which the first is decoded."""
    max_pages: int = 20
    """Pages of a PDF or TIFF, all of which are decoded."""
    render_dpi: float = 200.0
    """Resolution of PDF pages; lowered where `max_pixels` would be passed."""
    memory_bytes: int = 1024 * MIB
    """Address space of a decoding process beyond what it starts with."""
    cpu_seconds: int = 10
    """Processor time of one decoding process."""
    wall_seconds: float = 20.0
    """Time on the clock; more than `cpu_seconds`, since a busy machine is not the file's fault."""
    max_result_bytes: int = 64 * MIB
    """What an isolated function may return."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if getattr(self, field.name) <= 0:
                raise ValueError(f"decode.{field.name} must be more than 0")
