"""Read how a JPEG was made: its tables, scans, markers and traces of an earlier compression.

Standards: ITU-T T.81 (JPEG) with the example tables of its Annex K, scaled as the Independent
JPEG Group's software does. `read` walks over hostile bytes, so it is meant for a sandboxed
process; the rest works on decoded pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from absah_authenticity import containers
from absah_authenticity.containers import Segment
from absah_sdk import Finding, Severity

# fmt: off
_LUMINANCE = np.array([
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40,
    26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51,
    56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87,
    95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
])
"""Table K.1 in zigzag order."""
# fmt: on
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SUBSAMPLINGS = {
    (0x11, 0x11): "4:4:4",
    (0x12, 0x11): "4:4:0",
    (0x21, 0x11): "4:2:2",
    (0x22, 0x11): "4:2:0",
    (0x41, 0x11): "4:1:1",
}
_LOW_FREQUENCIES = (
    (1, 0, 1),
    (2, 1, 0),
    (3, 2, 0),
    (4, 1, 1),
    (5, 0, 2),
    (6, 0, 3),
    (7, 1, 2),
    (8, 2, 1),
    (9, 3, 0),
)
"""Place in the zigzag order, row and column."""
MAX_BLOCKS_A_SIDE = 150
DOUBLE_COMPRESSION = 1.0
"""Evidence from which an earlier, coarser compression is reported. Pictures compressed once stay
under it in more than nine cases of ten, those compressed twice on the same grid, first more
coarsely, are over it in nine of ten."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Structure:
    """How one JPEG was made."""

    quality: int
    """The nearest quality of the IJG's scale, 1 to 100."""
    standard_tables: bool
    """Whether the luminance table is exactly the IJG's at that quality."""
    subsampling: str
    """Of the chroma, such as "4:2:0"; "grey" with one component, "other" else."""
    progressive: bool
    scans: int
    application_segments: tuple[str, ...]
    """Names such as "APP1 Exif" in the order of the file."""
    photoshop: bool
    """Whether Photoshop left its own resources."""
    table: tuple[int, ...]
    """The 64 luminance quantisation steps in zigzag order."""

    def __post_init__(self) -> None:
        if len(self.table) != 64 or min(self.table) < 1:
            raise ValueError("a quantisation table has 64 steps of 1 or more")


def read(content: bytes) -> Structure | None:
    """Read the structure of a JPEG; None where these bytes are none or lack a table or a frame."""
    if content[:2] != b"\xff\xd8":
        return None
    segments = list(containers.jpeg_segments(content))
    table = _luminance_table(segments)
    frame = next((segment for segment in segments if segment.marker in _FRAMES), None)
    if table is None or frame is None or len(frame.payload) < 6:
        return None
    quality, exact = estimate_quality(table)
    names = tuple(_name(segment) for segment in segments if 0xE0 <= segment.marker <= 0xEF)
    return Structure(
        quality=quality,
        standard_tables=exact,
        subsampling=_subsampling(frame.payload),
        progressive=frame.marker == 0xC2,
        scans=_scans(content),
        application_segments=names[:50],
        photoshop=any(_by_photoshop(segment) for segment in segments),
        table=tuple(table.tolist()),
    )


def estimate_quality(table: NDArray[np.int64]) -> tuple[int, bool]:
    """The IJG quality nearest to a luminance table in zigzag order, and whether it fits exactly."""
    qualities = np.arange(1, 101)
    scales = np.where(qualities < 50, 5000 // qualities, 200 - 2 * qualities)
    tables = np.clip((_LUMINANCE * scales[:, None] + 50) // 100, 1, 255)
    distances = np.abs(tables - table).sum(axis=1)
    best = int(np.argmin(distances))
    return int(qualities[best]), bool(distances[best] == 0)


def double_compression(picture: NDArray[np.uint8], table: Sequence[int]) -> float | None:
    """Measure how uneven the histograms of low DCT frequencies are, beyond counting noise.

    `picture` is the stored picture, (height, width, 3) RGB, `table` its luminance steps in zigzag
    order. Values that a coarser first quantisation could not produce are missing from the
    histogram (Popescu and Farid, "Statistical tools for digital forensics", 2004). Each bin is
    compared with its six neighbours after a variance-stabilising root. None where fewer than three
    frequencies have counts enough.
    """
    blocks = _blocks(picture)
    found = [
        _unevenness(_quantised(blocks, row, column, table[place]))
        for place, row, column in _LOW_FREQUENCIES
    ]
    known = [value for value in found if value is not None]
    return round(float(np.median(known)), 3) if len(known) >= 3 else None


def _blocks(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The 8×8 blocks of luminance in the middle of a picture, on the grid of its file."""
    height, width = (side // 8 for side in picture.shape[:2])
    tall, wide = min(height, MAX_BLOCKS_A_SIDE), min(width, MAX_BLOCKS_A_SIDE)
    top, left = (height - tall) // 2 * 8, (width - wide) // 2 * 8
    part = picture[top : top + tall * 8, left : left + wide * 8]
    if not part.size:
        return np.zeros((0, 8, 8), np.float32)
    light = part.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32) - 128
    return light.reshape(tall, 8, wide, 8).swapaxes(1, 2).reshape(-1, 8, 8)


def _quantised(blocks: NDArray[np.float32], row: int, column: int, step: int) -> NDArray[np.int64]:
    places = (2 * np.arange(8) + 1) * np.pi / 16
    scale = (0.5 if row else 0.5**1.5) * (0.5 if column else 0.5**1.5)
    wave = (scale * np.outer(np.cos(row * places), np.cos(column * places))).astype(np.float32)
    return np.rint(blocks.reshape(-1, 64) @ wave.ravel() / max(step, 1)).astype(np.int64)


def _unevenness(values: NDArray[np.int64]) -> float | None:
    sizes = np.abs(values)
    counts = np.bincount(sizes[(sizes > 0) & (sizes <= 60)], minlength=61)[1:].astype(np.float64)
    bins = int((np.cumsum(counts[::-1]) > 30).sum())
    if bins < 10:
        return None
    counts = counts[:bins]
    neighbours = np.array([1, 1, 1, 0, 1, 1, 1]) / 6
    padded = np.pad(np.log(counts + 0.5), 3, mode="reflect", reflect_type="odd")
    trend = np.exp(np.convolve(padded, neighbours, "valid"))
    excess = (2 * (np.sqrt(counts) - np.sqrt(trend))) ** 2 - 1
    return float(np.sqrt(max(0.0, excess[1:].sum()) / max(counts[1:].sum(), 1.0)))


def _luminance_table(segments: Sequence[Segment]) -> NDArray[np.int64] | None:
    for segment in segments:
        payload = segment.payload if segment.marker == 0xDB else b""
        while payload:
            precision, number = payload[0] >> 4, payload[0] & 15
            size = 128 if precision else 64
            if number == 0 and len(payload) > size:
                kind = ">u2" if precision else "u1"
                steps = np.frombuffer(payload[1 : 1 + size], kind).astype(np.int64)
                return np.asarray(np.maximum(steps, 1), np.int64)
            payload = payload[1 + size :]
    return None


def _subsampling(frame: bytes) -> str:
    factors = [frame[at + 1] for at in range(6, len(frame) - 2, 3)]
    if len(factors) == 1:
        return "grey"
    same = len(factors) == 3 and factors[1] == factors[2]
    return _SUBSAMPLINGS.get((factors[0], factors[1]), "other") if same else "other"


def _scans(content: bytes) -> int:
    end = content.find(b"\xff\xd9", content.rfind(b"\xff\xda"))
    first = sum(len(s.payload) + 4 for s in containers.jpeg_segments(content) if s.marker != 0xDA)
    return content.count(b"\xff\xda", first, end if end > 0 else len(content))


def _by_photoshop(segment: Segment) -> bool:
    """Whether only Photoshop writes such a segment; others use APP13 for captions alone."""
    if segment.marker == 0xED:
        return segment.payload.startswith(b"Photoshop 3.0") and b"8BIM\x04\x06" in segment.payload
    return segment.marker == 0xEC and segment.payload.startswith(b"Ducky")


def _name(segment: Segment) -> str:
    label = segment.payload[:16].split(b"\x00", 1)[0]
    text = "".join(chr(byte) for byte in label if 32 <= byte < 127)
    if segment.payload.startswith(b"http://ns.adobe.com/xap/"):
        text = "XMP"
    return f"APP{segment.marker - 0xE0} {text}".strip()


def facts(structure: Structure, double: float | None) -> dict[str, Any]:
    """The facts of the check, under the key `jpeg`."""
    found: dict[str, Any] = {
        "quality": structure.quality,
        "standard_tables": structure.standard_tables,
        "subsampling": structure.subsampling,
        "progressive": structure.progressive,
        "scans": structure.scans,
        "application_segments": list(structure.application_segments),
    }
    if double is not None:
        found["double_compression"] = double
    return found


def findings(structure: Structure, double: float | None) -> Iterator[Finding]:
    """What the structure tells about the file's past."""
    if structure.photoshop:
        yield Finding(
            code="jpeg_editor",
            severity=Severity.WARNING,
            message="Photoshop saved this file, or one that it was made from.",
        )
    if double is not None and double >= DOUBLE_COMPRESSION:
        yield Finding(
            code="jpeg_double_compressed",
            message="The picture was compressed before, more strongly, on the same grid;"
            " messengers and editors both do this.",
            attributes={"evidence": double},
        )
    if not any(name.startswith(("APP0 ", "APP1 ")) for name in structure.application_segments):
        yield Finding(
            code="jpeg_bare",
            message="The file carries neither JFIF nor EXIF headers, which cameras write.",
        )
